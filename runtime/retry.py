"""Trying again: exponential backoff with jitter, waits that a stop interrupts.

Full jitter (each wait drawn evenly between nothing and the ceiling) spreads clients that failed at
the same moment; see Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from runtime.errors import Transient

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often to try, and how long to wait in between, in seconds."""

    tries: int = 3
    first: float = 0.3
    most: float = 60.0

    def waits(self, draw: Callable[[], float] = random.random) -> Iterator[float]:
        """Give the wait before each further try; ``draw`` gives a number from 0 to 1.

        >>> list(Backoff(tries=4, first=1, most=3).waits(draw=lambda: 1.0))
        [1.0, 2.0, 3.0]
        """
        ceiling = min(self.first, self.most)
        for _ in range(self.tries - 1):
            yield ceiling * draw()
            ceiling = min(2 * ceiling, self.most)


def retry(
    call: Callable[[], Result],
    backoff: Backoff,
    stop: threading.Event,
    on_retry: Callable[[Transient, float], None] = lambda _error, _wait: None,
) -> Result:
    """Call until it succeeds; a :class:`Transient` is tried again, anything else is passed on.

    Raises:
        Transient: the last try failed too, or ``stop`` was set while waiting.
    """
    for wait in backoff.waits():
        try:
            return call()
        except Transient as error:
            on_retry(error, wait)
            if stop.wait(wait):
                raise
    return call()


def within(seconds: float) -> Callable[[Transient, float], None]:
    """Give an ``on_retry`` that passes the error on once so much time has gone by.

    For calls that may themselves take long to fail: tries alone do not bound them.
    """
    end = time.monotonic() + seconds

    def tell(error: Transient, _wait: float) -> None:
        if time.monotonic() > end:
            raise error

    return tell
