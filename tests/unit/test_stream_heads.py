"""Known heads, found by their bytes: each keeps one number, whatever comes beside it."""

from __future__ import annotations

from collections import Counter
from itertools import product
from string import ascii_letters

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import avsc
from schemas.columnar import packed
from stream_app.judging import heads as module
from stream_app.judging.heads import Heads
from tests.raw_batches import Schemas, encoded
from tests.raw_records import raw

pytestmark = pytest.mark.requirement("B2")

_LENGTHS = st.sampled_from([3, 5, 30])
_BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, 12), _LENGTHS), min_size=1, max_size=20), max_size=5
)


@given(batches=_BATCHES)
def test_whatever_is_learnt_between_a_head_keeps_its_number(
    batches: list[list[tuple[int, int]]],
) -> None:
    schemas, heads = Schemas(), _heads()
    numbers: dict[str, int] = {}
    for batch in batches:
        sensors = [f"{number:0{length}}" for number, length in batch]
        values = encoded(schemas, "temperature", [raw(sensor_id=sensor) for sensor in sensors])
        for sensor, number in zip(sensors, heads.numbers(packed(values)).tolist(), strict=True):
            assert heads.all[number].sensor == sensor
            assert numbers.setdefault(sensor, number) == number
    assert len(heads.all) == len(numbers)


def test_heads_of_one_checksum_are_told_apart() -> None:
    sensors = _of_one_checksum()
    values = encoded(Schemas(), "temperature", [raw(sensor_id=sensor) for sensor in sensors])
    heads = _heads()
    for _ in range(3):
        numbers = heads.numbers(packed([*values, *values[::-1]])).tolist()
        told = [heads.all[number].sensor for number in numbers]
        assert told == [*sensors, *sensors[::-1]]
    assert len(heads.all) == len(sensors)


def _heads() -> Heads:
    return Heads(avsc.load("raw_reading"), avsc.load("raw_reading"))


def _of_one_checksum() -> list[str]:
    """Find names whose records have one checksum.

    Two characters differ, one in each of two words: what the first adds the second takes away.
    """
    names = [f"{'x' * 10}{a}{'x' * 7}{b}{'x' * 20}" for a, b in product(ascii_letters, repeat=2)]
    values = encoded(Schemas(), "temperature", [raw(sensor_id=name) for name in names])
    bodies = np.array([np.frombuffer(value[5:45], np.uint64) for value in values])
    sums = module._summed(bodies).tolist()
    most, count = Counter(sums).most_common(1)[0]
    assert count > 1
    return [name for name, found in zip(names, sums, strict=True) if found == most]
