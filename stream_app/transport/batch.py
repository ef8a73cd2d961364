"""A batch: what one fetch round brought for one partition number of all raw topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol


class Raw(Protocol):
    """A record as the consumer gives it."""

    @property
    def topic(self) -> str:
        """Topic."""

    @property
    def partition(self) -> int:
        """Partition."""

    @property
    def offset(self) -> int:
        """Offset."""

    @property
    def key(self) -> bytes | None:
        """Station id."""

    @property
    def value(self) -> bytes | None:
        """Framed Avro."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition number, by topic, in the order of their offsets.

    ``epoch`` tells under which ownership they were fetched, see :mod:`stream_app.worker`.
    """

    partition: int
    records: Mapping[str, Sequence[Raw]]
    epoch: int = 0

    def __iter__(self) -> Iterator[Raw]:
        for records in self.records.values():
            yield from records

    def __len__(self) -> int:
        return sum(len(records) for records in self.records.values())

    def after(self, positions: Mapping[str, int]) -> Batch:
        """Leave out what lies before the positions: a fetch may repeat what is committed."""
        kept = {
            topic: [record for record in records if record.offset >= positions.get(topic, 0)]
            for topic, records in self.records.items()
        }
        kept = {topic: records for topic, records in kept.items() if records}
        return replace(self, records=kept)

    def next_positions(self) -> dict[str, int]:
        """Give the offset behind the last record of each topic."""
        return {topic: records[-1].offset + 1 for topic, records in self.records.items() if records}


def by_partition(
    fetched: Mapping[tuple[str, int], Sequence[Raw]], epoch: int = 0
) -> Iterator[Batch]:
    """Join what was fetched of each (topic, partition) into one batch for each partition number."""
    joined: dict[int, dict[str, Sequence[Raw]]] = {}
    for (topic, partition), records in fetched.items():
        if records:
            joined.setdefault(partition, {})[topic] = records
    for partition, records_of in joined.items():
        yield Batch(partition, records_of, epoch)
