"""The parts a stack is made of, and which of their data belong together.

The broker and the registry are kept or wiped together, for the bytes of one name the ids of the
other. The database holds offsets of the broker's topics, so it never outlives them. A database
that is empty, or of the other kind, goes with any broker: the sink then loads from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from devstack.databases import DatabaseServer
from devstack.kafka import Kafka
from devstack.postgres import Postgres
from devstack.registry import Registry
from devstack.server import Place, Server
from devstack.state import Database, State
from devstack.timescale import Timescale

DATABASES: Final[dict[Database, type[DatabaseServer]]] = {
    "timescale": Timescale,
    "postgres": Postgres,
}


@dataclass(frozen=True, slots=True)
class PartStatus:
    """How one server of the stack is.

    ``ready`` answers, ``starting`` has a process that does not answer, ``stopped`` has none.
    """

    name: str
    state: Literal["ready", "starting", "stopped"]
    pid: int | None
    address: str
    log: Path


def parts(place: Place, database: Database) -> list[Server]:
    """Give the servers of a stack with that kind of database."""
    return [Kafka(place), Registry(place), DATABASES[database](place)]


def data_belong_together(place: Place) -> bool:
    """Tell whether no part has lost the data that another's refer to."""
    broker, registry = Kafka(place).has_data(), Registry(place).has_data()
    database = any(kind(place).has_data() for kind in DATABASES.values())
    return broker == registry and (broker or not database)


def status_of(part: Server, state: State) -> PartStatus:
    """Look at a server now."""
    if not state.alive(part.name):
        return PartStatus(part.name, "stopped", None, part.address, part.log)
    how: Literal["ready", "starting"] = "ready" if part.answers() else "starting"
    return PartStatus(part.name, how, state.processes[part.name].pid, part.address, part.log)
