"""What is loaded in one transaction: records by topic, and how far they reach in each partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        """Give it as Kafka's own tools do.

        >>> print(Partition("weather.clean.wind.v1", 3))
        weather.clean.wind.v1-3
        """
        return f"{self.topic}-{self.number}"


class Message(Protocol):
    """What the sink asks of a Kafka message."""

    def topic(self) -> str | None:
        """Its topic."""

    def partition(self) -> int | None:
        """Its partition."""

    def offset(self) -> int | None:
        """Its offset."""

    def key(self) -> bytes | None:
        """Its key, as it came."""

    def value(self) -> bytes | None:
        """Its value, as it came."""

    def __len__(self) -> int:
        """Count the bytes of its value."""


@dataclass(slots=True)
class Span:
    """Offsets from ``first`` until before ``next``, read by the owner of ``epoch``."""

    first: int
    next: int
    epoch: int


@dataclass(slots=True)
class Batch:
    """Records in the order of each partition, none left out between a span's ends."""

    opened_at: float
    spans: dict[Partition, Span] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    rows: int = 0
    size: int = 0

    def add(self, partition: Partition, messages: Sequence[Message], span: Span) -> None:
        """Take records of one partition, which go on where its last ones ended."""
        known = self.spans.setdefault(partition, span)
        known.next = span.next
        self.messages.setdefault(partition.topic, []).extend(messages)
        self.rows += len(messages)
        self.size += sum(map(len, messages))

    def without(self, revoked: set[Partition]) -> Batch:
        """Leave out what belongs to partitions that are no longer ours."""
        rest = Batch(self.opened_at)
        for partition, span in self.spans.items():
            if partition not in revoked:
                of_topic = self.messages[partition.topic]
                kept = [m for m in of_topic if m.partition() == partition.number]
                rest.add(partition, kept, span)
        return rest


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of records. Every one is inserted, updated, skipped or dead-lettered.

    ``deleted`` are those among inserted and updated that say that a reading was deleted.
    """

    records: int = 0
    inserted: int = 0
    updated: int = 0
    skipped: int = 0
    deleted: int = 0
    dead_lettered: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Sum both, count by count."""
        return Counts(
            self.records + other.records,
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.skipped + other.skipped,
            self.deleted + other.deleted,
            self.dead_lettered + other.dead_lettered,
        )
