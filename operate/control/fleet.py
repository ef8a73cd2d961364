"""How each connector is, from what its workers say and for how long they have said nothing. Pure.

A worker that is silent for longer than it promised does nothing that we know of: its tasks are
UNASSIGNED. It is forgotten when one that began later stands in its place, or after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from operate.control.words import Heard, Snapshot
from runtime.control.orders import Kind, State, Status, Task

_MISSED: Final = 3
"""Words that may fail to come before a worker counts as silent."""
_GRACE_SECONDS: Final = 2.0
_FORGOTTEN: Final = timedelta(days=1)
IDLE_SECONDS: Final = 120.0
"""Longer than anything that a round of a stage may wait for."""
_FIRST: Final = (State.FAILED, State.RUNNING, State.RESTARTING, State.PAUSED, State.STOPPED)
"""What a connector is, of all that its workers are."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as we see it: silent, or as it says."""

    status: Status
    state: State
    heard_at: datetime

    @property
    def is_live(self) -> bool:
        """Whether it says how it is, and has not ended."""
        return self.state not in {State.UNASSIGNED, State.FAILED}

    @property
    def is_stuck(self) -> bool:
        """Whether its loop has not come round for longer than anything should take."""
        return self.is_live and self.status.idle_seconds > IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task as Connect numbers it."""

    id: int
    state: State
    worker: str
    task: Task
    version: str


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """A connector with all that is known of its workers.

    ``ordered`` is what it was last told to be.
    """

    name: str
    state: State
    ordered: State
    workers: Sequence[Worker]
    tasks: Sequence[TaskState]

    @property
    def live(self) -> list[Worker]:
        """The workers that say how they are."""
        return [worker for worker in self.workers if worker.is_live]

    @property
    def trace(self) -> str:
        """Why it is not running, if somebody said so."""
        return next((w.status.trace for w in self.workers if w.status.trace), "")


def state_of(name: str, known: Snapshot, now: datetime) -> ConnectorState:
    """Say how a connector is."""
    words = [heard for heard in known.heard.values() if heard.status.connector == name]
    workers = sorted(_remembered(words, now), key=lambda one: one.status.worker)
    order = known.orders.get(f"{name}/{Kind.STATE}")
    ordered = State(order.value) if order and order.value in list(State) else State.RUNNING
    tasks = [TaskState(number, *rest) for number, rest in enumerate(_tasks(workers))]
    return ConnectorState(name, _state(workers, ordered), ordered, workers, tasks)


def is_silent(heard: Heard, now: datetime) -> bool:
    """Say whether a worker should have said something by now."""
    patience = _MISSED * heard.status.every_seconds + _GRACE_SECONDS
    return now - heard.at > timedelta(seconds=patience)


def _remembered(words: Iterable[Heard], now: datetime) -> list[Worker]:
    workers = [_worker(heard, now) for heard in words if now - heard.at < _FORGOTTEN]
    gone = sorted((w for w in workers if not w.is_live), key=lambda w: w.heard_at)
    left = [w for w in workers if w.is_live]
    free = sorted(left, key=lambda w: w.status.started_at)
    for one in gone:
        successor = next((w for w in free if w.status.started_at > one.status.told_at), None)
        if successor is None:
            left.append(one)
        else:
            free.remove(successor)
    return left


def _worker(heard: Heard, now: datetime) -> Worker:
    state = heard.status.state
    if state is not State.FAILED and is_silent(heard, now):
        state = State.UNASSIGNED
    return Worker(heard.status, state, heard.at)


def _state(workers: Sequence[Worker], ordered: State) -> State:
    states = {worker.state for worker in workers}
    live = states - {State.FAILED, State.UNASSIGNED}
    if ordered is State.STOPPED and not live - {State.STOPPED}:
        return State.STOPPED
    found = (state for state in _FIRST if state in (live or states))
    return next(found, State.UNASSIGNED)


def _tasks(workers: Iterable[Worker]) -> Iterable[tuple[Any, ...]]:
    for worker in workers:
        if worker.state is State.STOPPED:
            continue
        status = worker.status
        for task in status.tasks or (Task("start"),):
            failed = worker.state is State.RUNNING and task.trace
            told = replace(task, trace=task.trace or status.trace)
            state = State.FAILED if failed else worker.state
            yield state, status.worker, told, status.version
