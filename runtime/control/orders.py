"""What travels: orders to a connector, and what each of its workers says of itself.

A connector is what Kafka Connect would call one: the source, the stream, the sink. Records are JSON
and need no registry, so that a stage can say how it is while the registry is away. An order's key
is its connector and its kind: compaction keeps the last state that was ordered, and a stage that
starts finds it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self


class State(StrEnum):
    """How a connector, a worker or a task is; the first three can be ordered."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """It keeps what it is assigned, and fetches nothing."""
    STOPPED = "STOPPED"
    """It has let go of everything; the process waits."""
    RESTARTING = "RESTARTING"
    FAILED = "FAILED"
    UNASSIGNED = "UNASSIGNED"
    """Nobody says that it is doing it."""


class Kind(StrEnum):
    """What an order is about."""

    STATE = "state"
    RESTART = "restart"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Order:
    """What a connector is to do: ``value`` is a state, the id of a worker or a level of the log.

    A restart whose value is empty is for every worker; a level without a connector for all. What
    ``number`` an order has tells a repeated restart from the one before.

    >>> at = datetime.fromisoformat("2026-01-01T00:00Z")
    >>> Order(Kind.STATE, "timescale-sink", "PAUSED", at).key
    'timescale-sink/state'
    """

    kind: Kind
    connector: str
    value: str
    at: datetime
    by: str = ""
    number: str = ""
    name: str = ""
    """The logger whose level it is."""

    @property
    def key(self) -> str:
        """What the next order replaces that is about the same."""
        return "/".join(filter(None, (self.connector, self.kind, self.name)))

    def to_json(self) -> bytes:
        """Give the record's value."""
        return _encoded(self)

    @classmethod
    def of_json(cls, value: bytes) -> Self | None:
        """Read a record's value; None where it is an order that this release does not know."""
        found = _decoded(cls, value)
        try:
            found |= {"kind": Kind(found["kind"]), "at": datetime.fromisoformat(found["at"])}
            return cls(**found)
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Task:
    """A part of what a worker does: a table of the source; of the others all their partitions.

    ``progress`` rises with what is done, ``position`` says how far, ``trace`` why it cannot go on.
    """

    name: str
    progress: int = 0
    position: str = ""
    trace: str = ""
    behind_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What a worker says of itself: every so often, and whenever its state changes.

    Attributes:
        worker: which process it is.
        since: when it came into its state.
        started_at: when the process began.
        told_at: when it said this.
        every_seconds: when it will say the next word, at the latest.
        idle_seconds: for how long its loop has not come round.
        trace: the first line of why it failed.
        version: of the product.
        tasks: how each of its tasks is.
    """

    connector: str
    worker: str
    state: State
    since: datetime
    started_at: datetime
    told_at: datetime
    every_seconds: float
    idle_seconds: float = 0.0
    trace: str = ""
    version: str = ""
    tasks: tuple[Task, ...] = field(default_factory=tuple)

    @property
    def key(self) -> str:
        """Under which a worker says how it is."""
        return f"{self.connector}/{self.worker}"

    def to_json(self) -> bytes:
        """Give the record's value."""
        return _encoded(self)

    @classmethod
    def of_json(cls, value: bytes) -> Self | None:
        """Read a record's value; None where it is none of ours."""
        found = _decoded(cls, value)
        moments = ("since", "started_at", "told_at")
        try:
            found |= {name: datetime.fromisoformat(found[name]) for name in moments}
            tasks = tuple(Task(**_known(Task, one)) for one in found.get("tasks", ()))
            return cls(**{**found, "state": State(found["state"]), "tasks": tasks})
        except (KeyError, TypeError, ValueError):
            return None


def _encoded(record: Order | Status) -> bytes:
    return json.dumps(asdict(record), default=datetime.isoformat).encode()


def _decoded(kind: type[Order | Status], value: bytes) -> dict[str, Any]:
    """Read what we know of a record: a later release may say more, a stranger anything at all."""
    try:
        found = json.loads(value)
    except ValueError:
        return {}
    return _known(kind, found) if isinstance(found, dict) else {}


def _known(kind: type[Any], found: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in found.items() if name in names}
