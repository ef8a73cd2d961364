"""A watchdog: work that blocks for good is left behind in its thread, and the caller goes on.

The timeouts of a driver bound the server, not the socket: where no packet comes any more, neither
an answer nor a refusal, a read blocks until the system gives up, which may be hours. Nothing can
interrupt it from outside, so it runs in a thread of its own that may be abandoned.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")


class OverdueError(Exception):
    """The work took longer than it may; it is left behind, and what it holds with it."""


class Watch:
    """The time that each step of a work may take; whoever begins a step renews it.

    ``abandoned`` says that nobody waits for the work any more.

    >>> watch = Watch(5.0, clock=lambda: 100.0)
    >>> watch.left()
    5.0
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until = clock() + seconds
        self.abandoned = False

    def renew(self, *_: object) -> None:
        """Begin a step; takes any arguments, so that it may be told of any event."""
        self._until = self._clock() + self._seconds

    def left(self) -> float:
        """Give the seconds until the step is overdue."""
        return max(0.0, self._until - self._clock())


def watched(work: Callable[[Watch], Result], seconds: float) -> Result:
    """Run ``work`` in a thread and give what it gives, or raise what it raises.

    Raises:
        OverdueError: a step of it took longer than ``seconds``.
    """
    watch, outcome = Watch(seconds), Future[Result]()
    inside = copy_context().run  # what is logged there is about the same
    threading.Thread(target=inside, args=(_run, work, watch, outcome), daemon=True).start()
    while not outcome.done():
        left = watch.left()
        if not left:
            watch.abandoned = True
            raise OverdueError
        wait([outcome], timeout=left)
    return outcome.result()


def _run(work: Callable[[Watch], Result], watch: Watch, outcome: Future[Result]) -> None:
    try:
        outcome.set_result(work(watch))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is awaited
        outcome.set_exception(error)
