"""Where a reader is in each partition that is its own: claimed, or still to be claimed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sink.batch import Partition, Span
from sink.offsets import Claim


@dataclass(slots=True)
class Places:
    """Where we are in each partition that is ours."""

    claimed: dict[Partition, Claim] = field(default_factory=dict)
    unclaimed: set[Partition] = field(default_factory=set)
    ends: dict[Partition, int] = field(default_factory=dict)
    was_assigned: bool = False

    def assign(self, partitions: Collection[Partition]) -> None:
        """Take note of partitions that are to be claimed."""
        self.unclaimed.update(partitions)
        self.was_assigned = True

    def drop(self, partitions: Collection[Partition]) -> None:
        """Forget partitions that are no longer ours."""
        self.unclaimed.difference_update(partitions)
        for partition in partitions:
            self.claimed.pop(partition, None)
            self.ends.pop(partition, None)

    def read(self, partition: Partition, last: int) -> Span:
        """Go on behind the record at ``last``, and give the offsets passed over."""
        place = self.claimed[partition]
        self.claimed[partition] = Claim(last + 1, place.epoch)
        return Span(place.next_offset, last + 1, place.epoch)

    @property
    def drained(self) -> bool:
        """Whether all that is ours was read to its end."""
        return self.was_assigned and not self.unclaimed and all(map(self.at_end, self.claimed))

    def at_end(self, partition: Partition) -> bool:
        """Whether a partition was read to the last end that we were told of."""
        return self.ends.get(partition, -1) >= self.claimed[partition].next_offset
