"""Raw records that were read a moment ago, or long ago: a verdict of theirs has changed.

Nearly always it is the newest reading of a sensor whose verdict changes, when the next one comes.
So the records of the last batches are kept, up to so many bytes; others are read from their topic.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
from confluent_kafka import KafkaException, Message, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import is_end, reader
from schemas.columnar import Integers, packed
from stream_app.transport.batch import Batch, Records, joined

_LOG: Final = logging.getLogger("aos.stream.recent")
_PATIENCE_SECONDS: Final = 20.0
_NEAR: Final = 2000
"""Offsets that are rather read over than sought."""
_OVERHEAD: Final = 48
"""Bytes that a record costs beside its key and value: two places, two lengths, two numbers."""


@dataclass(frozen=True, slots=True)
class _Kept:
    records: Records
    size: int


class Recent:
    """The last raw records of one partition number, and a way to all others."""

    def __init__(self, most_bytes: int, archive: Archive) -> None:
        self._most_bytes = most_bytes
        self._archive = archive
        self._kept: deque[_Kept] = deque()
        self._size = 0

    def keep(self, batch: Batch) -> None:
        """Remember a batch that is committed; the oldest go when there is no more room.

        Of a batch that is larger than the room, the last of each topic are kept.
        """
        share = self._most_bytes // max(1, len(batch.records))
        for records in batch.records.values():
            kept = _last(records, share).compact()
            size = _size(kept)
            self._kept.append(_Kept(kept, size))
            self._size += size
        while self._size > self._most_bytes and self._kept:
            self._size -= self._kept.popleft().size

    def find(self, topic: str, partition: int, offsets: Integers) -> Records:
        """Give the records at these offsets, in their order; those that are gone are left out.

        Raises:
            Transient: the broker does not answer.
        """
        offsets = np.unique(offsets)
        parts, left = [], offsets
        for kept in self._kept:
            if kept.records.topic == topic and len(left):
                there = np.isin(kept.records.offsets, left)
                if there.any():
                    parts.append(kept.records.take(np.flatnonzero(there)))
                    left = np.setdiff1d(left, parts[-1].offsets, assume_unique=True)
        if len(left):
            parts.insert(0, self._archive.read(topic, partition, left))
        together = joined(topic, partition, parts)
        return together.take(np.argsort(together.offsets)) if len(parts) > 1 else together


def _size(records: Records) -> int:
    return int(records.keys.lengths.sum() + records.values.lengths.sum()) + _OVERHEAD * len(records)


def _last(records: Records, most: int) -> Records:
    """Give the last records that fit into so many bytes, by their mean size."""
    size = _size(records)
    if size <= most:
        return records
    return records.take(slice(len(records) - most * len(records) // size, None))


class Archive:
    """Reads single raw records from their topics; safe to use from several threads."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._consumer = reader(kafka, client_id="aos-stream-archive", queued_min_messages=_NEAR)
        self._lock = threading.Lock()

    def read(self, topic: str, partition: int, offsets: Integers) -> Records:
        """Give the committed records at these rising offsets; those that are gone are left out.

        Raises:
            Transient: the broker does not answer.
        """
        with self._lock:
            try:
                found = list(self._found(topic, partition, offsets.tolist()))
            except KafkaException as error:
                raise translated(error, f"reading {topic} [{partition}] again") from error
        if len(found) < len(offsets):
            # Retention has taken them: their verdict stays as it was.
            _LOG.warning(
                "%d raw records are gone that were to be judged again",
                len(offsets) - len(found),
                extra={"topic": topic, "partition": partition},
            )
        return Records(
            topic,
            partition,
            np.array([message.offset() for message in found], np.int64),
            np.array([message.timestamp()[1] for message in found], np.int64),
            packed([message.key() for message in found]),
            packed([message.value() for message in found]),
        )

    def close(self) -> None:
        """Let go of the broker."""
        with closing(self._consumer):
            self._consumer.unassign()

    def _found(self, topic: str, partition: int, offsets: Sequence[int]) -> Iterator[Message]:
        low, _ = self._consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=_PATIENCE_SECONDS
        )
        wanted = [offset for offset in offsets if offset >= low]
        at = -_NEAR
        for place, offset in enumerate(wanted):
            if at > offset:
                continue  # it was passed over: compacted, aborted, or a marker
            if offset - at >= _NEAR:
                self._consumer.assign([TopicPartition(topic, partition, offset)])
                at = offset
            message = self._passed_to(offset)
            if message is None:
                return
            at = int(message.offset() or 0) + 1
            if message.offset() in wanted[place:]:
                yield message

    def _passed_to(self, offset: int) -> Message | None:
        """Read on until an offset or beyond; None at the end of the topic."""
        while True:
            message = self._consumer.poll(_PATIENCE_SECONDS)
            if message is None:
                problem = "raw records cannot be read again"
                raise Transient(problem, mend="see whether the brokers are up")
            if is_end(message):
                return None
            if int(message.offset() or 0) >= offset:
                return message
