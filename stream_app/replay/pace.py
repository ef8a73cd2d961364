"""Not faster than is wanted: waits that a stop interrupts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets so many records a second pass, on average since the last wait; None lets all pass."""

    def __init__(
        self,
        rate: float | None,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._stop = stop
        self._clock = clock
        self._due = clock()

    @property
    def helping(self) -> int | None:
        """How many records are to be taken at once at most: a second's worth."""
        return None if self._rate is None else max(1, round(self._rate))

    def passed(self, records: int) -> None:
        """Wait for as long as so many records may take."""
        if self._rate is None:
            return
        now = self._clock()
        self._due = max(self._due, now - 1.0) + records / self._rate
        if self._due > now:
            self._stop.wait(self._due - now)
