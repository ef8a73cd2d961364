"""Known heads, found by their bytes: each keeps one number, whatever comes beside it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import avsc
from schemas.columnar import Strings, packed
from stream_app.judging import head_kernels, known_heads
from stream_app.judging.heads import Heads
from stream_app.judging.known_heads import KnownHeads
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


def test_heads_in_one_place_of_the_table_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = [f"{number:030}" for number in range(20)]
    messages = _framed(sensors)
    with _as_written(monkeypatch):
        monkeypatch.setattr(head_kernels, "_checksum", lambda *_: 7)
        heads = _heads()
        for _ in range(2):
            numbers = heads.numbers(messages).tolist()
            assert [heads.all[number].sensor for number in numbers] == sensors
    assert len(heads.all) == len(sensors)


@given(cuts=st.lists(st.integers(0, 200), min_size=1, max_size=8), other=st.binary(max_size=60))
def test_a_message_that_is_cut_off_has_no_head_or_the_whole_one(
    cuts: list[int], other: bytes
) -> None:
    (whole,) = encoded(Schemas(), "temperature", [raw(sensor_id="s" * 70)])
    heads = _heads()
    heads.numbers(packed([whole]))
    end = int(heads.ends[0])
    found = heads.numbers(packed([*(whole[:cut] for cut in cuts), whole[:end] + other, other]))
    assert found[:-1].tolist() == [*(0 if cut >= end else -1 for cut in cuts), 0]
    assert found[-1] < 0 or heads.all[int(found[-1])].sensor != "s" * 70


@given(sensors=st.lists(st.text(max_size=70), min_size=1, max_size=20))
def test_the_loops_are_as_they_were_written(sensors: list[str]) -> None:
    messages = _framed(sensors)
    compiled = _heads().numbers(messages).tolist()
    with pytest.MonkeyPatch.context() as patch, _as_written(patch):
        assert _heads().numbers(messages).tolist() == compiled


_FRAME = b"\0\0\0\0\1"
_NONSENSE = [b"", _FRAME, _FRAME + b"\xff" * 40, _FRAME + b"\3abc", _FRAME + b"\x80"]
_OF = {"none": "string", "text": "string", "long": "long", "double": "double"}
_VALUES = {"none": None, "text": "é" * 40, "long": -(2**62), "double": 0.5}


@pytest.mark.parametrize("python", [False, True])
def test_what_is_not_there_or_nonsense_is_no_head(
    monkeypatch: pytest.MonkeyPatch, python: bool
) -> None:
    heads = _heads()
    with _as_written(monkeypatch) if python else nullcontext():
        assert heads.numbers(packed(_NONSENSE)).tolist() == [-1] * len(_NONSENSE)
    assert not heads.all
    assert heads.ends.tolist() == [0]


@pytest.mark.parametrize("python", [False, True])
@given(kinds=st.lists(st.sampled_from(sorted(_OF)), min_size=1, max_size=6))
def test_a_head_may_hold_what_a_field_may_be(python: bool, kinds: list[str]) -> None:
    fields = [{"name": f"f{i}", "type": ["null", _OF[kind]]} for i, kind in enumerate(kinds)]
    schema = {"type": "record", "name": "Head", "fields": fields}
    values = {f"f{i}": _VALUES[kind] for i, kind in enumerate(kinds)}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(dict(schema)), values)
    head = out.getvalue()
    message = _FRAME + head
    with pytest.MonkeyPatch.context() as patch, _as_written(patch) if python else nullcontext():
        known = KnownHeads(schema)
        assert known.numbers(packed([message])).tolist() == [-1 - len(head)]
        assert known.learn(head) == 0
        same = [message[:-1], message, message + b"behind"]
        assert known.numbers(packed(same)).tolist() == [-1, 0, 0]
        assert known.number(head) == len(known) - 1 == 0


def _heads() -> Heads:
    return Heads(avsc.load("raw_reading"), avsc.load("raw_reading"))


def _framed(sensors: list[str]) -> Strings:
    records = [raw(sensor_id=sensor) for sensor in sensors]
    return packed(encoded(Schemas(), "temperature", records))


@contextmanager
def _as_written(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the Python that was compiled."""
    for name in ("find_heads", "find_head", "enter_heads"):
        loop: Any = getattr(head_kernels, name)
        patch.setattr(known_heads, name, loop.py_func)
    with np.errstate(over="ignore"):
        yield
