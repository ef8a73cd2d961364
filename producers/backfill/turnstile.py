"""What every page has to pass: the hours in which the backfill may read, and its rate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from producers.backfill.buckets import Bucket
from producers.schedule import Hours

_LOOK_SECONDS: Final = 60.0


def utc_now() -> datetime:
    """Give this machine's time."""
    return datetime.now(UTC)


class Turnstile:
    """Shared by all workers; with a rate, a page is no larger than what one second lets through.

    >>> Turnstile(5000, rows_per_second=300).page_rows, Turnstile(5000).page_rows
    (300, 5000)
    """

    def __init__(
        self,
        page_rows: int,
        rows_per_second: int | None = None,
        hours: Hours | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.page_rows = min(page_rows, rows_per_second or page_rows)
        self._bucket = Bucket(rows_per_second, rows_per_second) if rows_per_second else None
        self._hours = hours
        self._now = now

    def pass_through(self, halt: threading.Event) -> bool:
        """Wait until a page may be read; say no if it is to halt instead."""
        wait = self._bucket.take(self.page_rows) if self._bucket else 0.0
        if halt.wait(wait) if wait else halt.is_set():
            return False
        while self._hours and (wait := self._hours.wait(self._now())):
            if halt.wait(min(wait, _LOOK_SECONDS)):
                return False
        return True

    def give_back(self, rows: int) -> None:
        """Return what was not there to be read."""
        if self._bucket:
            self._bucket.give_back(rows)
