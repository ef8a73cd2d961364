"""A stage under orders: its runs, one after another, until the process is to end.

::

                 ┌──────────── resume ────────────┐
                 ▼                                │
    start ──► RUNNING ◄──── resume ──── PAUSED    STOPPED ◄── stop, from anywhere
                 │  └────── pause ───────▲           the run has ended, the process waits
                 └─ restart ─► RESTARTING ─► RUNNING, a new run

A run is ended as a signal would end it: what is under way is finished, so every promise of a stage
holds for an order as it does for a restart of its process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from runtime.control.helm import Helm, Run
from runtime.control.orders import Kind, Order, State, Status
from runtime.errors import AosError, Fenced

Result = TypeVar("Result")
_LOOK_SECONDS: Final = 0.2


class Steering:
    """What one process knows of its orders; safe to share between the stage and who listens.

    ``stop`` ends the process.
    """

    def __init__(
        self,
        connector: str,
        worker: str,
        stop: threading.Event,
        *,
        every_seconds: float = 1.0,
        version: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.connector = connector
        self.worker = worker
        self.every_seconds = every_seconds
        self.changed = threading.Event()
        """Set whenever there is something new to tell."""
        self._version = version
        self._now = now
        self._stop = stop
        self._ordered = State.RUNNING
        self._heard = threading.Event()
        self._restarts = 0
        self._known_restarts: set[str] = set()
        self._run: Run | None = None
        self._trace = ""
        self._started_at = now()
        self._since = self._started_at
        self._state = State.UNASSIGNED

    def obey(self, order: Order) -> None:
        """Take an order in; what is no business of this worker is passed over."""
        if order.connector != self.connector:
            return
        if order.kind is Kind.STATE:
            self._ordered = State(order.value)
            if self._ordered is State.STOPPED:
                self._end_run()
        elif order.kind is Kind.RESTART and self._is_meant(order):
            self._restarts += 1
            self._become(State.RESTARTING)
            self._end_run()
        self._settle()

    def heard_all(self) -> None:
        """Take note that all orders are known that were given before now."""
        self._heard.set()

    def wait_for_orders(self, seconds: float) -> bool:
        """Wait until it is known what to do first; say whether it is."""
        end = time.monotonic() + seconds
        while not self._heard.wait(_LOOK_SECONDS) and not self._stop.is_set():
            if time.monotonic() > end:
                return False
        return True

    def cycle(self, work: Callable[[threading.Event], Result]) -> Result | None:
        """Run a stage whenever it is to run, until it ends by itself or the process is to end.

        Gives what the last run gave, None if there was none.
        """
        result: Result | None = None
        while not self._stop.is_set():
            if self._is_to_stand():
                self._become(State.STOPPED)
                self._stop.wait(_LOOK_SECONDS)
                continue
            restarts = self._restarts
            result = self._one_run(work)
            if restarts == self._restarts and not self._is_to_stand():
                break
        return result

    def status(self) -> Status:
        """Say how this worker is."""
        self.changed.clear()
        run = self._run
        idle = time.monotonic() - run.looked_at if run else 0.0
        return Status(
            self.connector,
            self.worker,
            self._state,
            self._since,
            self._started_at,
            self._now(),
            self.every_seconds,
            round(idle, 1),
            self._trace,
            self._version,
            run.helm.tasks() if run else (),
        )

    def _one_run(self, work: Callable[[threading.Event], Result]) -> Result:
        helm = Helm(lambda: self._ordered is State.PAUSED)
        self._run = run = Run(self._stop, helm)
        self._become(State.PAUSED if self._ordered is State.PAUSED else State.RUNNING)
        try:
            return work(run)
        except Fenced:
            raise  # no failure: a newer instance goes on, and says so itself
        except AosError as error:
            self._trace = str(error).splitlines()[0]
            self._become(State.FAILED)
            raise
        except BaseException as error:
            self._trace = repr(error)
            self._become(State.FAILED)
            raise
        finally:
            self._run = None

    def _settle(self) -> None:
        """Follow an order that needs no new run."""
        if self._run and self._state in {State.RUNNING, State.PAUSED}:
            self._become(State.PAUSED if self._ordered is State.PAUSED else State.RUNNING)

    def _is_to_stand(self) -> bool:
        return self._ordered is State.STOPPED

    def _end_run(self) -> None:
        run = self._run
        if run:
            run.set()

    def _is_meant(self, order: Order) -> bool:
        """Whether a restart is for this worker, and new; one from before it began is neither."""
        new = order.number not in self._known_restarts
        self._known_restarts.add(order.number)
        return new and self._heard.is_set() and order.value in {"", self.worker}

    def _become(self, state: State) -> None:
        if state is not self._state:
            self._state, self._since = state, self._now()
            self.changed.set()
