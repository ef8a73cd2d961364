"""A token bucket: so many rows a second, however many workers ask. Pure but for its clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Bucket:
    """Fills with ``rate`` rows a second, up to ``burst``; safe to share between threads.

    Rows are reserved before they are read: who takes more than there is waits until the bucket has
    made up for it, behind all who came before. In any stretch of s seconds no more than ``burst +
    rate * s`` rows are let through.

    >>> bucket = Bucket(rate=100, burst=100, clock=lambda: 0.0)
    >>> bucket.take(100), bucket.take(50)
    (0.0, 0.5)
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self, rows: int) -> float:
        """Reserve rows; give the seconds to wait before they may be read."""
        with self._lock:
            self._fill()
            self._level -= rows
            return max(0.0, -self._level / self._rate)

    def give_back(self, rows: int) -> None:
        """Return what was reserved and then not there to be read."""
        with self._lock:
            self._fill()
            self._level = min(self._burst, self._level + rows)

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now
