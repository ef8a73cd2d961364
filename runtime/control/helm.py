"""What a run of a stage holds in its hands: when to end, when to pause, where to show its tasks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from runtime.control.orders import Task
from runtime.looking import LookedAt

_LOOK_SECONDS: Final = 0.2
Tasks = Callable[[], Iterable[Task]]


class Helm:
    """Says whether to pause; by itself nothing ever does.

    >>> Helm().paused
    False
    """

    def __init__(self, paused: Callable[[], bool] = lambda: False) -> None:
        self._paused = paused
        self._shown: dict[str, Tasks] = {}

    @classmethod
    def of(cls, stop: threading.Event) -> Helm:
        """Give that of a run; a stop flag that is no run's is under no orders.

        >>> Helm.of(threading.Event()).paused
        False
        """
        return stop.helm if isinstance(stop, Run) else cls()

    @property
    def paused(self) -> bool:
        """Whether to keep what is assigned and fetch nothing."""
        return self._paused()

    def show(self, whose: str, tasks: Tasks) -> None:
        """Give what tells of the tasks of one part of the stage, in the place of what told before.

        It is asked from another thread, so it must be quick.
        """
        self._shown[whose] = tasks

    def tasks(self) -> tuple[Task, ...]:
        """Give how each task is."""
        return tuple(task for shown in [*self._shown.values()] for task in shown())


class Run(LookedAt):
    """The stop flag of one run under orders: set by itself, or by that of the process.

    It notes when the thread that made it last looked: that is when its loop came round.
    """

    look_seconds = _LOOK_SECONDS

    def __init__(self, process: threading.Event, helm: Helm) -> None:
        super().__init__()
        self.helm = helm
        self._process = process
        self._thread = threading.get_ident()
        self.looked_at = time.monotonic()

    def is_set(self) -> bool:
        """Say whether to end."""
        if threading.get_ident() == self._thread:
            self.looked_at = time.monotonic()
        return self._process.is_set() or super().is_set()
