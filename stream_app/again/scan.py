"""Reading raw topics once more, in the order in which their records were published.

Topics are read side by side: rain and humidity of an hour have to meet as they met the first time.
Only records of certain keys are handed on; all that are read count against the limit.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import is_end, reader
from stream_app.again.index import Range
from stream_app.transport.batch import Batch, Records

_PATIENCE_SECONDS: Final = 20.0


class Reading(Protocol):
    """A place in a raw topic from which committed records come, in the order of their offsets."""

    def read(self, start: int, end: int, most: int) -> tuple[Sequence[Message], int]:
        """Give records from ``start`` on and below ``end``, and where to go on.

        Raises:
            Transient: the broker does not answer.
        """

    def close(self) -> None:
        """Let go of the broker."""


class TopicReading:
    """Reads one topic partition."""

    def __init__(self, kafka: KafkaSettings, topic: str, partition: int) -> None:
        self._place = (topic, partition)
        self._consumer: Consumer = reader(kafka, client_id="aos-stream-again")
        self._at = -1

    def read(self, start: int, end: int, most: int) -> tuple[Sequence[Message], int]:
        """Give records, as :class:`Reading` says."""
        try:
            return self._read(start, end, most)
        except KafkaException as error:
            raise translated(error, f"reading {self._place[0]} again") from error

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _read(self, start: int, end: int, most: int) -> tuple[Sequence[Message], int]:
        at = start if start == self._at else self._sought(start)
        found: list[Message] = []
        while len(found) < most and at < end:
            message = self._consumer.poll(_PATIENCE_SECONDS)
            if message is None:
                problem = f"{self._place[0]} [{self._place[1]}] cannot be read again"
                raise Transient(problem, mend="see whether the brokers are up")
            if is_end(message) or (offset := int(message.offset() or 0)) >= end:
                self._at = -1  # that record has been taken from the queue; it comes again
                return found, end
            found.append(message)
            self._at = at = offset + 1
        return found, at

    def _sought(self, start: int) -> int:
        """Go to an offset, or to where the log begins by now."""
        topic, partition = self._place
        place = TopicPartition(topic, partition)
        low, _ = self._consumer.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS)
        at = max(start, int(low))
        self._consumer.assign([TopicPartition(topic, partition, at)])
        return at


Ranges = Mapping[str, Sequence[Range]]
"""Ranges of offsets by raw topic."""


@dataclass(slots=True)
class _Strand:
    """One topic on its way: ranges that are left, records that were read and wait."""

    reading: Reading
    ranges: deque[Range]
    at: int
    known: int
    """What lies before this offset is reached by ``ranges``; what lies behind is read in full."""
    waiting: deque[Message] = field(default_factory=deque)
    reached: float = -math.inf
    """When the last record that was read was published."""

    @property
    def next(self) -> int:
        """The offset from which on nothing has been handed on."""
        return int(self.waiting[0].offset() or 0) if self.waiting else self.at

    def read(self, end: int, keys: Container[bytes | None], most: int) -> int:
        """Read on, to ``end`` at most; give how many records were read."""
        while self.ranges and self.ranges[0].end <= self.at:
            self.ranges.popleft()
        stop = min(self.ranges[0].end if self.ranges else end, end)
        start = max(self.at, self.ranges[0].first if self.ranges else self.known)
        if start >= end:
            self.at = max(self.at, end)
            return 0
        found, self.at = self.reading.read(start, stop, most)
        self.waiting.extend(one for one in found if one.key() in keys)
        if found:
            self.reached = max(self.reached, found[-1].timestamp()[1])
        return len(found)

    def ripe(self, horizon: float) -> Iterator[Message]:
        """Hand on what was published by then."""
        while self.waiting and self.waiting[0].timestamp()[1] <= horizon:
            yield self.waiting.popleft()

    def left(self, end: int) -> int:
        """Count the offsets that are still to be read."""
        tail = max(0, end - max(self.at, self.known))
        return tail + sum(max(0, r.end - max(r.first, self.at)) for r in self.ranges)


class Scan:
    """Reads ranges of raw topics of one partition number, and then all that came behind them."""

    def __init__(
        self,
        partition: int,
        keys: Container[bytes | None],
        readings: Mapping[str, Reading],
        ranges: Mapping[str, Sequence[Range]],
        known: Mapping[str, int],
    ) -> None:
        self._partition = partition
        self._keys = keys
        self._strands = {
            topic: _Strand(reading, deque(ranges[topic]), 0, known[topic])
            for topic, reading in readings.items()
        }

    @classmethod
    def over(
        cls,
        kafka: KafkaSettings,
        partition: int,
        keys: Container[bytes | None],
        ranges: Mapping[str, Sequence[Range]],
        known: Mapping[str, int],
    ) -> Self:
        """Scan topics; what lies from ``known`` on is read whatever ``ranges`` say."""
        readings = {topic: TopicReading(kafka, topic, partition) for topic in ranges}
        return cls(partition, keys, readings, ranges, known)

    def take(self, most: int, ends: Mapping[str, int]) -> Batch:
        """Read at most so many records, none from ``ends`` on, and give those that are ripe.

        Raises:
            Transient: the broker does not answer; the scan is of no use any more.
        """
        budget = most
        while budget > 0 and (late := self._latest(ends)):
            topic, strand = late
            budget -= max(1, strand.read(ends[topic], self._keys, min(budget, most)))
        horizon = min(
            (s.reached for topic, s in self._strands.items() if s.at < ends[topic]),
            default=math.inf,
        )
        ripe = {topic: [*strand.ripe(horizon)] for topic, strand in self._strands.items()}
        records = {t: _records(t, self._partition, some) for t, some in ripe.items() if some}
        return Batch(self._partition, records)

    def next(self) -> dict[str, int]:
        """Give by topic up to where everything has been handed on."""
        return {topic: strand.next for topic, strand in self._strands.items()}

    def left(self, ends: Mapping[str, int]) -> int:
        """Count the offsets that are still to be read."""
        return sum(strand.left(ends[topic]) for topic, strand in self._strands.items())

    def done(self, ends: Mapping[str, int]) -> bool:
        """Say whether everything before ``ends`` has been handed on."""
        return all(strand.next >= ends[topic] for topic, strand in self._strands.items())

    def close(self) -> None:
        """Let go of the broker."""
        with ExitStack() as open_:
            for strand in self._strands.values():
                open_.enter_context(closing(strand.reading))

    def _latest(self, ends: Mapping[str, int]) -> tuple[str, _Strand] | None:
        """Find the topic that has fallen behind most, of those that have not ended."""
        unread = [(t, s) for t, s in self._strands.items() if s.at < ends[t]]
        return min(unread, key=lambda one: one[1].reached, default=None)


def _records(topic: str, partition: int, messages: Sequence[Message]) -> Records:
    return Records.of(topic, partition, [_Fetched(message) for message in messages])


class _Fetched:
    """A message as :class:`~stream_app.transport.batch.Records` takes it."""

    __slots__ = ("key", "offset", "timestamp", "value")

    def __init__(self, message: Message) -> None:
        self.offset = int(message.offset() or 0)
        self.timestamp = int(message.timestamp()[1])
        self.key = message.key()
        self.value = message.value()
