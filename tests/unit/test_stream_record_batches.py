"""Record batches as columns: what aiokafka's own parser gives record by record, and no more."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from stream_app.transport.batch import Records, joined
from stream_app.transport.record_batches import HEADER, record_batches
from stream_app.transport.unwrapped import Kept, in_columns

Header = tuple[str, bytes | None]
Record = tuple[bytes | None, bytes | None, int, list[Header]]
TP = TopicPartition("raw", 3)
CONTROL = 0x20
ABORT, COMMIT = (struct.pack(">hh", 0, kind) for kind in (0, 1))
TEXT = st.none() | st.binary(max_size=300)
RECORDS = st.lists(
    st.tuples(
        TEXT,
        TEXT,
        st.integers(0, 10**12),
        st.lists(st.tuples(st.text(max_size=5), TEXT), max_size=2),
    ),
    min_size=1,
    max_size=20,
)


def made(
    base: int, records: Sequence[Record], compression: int = 0, producer: int = -1, control: int = 0
) -> bytes:
    """Give a record batch as a broker stores it."""
    builder = DefaultRecordBatchBuilder(2, compression, int(producer >= 0), producer, 0, 0, 1 << 20)
    for offset, (key, value, timestamp, headers) in enumerate(records):
        builder.append(offset, timestamp, key, value, headers)
    batch = bytearray(builder.build())
    struct.pack_into(">q", batch, 0, base)
    (attributes,) = struct.unpack_from(">h", batch, 21)
    struct.pack_into(">h", batch, 21, attributes | control)
    struct.pack_into(">I", batch, 17, calc_crc32c(memoryview(batch)[21:]))
    return bytes(batch)


def parts(data: bytes, first: int, aborted: Sequence[tuple[int, int]] = ()) -> Any:
    return PartitionRecords(TP, Kept(data), list(aborted), first, None, None, True, READ_COMMITTED)


def one_by_one(found: Iterator[Any]) -> list[tuple[Any, ...]]:
    return [(r.offset, r.timestamp, r.key, r.value) for r in found]


def rows(found: Iterator[Records]) -> list[tuple[Any, ...]]:
    together = joined(*TP, [*found])
    texts = (together.keys.optional(), together.values.optional())
    return [*zip(together.offsets.tolist(), together.published.tolist(), *texts, strict=True)]


@pytest.mark.requirement("B5")
@given(
    batches=st.lists(st.tuples(RECORDS, st.sampled_from([0, 1, 2, 3, 4])), min_size=1, max_size=4),
    skipped=st.integers(0, 30),
    cut=st.integers(0, 40),
)
def test_columns_say_what_aiokafka_says_record_by_record(
    batches: list[tuple[list[Record], int]], skipped: int, cut: int
) -> None:
    data, base = b"", 100
    for records, compression in batches:
        data += made(base, records, compression)
        base += len(records) + 3
    data = data[: len(data) - cut]  # a broker sends no more than it was asked for
    first = 100 + skipped % len(batches[0][0])  # the first of a fetch is in the first record batch
    theirs, ours = parts(data, first), parts(data, first)
    assert rows(in_columns(ours, 7)) == one_by_one(theirs)
    assert ours.next_fetch_offset == theirs.next_fetch_offset


@given(
    runs=st.lists(
        st.tuples(st.sampled_from([0, 1, 54, 55, 56, 57, 200, 8180, 8190]), st.integers(1, 30)),
        min_size=1,
        max_size=6,
    )
)
def test_runs_of_records_of_one_length_are_found_where_they_are(
    runs: list[tuple[int, int]],
) -> None:
    values = [bytes([n % 251]) * length for length, number in runs for n in range(number)]
    data = made(0, [(b"k", value, n % 3 * 100, []) for n, value in enumerate(values)])
    assert rows(in_columns(parts(data, 0), 1000)) == one_by_one(parts(data, 0))


def plain(*values: bytes) -> list[Record]:
    return [(b"k", value, 7, []) for value in values]


@pytest.mark.requirement("D3")
def test_what_was_aborted_is_not_seen_and_markers_are_no_records() -> None:
    data = b"".join(
        [
            made(0, plain(b"gone"), producer=5),
            made(1, plain(b"other"), producer=6),
            made(2, [(ABORT, b"", 7, [])], producer=5, control=CONTROL),
            made(3, plain(b"kept"), producer=5),
            made(4, [(COMMIT, b"", 7, [])], producer=5, control=CONTROL),
            made(5, [(COMMIT, b"", 7, [])], producer=6, control=CONTROL),
        ]
    )
    theirs, ours = parts(data, 0, [(5, 0)]), parts(data, 0, [(5, 0)])
    found = rows(in_columns(ours, 7))
    assert [value for *_, value in found] == [b"other", b"kept"]
    assert found == one_by_one(theirs)
    assert ours.next_fetch_offset == theirs.next_fetch_offset == 6


def test_where_nothing_is_to_be_seen_reading_goes_on_behind() -> None:
    data = made(0, plain(b"gone", b"too"), producer=5)
    only = parts(data, 0, [(5, 0)])
    assert [*in_columns(only, 7)] == []
    assert only.next_fetch_offset == 2


@pytest.mark.requirement("D3")
@given(st.data())
def test_a_byte_that_is_not_what_it_was_is_noticed(data: st.DataObject) -> None:
    batch = bytearray(made(0, plain(b"one", b"two")))
    place = data.draw(st.integers(HEADER.size, len(batch) - 1))
    batch[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptRecordException):
        rows(in_columns(parts(bytes(batch), 0), 7))


def test_small_record_batches_are_given_together_and_large_ones_by_themselves() -> None:
    data = b"".join(made(n, plain(b"v")) for n in range(50))
    data += made(50, plain(*[b"v"] * 2500)) + made(2550, plain(b"v"))
    assert [len(part) for part in in_columns(parts(data, 0), 3000)] == [2550, 1]


def test_no_more_are_given_at_a_time_than_are_asked_for() -> None:
    ours = parts(made(0, plain(*[b"v"] * 7)), 2)
    places = [(len(part), ours.next_fetch_offset) for part in in_columns(ours, 2)]
    assert places == [(2, 4), (2, 6), (1, 7)]


def test_a_record_batch_that_was_cut_is_left_for_the_next_fetch() -> None:
    whole, cut = made(0, plain(b"a")), made(1, plain(b"b"))[:-1]
    assert [*record_batches(whole + cut)] == [whole]
    assert [*record_batches(whole + cut[:5])] == [whole]
