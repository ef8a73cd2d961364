"""Batches: what a fetch round brings, by partition number, and what of it is still to be done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columnar import packed
from stream_app.transport.batch import Batch, Records, by_partition


def fetched(topic: str, partition: int = 0, offsets: Sequence[int] = (0,)) -> Records:
    values = [str(offset).encode() for offset in offsets]
    numbers = np.array(offsets, np.int64)
    return Records(
        topic, partition, numbers, numbers, packed([b"JFK"] * len(values)), packed(values)
    )


def test_a_fetch_round_becomes_one_batch_for_each_partition_number() -> None:
    found = [fetched("wind"), fetched("rain"), fetched("wind", 1), fetched("rain", 1, [])]
    batches = {batch.partition: batch for batch in by_partition(found, epoch=4)}
    assert {number: sorted(b.records) for number, b in batches.items()} == {
        0: ["rain", "wind"],
        1: ["wind"],
    }
    assert {batch.epoch for batch in batches.values()} == {4}


@given(offsets=st.sets(st.integers(0, 50), min_size=1), position=st.integers(0, 60))
def test_what_is_committed_is_cut_off_and_the_rest_is_next(
    offsets: set[int], position: int
) -> None:
    left = Batch(0, {"wind": fetched("wind", 0, sorted(offsets))}).after({"wind": position})
    kept = [offset for offset in sorted(offsets) if offset >= position]
    assert [int(value) for r in left.records.values() for value in r.values.bytes()] == kept
    assert left.next_positions() == ({"wind": max(offsets) + 1} if kept else {})
    assert len(left) == len(kept)


@pytest.mark.parametrize("positions", [{}, {"rain": 99}])
def test_a_topic_without_a_position_is_kept_whole(positions: dict[str, int]) -> None:
    assert len(Batch(0, {"wind": fetched("wind")}).after(positions)) == 1


def test_a_record_by_itself_knows_where_it_lies() -> None:
    records = fetched("wind", 3, [5, 7, 9])
    assert records.take(np.array([2, 0])).raw(0) == ("wind", 3, 9, b"JFK", b"9")
    assert records.since(6).raw(0).offset == 7


def test_a_few_records_do_not_hold_the_bytes_of_many() -> None:
    offsets = range(10_000)
    many = fetched("wind", offsets=offsets)
    few = many.take(slice(5, 8))
    assert few.values.data is many.values.data
    assert few.compact().values.data.nbytes < 10
    assert few.compact().values.bytes() == [b"5", b"6", b"7"]
    assert few.compact().keys.bytes() == few.keys.bytes()
    assert many.compact() is many
