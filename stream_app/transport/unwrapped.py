"""Fetched records as columns, where aiokafka would make two objects of each.

aiokafka's parser is compiled, but gives an object for each record, which is then wrapped in
another: 1.5 to 2 µs for a record of which we want places in a buffer. So the fetcher keeps the
bytes that came (:class:`Kept`), and the iterator over a fetch result's records is one over columns,
many records at a time. What aiokafka does around it stays its own: fetching, positions, errors.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from stream_app.transport.batch import Records
from stream_app.transport.record_batches import Gathering, record_batches

TOGETHER: Final = 2000
"""Records of which columns are worth making; smaller record batches are joined up to so many."""


class Kept(MemoryRecords):  # type: ignore[misc, valid-type]  # compiled, so a variable to mypy
    """What was fetched of a topic partition, with its bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class Unwrapped(OrderedDict[TopicPartition, Any]):
    """What a fetcher has fetched and nobody has taken yet."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        """Keep a result, or the error that stands for one."""
        if isinstance(result, FetchResult):
            parts: Any = result._partition_records  # noqa: SLF001
            parts._records_iterator = in_columns(parts, self._most)  # noqa: SLF001
        super().__setitem__(tp, result)


def unwrap_records(fetcher: Any, most: int) -> None:
    """Let a fetcher give columns of at most so many records from now on."""
    # To others in this process it is what it was.
    setattr(aiokafka_fetcher, "MemoryRecords", Kept)  # noqa: B010 - it is not exported
    if not isinstance(fetcher._records, Unwrapped):  # noqa: SLF001
        fetcher._records = Unwrapped(most)  # noqa: SLF001 - what it held is fetched again


def in_columns(parts: Any, most: int) -> Iterator[Records]:
    """Give the records of a fetch result, ``most`` at a time; what is no record is passed over.

    No records are those of aborted transactions, and markers. As in aiokafka's
    ``PartitionRecords``, ``next_fetch_offset`` is always right behind what was given. A record
    batch begins before it when the fetch began in the middle of one.

    Raises:
        CorruptRecordException: a checksum is wrong.
    """
    gathering = Gathering(*parts._tp)  # noqa: SLF001
    at = parts.next_fetch_offset
    for data in record_batches(parts._records.data):  # noqa: SLF001
        batch = DefaultRecordBatch(data)
        if not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {parts._tp}")  # noqa: EM102, SLF001
        if _is_seen(parts, batch):
            gathering.add(data)
        at = batch.next_offset
        if gathering.count >= TOGETHER:
            yield from _given(parts, gathering, most)
            parts.next_fetch_offset = at
    if gathering.count:
        yield from _given(parts, gathering, most)
    parts.next_fetch_offset = at


def _given(parts: Any, gathering: Gathering, most: int) -> Iterator[Records]:
    records = gathering.records().since(parts.next_fetch_offset)
    for first in range(0, len(records), most):
        part = records.take(slice(first, first + most))
        parts.next_fetch_offset = int(part.offsets[-1]) + 1
        yield part


def _is_seen(parts: Any, batch: Any) -> bool:
    """Say whether a reader of committed records sees these; heed what the markers say."""
    parts._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001
    aborted = parts._aborted_producers  # noqa: SLF001
    if batch.is_control_batch:
        if parts._contains_abort_marker(batch):  # noqa: SLF001
            aborted.discard(batch.producer_id)
        return False
    return not (batch.is_transactional and batch.producer_id in aborted)
