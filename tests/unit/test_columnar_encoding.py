"""The columnar encoder writes the bytes that the row-by-row encoder writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import avsc
from schemas.codec import Encoder, Record
from schemas.columnar import Column, Numbers, Strings, packed
from schemas.columnar_decoding import ColumnarDecoder
from schemas.columnar_encoding import (
    ColumnarEncoder,
    constant,
    numbers_of,
    strings_of,
)
from schemas.framing import frame
from tests.clean_records import clean
from tests.raw_records import raw

HOT = ("raw_reading", "raw_wind", "clean_reading", "clean_wind")
LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=8) | st.sampled_from(["\0", "a\0b", "ä" * 70, "x" * 9000]),
    "int": INTS,
    "long": LONGS,
    "double": st.floats(allow_nan=False),
}


def plain(kind: Any) -> str:
    kind = kind[1] if isinstance(kind, list) else kind
    return str(kind["type"] if isinstance(kind, dict) else kind)


def records_of(name: str) -> st.SearchStrategy[list[Record]]:
    """Give lists of any records of a schema."""
    fields = {
        field["name"]: (
            st.none() | BY_TYPE[plain(field["type"])]
            if isinstance(field["type"], list)
            else BY_TYPE[plain(field["type"])]
        )
        for field in avsc.load(name)["fields"]
    }
    return st.lists(st.fixed_dictionaries(fields), max_size=5)


def columns_of(name: str, records: list[Record]) -> dict[str, Column]:
    return {
        field["name"]: column_of(plain(field["type"]), [r[field["name"]] for r in records])
        for field in avsc.load(name)["fields"]
    }


def column_of(kind: str, values: list[Any]) -> Column:
    if kind == "string":
        return strings_of(values)
    if kind == "double":
        return numbers_of(values)
    present = np.array([value is not None for value in values], np.bool_)
    return Numbers(np.array([value or 0 for value in values], np.int64), present)


@pytest.mark.parametrize("name", HOT)
@given(data=st.data())
def test_any_records_become_the_bytes_that_the_row_encoder_gives(
    name: str, data: st.DataObject
) -> None:
    records = data.draw(records_of(name))
    heads = [frame(7)] * len(records)
    written = ColumnarEncoder(avsc.load(name))(heads, columns_of(name, records))
    assert written == [Encoder(name, 7)(record) for record in records]


@pytest.mark.parametrize(
    ("name", "first", "record"),
    [
        ("raw_reading", "observed_local", raw("humidity")),
        ("raw_wind", "observed_local", raw("wind", direction=None)),
        ("clean_reading", "op", clean("humidity")),
        ("clean_wind", "op", clean("wind")),
    ],
)
def test_a_head_that_was_encoded_before_is_taken_as_it_is(
    name: str, first: str, record: Record
) -> None:
    whole = Encoder(name, 7)(record)
    columns = columns_of(name, [record])
    tail = ColumnarEncoder(avsc.load(name), first)([b""], columns)[0]
    assert whole.endswith(tail)
    head = whole[: -len(tail)]
    assert ColumnarEncoder(avsc.load(name), first)(
        [head, head], columns_of(name, [record, record])
    ) == [whole, whole]


def test_what_was_encoded_is_decoded_again() -> None:
    records = [raw("rainfall", key=str(n), value=n / 8) for n in range(1000)]
    messages = ColumnarEncoder(avsc.load("raw_reading"))(
        [frame(7)] * 1000, columns_of("raw_reading", records)
    )
    columns, good = ColumnarDecoder(avsc.load("raw_reading"))(messages)
    assert good.all()
    keys = columns["source_key"]
    assert not isinstance(keys, Numbers)
    assert [key.decode() for key in keys.bytes()] == [str(n) for n in range(1000)]


@pytest.mark.parametrize(("start", "length"), [(2, 2), (-1, 1), (0, -1), (0, -(2**40)), (4, 1)])
def test_a_string_outside_its_data_is_refused_and_not_read(start: int, length: int) -> None:
    text = Strings(np.frombuffer(b"abc", np.uint8), np.array([0, start]), np.array([1, length]))
    numbers = {"readings": Numbers(np.array([1, 2]))}
    with pytest.raises(ValueError, match="within its data"):
        ColumnarEncoder(avsc.load("raw_index"), "readings").strings(text, numbers)


def test_no_records_are_no_messages() -> None:
    empty = columns_of("raw_reading", [])
    assert ColumnarEncoder(avsc.load("raw_reading"))([], empty) == []


@given(value=LONGS, flag=st.none() | st.text(max_size=80), count=st.integers(0, 4))
def test_what_is_the_same_in_every_row_is_written_in_every_row(
    value: int, flag: str | None, count: int
) -> None:
    record = raw("rainfall", value=1.5) | {"source_version": value, "source_flag": flag}
    record["observed_text"] = None
    columns = {name: constant(value, count) for name, value in record.items()}
    written = ColumnarEncoder(avsc.load("raw_reading"))([frame(7)] * count, columns)
    assert written == [Encoder("raw_reading", 7)(record)] * count


def test_heads_are_taken_by_their_numbers() -> None:
    heads = packed([b"a", b"", b"long head"])
    numbers = np.array([2, 0, 1, 2])
    columns = columns_of("raw_reading", [raw("rainfall", key=str(n)) for n in range(4)])
    encode = ColumnarEncoder(avsc.load("raw_reading"))
    each = [[b"a", b"", b"long head"][number] for number in numbers]
    assert encode(heads.take(numbers), columns) == encode(each, columns)
