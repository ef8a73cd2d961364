"""Reading many partitions at once to their ends, by one who only looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

from operate.kafka_offsets import Offsets
from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from runtime.kafka_read import is_end, reader

_CHUNK: Final = 5_000
_PATIENT_TURNS: Final = 300


class Reader:
    """Reads what is committed, from the beginning.

    Attributes:
        after: behind the last record that was read, by topic and partition.
        reached: the furthest end that was met, markers of transactions included.
    """

    def __init__(self, kafka: KafkaSettings, topics: Sequence[str], partitions: int) -> None:
        self.places = [TopicPartition(t, n) for t in topics for n in range(partitions)]
        self.after: Offsets = {}
        self.reached: Offsets = {}
        self._consumer = reader(kafka)
        self._consumer.assign([TopicPartition(p.topic, p.partition, OFFSET_BEGINNING)
                               for p in self.places])  # fmt: skip

    def read(self, seconds: float) -> list[Message]:
        """Give what comes, when it is many or when the time is over.

        Raises:
            AosError: the brokers say that something is wrong.
        """
        return [m for m in self._consumer.consume(_CHUNK, timeout=seconds) if self._note(m)]

    def read_to(self, ends: Offsets) -> Iterator[list[Message]]:
        """Give everything up to these ends, in batches.

        Raises:
            Transient: nothing comes any more.
        """
        idle = 0
        while not self.is_at(ends):
            messages = self.read(0.1)
            idle = 0 if messages else idle + 1
            if idle > _PATIENT_TURNS:
                problem = "the topics cannot be read to their ends"
                raise Transient(problem, mend="see whether the brokers are up")
            yield messages

    def is_at(self, ends: Offsets) -> bool:
        """Say whether everything before these ends was read."""
        return all(self.reached.get(place, 0) >= end for place, end in ends.items())

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()

    def _note(self, message: Message) -> bool:
        place = (message.topic() or "", message.partition() or 0)
        offset = message.offset() or 0
        if is_end(message):
            self.reached[place] = max(self.reached.get(place, 0), offset)
            return False
        self.after[place] = offset + 1
        return True
