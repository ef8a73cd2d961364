"""How long a table that cannot be read is left alone: longer after each failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from runtime.retry import Backoff

_BACKOFF: Final = Backoff(tries=9, first=0.5, most=60)
_HOPELESS_AFTER: Final = 3


class Waiting:
    """Counts the failures of one table; ``clock`` gives rising seconds.

    >>> waiting = Waiting(clock=lambda: 100.0)
    >>> waiting.is_over(), waiting.lengthen() >= 0, waiting.hopeless
    (True, True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def hopeless(self) -> bool:
        """Say whether it failed so often that one who wants to be done goes without it."""
        return self._failures >= _HOPELESS_AFTER

    def is_over(self) -> bool:
        """Say whether it is time to try again."""
        return self._clock() >= self._until

    def lengthen(self, at_least: float = 0.0) -> float:
        """Note a failure; give the seconds to wait, with some jitter where ``at_least`` so many."""
        waits = [*_BACKOFF.waits()]
        seconds = at_least + waits[min(self._failures, len(waits) - 1)]
        self._failures += 1
        self._until = self._clock() + seconds
        return seconds

    def forget(self) -> None:
        """Note a success."""
        self._failures = 0
        self._until = 0.0
