"""Running the watch: beside the workers of jobs, or by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import httpx

from operate.alerts import samples
from operate.alerts.ledger import Ledger
from operate.alerts.receivers import Receivers
from operate.alerts.watch import Watch
from operate.settings import Settings
from sink.database import Database


@contextmanager
def watch(settings: Settings) -> Iterator[Watch]:
    """Give a watch on a connection of its own."""
    where = samples.places(settings)
    with closing(Database(settings.sink)) as database, httpx.Client() as client:
        look = partial(samples.look, client, where)
        receivers = Receivers(settings.alerts, client)
        yield Watch(settings.alerts, look, Ledger(database), receivers)


class InTurn:
    """Looks once in ``seconds``, however often it is asked to."""

    def __init__(self, watching: Watch, seconds: float) -> None:
        self._watching = watching
        self._seconds = seconds
        self._due = 0.0

    def look(self) -> list[Any]:
        """Look, if it is time to."""
        if time.monotonic() < self._due:
            return []
        self._due = time.monotonic() + self._seconds
        return self._watching.look()
