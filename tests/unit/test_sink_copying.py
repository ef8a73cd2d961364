"""Rows for a binary COPY, held to a reader of that format written by its description."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columnar import Column as Values
from schemas.columnar import Numbers, Strings
from schemas.columnar_encoding import strings_of
from sink.columns import Column
from sink.copying import binary, rows_of

_COLUMNS = (
    Column("flag", "smallint", nullable=True),
    Column("unit", "text", nullable=True),
    Column("version", "bigint", nullable=False),
    Column("reason", "text", nullable=True),
    Column("value", "double precision", nullable=True),
    Column("observed_at", "timestamp with time zone", nullable=True),
)
_UNPACK = {"smallint": ">h", "bigint": ">q", "double precision": ">d"}
_TO_2000 = 946_684_800_000_000

_TEXT = st.none() | st.sampled_from(["", "mm", "Pa", "é", "m/s"])
_RECORDS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**15), 2**15 - 1),
        st.sampled_from(["mm", "Pa"]) | _TEXT,
        st.integers(-(2**63), 2**63 - 1),
        _TEXT,
        st.none() | st.floats(allow_nan=False),
        st.none() | st.integers(0, 2**53),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.requirement("C2", "C7")
@given(records=_RECORDS, alike=st.booleans(), draw=st.randoms(use_true_random=False))
def test_rows_taken_in_any_order_are_read_as_they_were_written(
    records: list[tuple[Any, ...]], alike: bool, draw: Any
) -> None:
    if alike:  # all fields of one size: rows are records side by side
        records = records[:1] * len(records)
    values = {
        column.name: _column(column, [record[place] for record in records])
        for place, column in enumerate(_COLUMNS)
    }
    chosen = draw.choices(range(len(records)), k=draw.randrange(1, 10))
    written = [_rows(values, chosen[:3]), _rows(values, chosen[3:])]
    assert _read(b"".join(binary(written))) == [records[row] for row in chosen]


def test_no_rows_are_a_copy_of_nothing() -> None:
    values = {column.name: _column(column, []) for column in _COLUMNS}
    assert _read(b"".join(binary([rows_of(_COLUMNS, values, 0)]))) == []


def _rows(values: dict[str, Values], chosen: list[int]) -> Strings:
    taken = {name: each.take(np.array(chosen, np.int64)) for name, each in values.items()}
    return rows_of(_COLUMNS, taken, len(chosen))


def _column(column: Column, found: list[Any]) -> Values:
    if column.sql_type == "text":
        return strings_of(found)
    filled = [0 if each is None else each for each in found]
    dtype = np.float64 if column.sql_type == "double precision" else np.int64
    present = np.array([each is not None for each in found], np.bool_)
    return Numbers(np.array(filled, dtype), present if column.nullable else None)


def _read(data: bytes) -> list[tuple[Any, ...]]:
    assert data[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    assert data[-2:] == b"\xff\xff"
    at, rows = 19, []
    while at < len(data) - 2:
        assert data[at : at + 2] == len(_COLUMNS).to_bytes(2)
        at += 2
        row = []
        for column in _COLUMNS:
            size = int.from_bytes(data[at : at + 4], signed=True)
            body = data[at + 4 : at + 4 + max(size, 0)]
            at += 4 + max(size, 0)
            row.append(None if size == -1 else _value(column, body))
        rows.append(tuple(row))
    return rows


def _value(column: Column, body: bytes) -> object:
    if column.sql_type == "text":
        return body.decode()
    if column.is_time:
        return struct.unpack(">q", body)[0] + _TO_2000
    return struct.unpack(_UNPACK[column.sql_type], body)[0]
