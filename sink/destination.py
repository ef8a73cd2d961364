"""Where the records of a topic go: the seam between reading, writing and finding what is poison.

A destination takes records apart without touching the database, and loads what it made of them in a
transaction of somebody else. What lies between is a sequence that can be cut in two; it holds rows
today and may hold columns tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.dead_letters import Stage
from sink.batch import Counts, Message
from sink.database import Connection

Values = TypeVar("Values")
Decode = Callable[[bytes | None], Record]


class Reject(NamedTuple):
    """A record that cannot be loaded, and why."""

    message: Message
    stage: Stage
    error: DataQuality


class Entry(NamedTuple, Generic[Values]):
    """What is to be loaded, beside the record that it was made of."""

    message: Message
    values: Values


class Destination(Protocol[Values]):
    """One table, or a few that belong together."""

    def prepare(self, messages: Sequence[Message]) -> tuple[Sequence[Entry[Values]], list[Reject]]:
        """Decode and validate.

        Raises:
            Transient: the schema registry does not answer.
        """

    def load(self, connection: Connection, entries: Sequence[Entry[Values]]) -> Counts:
        """Load all or nothing.

        Raises:
            DataQuality: the database refuses some of it.
            psycopg.Error: whatever else is wrong.
        """


def decoded(
    messages: Sequence[Message], decode: Decode
) -> tuple[list[Message], list[Record], list[Reject]]:
    """Decode what can be decoded: those messages, their records, and the other messages."""
    good: list[Message] = []
    records: list[Record] = []
    rejects: list[Reject] = []
    for message in messages:
        try:
            records.append(decode(message.value()))
        except DataQuality as error:
            rejects.append(Reject(message, Stage.DECODING, error))
        else:
            good.append(message)
    return good, records, rejects
