"""A batch: what one fetch round brought for one partition number of all raw topics."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

import numpy as np

from schemas.columnar import Integers, Strings, concatenated, packed
from schemas.columnar_encoding import side_by_side

_LOOSE: Final = 2
_LITTLE: Final = 4096
_NOTHING: Final = np.empty(0, np.int64)


class Fetched(Protocol):
    """A record as the consumer gives it."""

    @property
    def offset(self) -> int:
        """Offset."""

    @property
    def timestamp(self) -> int:
        """When it was published, in UTC milliseconds."""

    @property
    def key(self) -> bytes | None:
        """Station id."""

    @property
    def value(self) -> bytes | None:
        """Framed Avro."""


class Raw(NamedTuple):
    """One raw record, for those few that are looked at one by one."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one topic partition, in the order of their offsets, as columns."""

    topic: str
    partition: int
    offsets: Integers
    published: Integers
    """When each was published, in UTC milliseconds."""
    keys: Strings
    values: Strings

    @classmethod
    def of(cls, topic: str, partition: int, fetched: Sequence[Fetched]) -> Records:
        """Make columns of what was fetched."""
        return cls(
            topic,
            partition,
            np.fromiter((record.offset for record in fetched), np.int64, len(fetched)),
            np.fromiter((record.timestamp for record in fetched), np.int64, len(fetched)),
            packed([record.key for record in fetched]),
            packed([record.value for record in fetched]),
        )

    def __len__(self) -> int:
        return len(self.offsets)

    def since(self, offset: int) -> Records:
        """Leave out what lies before an offset."""
        first = int(np.searchsorted(self.offsets, offset))
        return self.take(slice(first, None)) if first else self

    def take(self, rows: Integers | slice) -> Records:
        """Pick records, in the order given."""
        return replace(
            self,
            offsets=self.offsets[rows],
            published=self.published[rows],
            keys=self.keys.take(rows),
            values=self.values.take(rows),
        )

    def compact(self) -> Records:
        """Let go of bytes that belong to other records, if there are many of them."""
        used = int(self.keys.lengths.sum() + self.values.lengths.sum())
        if self.values.data.nbytes <= _LOOSE * used + _LITTLE:
            return self
        keys, values = side_by_side([self.keys]), side_by_side([self.values])
        present = self.keys.present, self.values.present
        return replace(
            self,
            keys=replace(keys, present=present[0]),
            values=replace(values, present=present[1]),
        )

    def raw(self, row: int) -> Raw:
        """Give one record."""
        key, value = self.keys.one(row), self.values.one(row)
        return Raw(self.topic, self.partition, int(self.offsets[row]), key, value)


def joined(topic: str, partition: int, parts: Sequence[Records]) -> Records:
    """Put records of one topic partition one behind the other."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.concatenate([_NOTHING, *(part.offsets for part in parts)])
    published = np.concatenate([_NOTHING, *(part.published for part in parts)])
    # At once, since keys and values lie in the same bytes.
    texts = concatenated([*(part.keys for part in parts), *(part.values for part in parts)])
    count = len(offsets)
    keys, values = texts.take(slice(count)), texts.take(slice(count, None))
    return Records(topic, partition, offsets, published, keys, values)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition number, by topic.

    ``epoch`` tells under which ownership they were fetched, see :mod:`stream_app.worker`;
    ``fetched_at`` is a moment of the monotonic clock at which they had been fetched.
    """

    partition: int
    records: Mapping[str, Records]
    epoch: int = 0
    fetched_at: float = field(default_factory=time.monotonic)

    def __len__(self) -> int:
        return sum(len(records) for records in self.records.values())

    def after(self, positions: Mapping[str, int]) -> Batch:
        """Leave out what lies before the positions: a fetch may repeat what is committed."""
        kept = {
            topic: records.since(positions.get(topic, 0)) for topic, records in self.records.items()
        }
        kept = {topic: records for topic, records in kept.items() if len(records)}
        return replace(self, records=kept)

    def next_positions(self) -> dict[str, int]:
        """Give the offset behind the last record of each topic."""
        return {topic: int(records.offsets[-1]) + 1 for topic, records in self.records.items()}


def by_partition(fetched: Iterable[Records], epoch: int = 0) -> Iterator[Batch]:
    """Join what was fetched of each topic partition into one batch for each partition number."""
    joined: dict[int, dict[str, Records]] = {}
    for records in fetched:
        if len(records):
            joined.setdefault(records.partition, {})[records.topic] = records
    for partition, records_of in joined.items():
        yield Batch(partition, records_of, epoch)
