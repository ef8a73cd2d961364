"""A PostgreSQL that a test may kill, and start again."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from devstack.postgres import Postgres
from devstack.process import Running, start, stop
from devstack.server import Place
from devstack.state import free_port


class Server:
    """A PostgreSQL of the test's own, which may be killed."""

    def __init__(self, directory: Path) -> None:
        place = Place(directory, Path(), {"postgres": free_port()}, "s3cret")
        self._postgres = Postgres(place)
        self._postgres.log.parent.mkdir(parents=True)
        self.url = self._postgres.url
        self._running: Running
        self.start()

    def start(self) -> None:
        """Start it, anew if it was killed."""
        self._postgres.prepare()
        self._running = start(self._postgres.command(), self._postgres.log)
        self._postgres.wait_until_ready(self._running, threading.Event())

    def kill(self) -> None:
        """End it at once; its backends follow."""
        stop(self._running, polite=signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        stop(self._running, polite=signal.SIGINT)
