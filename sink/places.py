"""Where a reader is in each partition that is its own: claimed, or still to be claimed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import lt, methodcaller
from typing import Final

from sink.batch import Message, Partition, Span
from sink.offsets import Claim

_TOPIC: Final = methodcaller("topic")
_NUMBER: Final = methodcaller("partition")
_OFFSET: Final = methodcaller("offset")


@dataclass(frozen=True, slots=True)
class Piece:
    """Records of one partition that follow one another, and the offsets they cover."""

    partition: Partition
    messages: Sequence[Message]
    span: Span


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

    def claim(self, partition: Partition, claim: Claim) -> None:
        """Read a partition from where it is to be read."""
        self.unclaimed.discard(partition)
        self.claimed[partition] = claim

    def end(self, partition: Partition, offset: int) -> None:
        """Take note of the end of a partition.

        One that is not claimed yet has ends behind records that were left out and come again: to
        heed them would be to take it for read.
        """
        if partition in self.claimed:
            self.ends[partition] = offset

    def drop(self, partitions: Collection[Partition]) -> None:
        """Forget partitions that are no longer ours."""
        self.unclaimed.difference_update(partitions)
        for partition in partitions:
            self.claimed.pop(partition, None)
            self.ends.pop(partition, None)

    def pieces(self, messages: Sequence[Message]) -> Iterator[Piece]:
        """Part records by partition; what is not claimed, or was given before, is left out."""
        # Each message is asked as little as can be: this is done a hundred thousand times a second.
        end = 0
        places = zip(map(_TOPIC, messages), map(_NUMBER, messages), strict=True)
        for place, run in groupby(places):
            first, end = end, end + sum(1 for _ in run)
            partition = Partition(*place)
            if partition in self.claimed:
                found = self._not_given(partition, messages[first:end])
                if found:
                    yield Piece(partition, found, self.read(partition, found[-1].offset() or 0))

    def _not_given(self, partition: Partition, messages: Sequence[Message]) -> Sequence[Message]:
        """Leave out what a client may send again around a pause, a seek or a rebalance."""
        following = self.claimed[partition].next_offset
        offsets = list(map(_OFFSET, messages))
        if offsets[0] >= following and all(map(lt, offsets, offsets[1:])):
            return messages
        found = []
        for message, offset in zip(messages, offsets, strict=True):
            if offset >= following:
                found.append(message)
                following = offset + 1
        return found

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
