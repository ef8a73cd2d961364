"""Asking something that may be away until it answers: backoff, then a circuit breaker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from runtime.breaker import Breaker
from runtime.errors import Transient
from runtime.retry import Backoff

_LOGGER: Final = logging.getLogger("aos.sink")
_LOOK_SECONDS: Final = 0.05

Answer = TypeVar("Answer")
OnRetry = Callable[[Transient], None]


def breaker_of(most_seconds: float) -> Breaker:
    """Make a breaker that opens at the third failure and tries again that often at least."""
    return Breaker(failures=Backoff().tries, first=min(1.0, most_seconds), most=most_seconds)


class Patience:
    """Calls until it succeeds or ``halt`` is set; while the circuit is open nobody is asked.

    ``on_retry`` is told of every failure.
    """

    def __init__(self, breaker: Breaker, halt: threading.Event, on_retry: OnRetry) -> None:
        self._breaker = breaker
        self._halt = halt
        self._on_retry = on_retry

    def call(self, work: Callable[[], Answer]) -> Answer:
        """Call, with pauses with jitter first, and then as the breaker allows.

        Raises:
            AosError: what ``work`` raised; a Transient only once ``halt`` is set.
        """
        waits = Backoff().waits()
        while True:
            try:
                answer = work()
            except Transient as error:
                self._breaker.fail()
                self._tell(error)
                if self._halt.wait(next(waits, 0.0)) or not self._allowed():
                    raise
            else:
                self._breaker.succeed()
                return answer

    def _allowed(self) -> bool:
        """Wait until the breaker lets somebody try; say whether it came to that."""
        while not self._breaker.allows():
            if self._halt.wait(_LOOK_SECONDS):
                return False
        return True

    def _tell(self, error: Transient) -> None:
        _LOGGER.warning("%s; it is tried again, the circuit is %s", error, self._breaker.state)
        self._on_retry(error)
