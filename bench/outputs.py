"""Holding a contestant's output against its input: nobody wins by not working.

Every reading carries its number in ``source_version``; so each must come out once, with its value,
and from the peers with the flag of the step check.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition
from numpy.typing import NDArray

from bench.stream_data import VERSION, Readings
from runtime.kafka import KafkaSettings
from runtime.kafka_read import is_end, reader
from schemas.columnar import numbers
from schemas.columnar_decoding import ColumnarDecoder
from schemas.registry import Registry, subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema

PEER_SCHEMA: Final = json.loads((Path(__file__).parent / "peers/peer_reading.avsc").read_text())
_FAIL: Final = 4


class WrongOutput(Exception):
    """A contestant did not do its work."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a contestant wrote, by reading in the order in which it was read from the topics."""

    numbers: NDArray[np.int64]
    values: NDArray[np.float64]
    flags: NDArray[np.int64] | None
    revisions: NDArray[np.int64] | None
    size: int
    """Bytes of all records, keys included."""

    def check(self, who: str, readings: Readings) -> None:
        """Hold it against the readings.

        Raises:
            WrongOutput: a reading is missing, comes twice, or has another value or flag.
        """
        distinct = len(np.unique(self.numbers))
        expected = distinct == readings.count == self.numbers.max() + 1
        if not expected or self._repeated():
            written = f"{len(self.numbers)} records of {distinct} readings"
            problem = f"{who} wrote {written}, not {readings.count}"
            raise WrongOutput(problem)
        if not np.allclose(self.values, readings.values()[self.numbers]):
            problem = f"{who} changed values"
            raise WrongOutput(problem)
        if self.flags is not None:
            self._check_flags(who, readings.steps(), self.flags == _FAIL)

    def _check_flags(self, who: str, steps: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> None:
        if not np.array_equal(flagged, steps[self.numbers]):
            problem = f"{who} flagged {flagged.sum()} readings, not {steps.sum()}"
            raise WrongOutput(problem)

    def _repeated(self) -> bool:
        if self.revisions is None:
            return len(self.numbers) != len(np.unique(self.numbers))
        # Ours sends a reading again under a higher revision when its verdict changes.
        pairs = np.stack([self.numbers, self.revisions])
        return bool(np.unique(pairs, axis=1).shape != pairs.shape)


def peer_output(kafka: KafkaSettings, topics: Sequence[str], partitions: int) -> Output:
    """Read what a peer wrote."""
    decode = ColumnarDecoder(PEER_SCHEMA)
    found = [
        _columns(read_all(kafka, [t], partitions), decode, "value", "flag_step") for t in topics
    ]
    return _joined(found)


def our_output(kafka: KafkaSettings, registry: Registry, topics: Topics) -> Output:
    """Read what our stream wrote to the clean topics."""
    found = []
    for parameter in PARAMETERS:
        subject = subject_of(topics.clean(parameter))
        written_with = registry.id_of(subject, clean_schema(parameter))
        decode = ColumnarDecoder(registry.schema_of(written_with))
        measure = "raw_speed" if parameter == "wind" else "raw_value"
        messages = read_all(kafka, [topics.clean(parameter)], topics.partitions)
        found.append(_columns(messages, decode, measure, None))
    return _joined(found)


def bytes_of(kafka: KafkaSettings, topic: str, partitions: int) -> int:
    """Add up the bytes of keys and values of a topic."""
    return sum(_size(message) for message in read_all(kafka, [topic], partitions))


def read_all(kafka: KafkaSettings, topics: Sequence[str], partitions: int) -> Iterator[Message]:
    """Read topics to their end, as a reader of committed records sees them."""
    places = [TopicPartition(t, p, OFFSET_BEGINNING) for t in topics for p in range(partitions)]
    with closing(reader(kafka)) as consumer:
        consumer.assign(places)
        ends = 0
        while ends < len(places):
            for message in consumer.consume(10_000, 0.2):
                if is_end(message):
                    ends += 1
                else:
                    yield message


def _size(message: Message) -> int:
    return len(message.key() or b"") + len(message.value() or b"")


def _columns(
    messages: Iterator[Message], decode: ColumnarDecoder, measure: str, flag: str | None
) -> Output:
    kept = list(messages)
    values: list[Any] = [message.value() for message in kept]
    columns, good = decode(values)
    if not good.all():
        problem = f"{(~good).sum()} records cannot be decoded"
        raise WrongOutput(problem)
    return Output(
        numbers(columns, "source_version") - VERSION,
        numbers(columns, measure),
        numbers(columns, flag) if flag else None,
        None if flag else numbers(columns, "revision"),
        sum(map(_size, kept)),
    )


def _joined(found: list[Output]) -> Output:
    flags = [each.flags for each in found if each.flags is not None]
    revisions = [each.revisions for each in found if each.revisions is not None]
    return Output(
        np.concatenate([each.numbers for each in found]),
        np.concatenate([each.values for each in found]),
        np.concatenate(flags) if flags else None,
        np.concatenate(revisions) if revisions else None,
        sum(each.size for each in found),
    )
