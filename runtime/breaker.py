"""A circuit breaker: whoever failed again and again is left alone, then asked once, then trusted.

::

    CLOSED ──(failures in a row)──► OPEN ──(pause is over)──► HALF_OPEN ──(success)──► CLOSED
       ▲                             ▲                            │
       └─────────(success)           └──(failure: longer pause)───┘

It only counts and compares times; waiting and calling is for whoever asks it. See Nygard,
"Release It!", 2nd edition, 2018, chapter 5.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum


class Circuit(StrEnum):
    """What a breaker does with calls."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Breaker:
    """Guards one thing that may be away; safe to share between threads.

    Args:
        failures: so many in a row open it.
        first: seconds until the first trial call; they double with each that fails.
        most: seconds between two trials at most.
        clock: gives rising seconds.

    >>> breaker = Breaker(failures=1, clock=lambda: 0.0)
    >>> breaker.fail()
    >>> breaker.state, breaker.allows()
    (<Circuit.OPEN: 'open'>, False)
    """

    def __init__(
        self,
        failures: int = 3,
        first: float = 1.0,
        most: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._first = first
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = first
        self._until = 0.0
        self._state = Circuit.CLOSED

    @property
    def state(self) -> Circuit:
        """What it does with calls now."""
        return self._state

    def allows(self) -> bool:
        """Say whether to call; when a pause is over, one caller is told so, and makes the trial.

        A trial that is never reported is taken for lost after another pause.
        """
        with self._lock:
            if self._state is Circuit.CLOSED:
                return True
            if self._clock() < self._until:
                return False
            self._state = Circuit.HALF_OPEN
            self._until = self._clock() + self._pause
            return True

    def succeed(self) -> None:
        """Note that a call was answered."""
        with self._lock:
            self._failures, self._pause = 0, self._first
            self._state = Circuit.CLOSED

    def fail(self, *, for_sure: bool = False, pause: float = 0.0) -> None:
        """Note a failure; ``for_sure`` opens the circuit without counting further.

        It stays open for ``pause`` seconds at least.
        """
        with self._lock:
            self._failures += 1
            if self._state is Circuit.CLOSED and (for_sure or self._failures >= self._limit):
                self._open(pause)
            elif self._state is Circuit.HALF_OPEN:
                self._pause = min(2 * self._pause, self._most)
                self._open(pause)

    def _open(self, pause: float) -> None:
        self._state = Circuit.OPEN
        self._until = self._clock() + max(pause, self._pause)
