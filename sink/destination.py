"""Where the records of a topic go: the seam between reading, writing and finding what is poison.

A destination takes records apart without touching the database, and loads what it made of them in a
transaction of somebody else. What lies between may be rows or columns: all that others ask of it is
that it can be cut in two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from runtime.errors import DataQuality
from schemas.dead_letters import Stage
from sink.batch import Counts, Message
from sink.database import Connection


class Reject(NamedTuple):
    """A record that cannot be loaded, and why."""

    message: Message
    stage: Stage
    error: DataQuality


class Entries(Protocol):
    """What is to be loaded, each beside the record that it was made of."""

    def __len__(self) -> int:
        """Count them."""

    def message(self, index: int) -> Message:
        """Give the record that one of them was made of."""

    def pick(self, indexes: Sequence[int]) -> Self:
        """Keep these alone."""


AnyEntries = TypeVar("AnyEntries", bound=Entries)


class Destination(Protocol[AnyEntries]):
    """One table, or a few that belong together."""

    def prepare(self, messages: Sequence[Message]) -> tuple[AnyEntries, list[Reject]]:
        """Decode and validate.

        Raises:
            Transient: the schema registry does not answer.
        """

    def load(self, connection: Connection, entries: AnyEntries, *, alone: bool = False) -> Counts:
        """Load all or nothing; ``alone``: where it fails, the whole transaction is of no use.

        Raises:
            DataQuality: the database refuses some of it.
            psycopg.Error: whatever else is wrong.
        """


def guarded(connection: Connection, *, alone: bool) -> AbstractContextManager[object]:
    """Undo what fails by a savepoint, unless the transaction is given up anyway."""
    return nullcontext() if alone else connection.transaction()


Destinations = Mapping[str, Destination[Any]]
