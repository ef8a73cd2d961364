"""A reader of PostgreSQL's binary COPY, written by its description, and of the lines in it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from sink.columns import Column, Table
from sink.readings import Readings

_UNPACK = {"smallint": ">h", "integer": ">i", "bigint": ">q", "double precision": ">d"}
_TO_2000 = 946_684_800_000_000
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


def read_lines(table: Table, data: bytes) -> list[tuple[Any, ...]]:
    """Read lines, without the head and the end of a COPY."""
    at, rows = 0, []
    while at < len(data):
        assert data[at : at + 2] == len(table.columns).to_bytes(2)
        at += 2
        row = []
        for column in table.columns:
            size = int.from_bytes(data[at : at + 4], signed=True)
            body = data[at + 4 : at + 4 + max(size, 0)]
            at += 4 + max(size, 0)
            row.append(None if size == -1 else _value(column, body))
        rows.append(tuple(row))
    return rows


def read_copy(table: Table, pieces: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Read a whole COPY."""
    data = b"".join(pieces)
    assert data.startswith(HEADER)
    assert data.endswith(TRAILER)
    return read_lines(table, data[len(HEADER) : -len(TRAILER)])


def lines_of(entries: Readings) -> list[tuple[Any, ...]]:
    """Give every row that is meant, as its line says it."""
    return read_lines(entries.table, entries.lines.write(entries.rows).tobytes())


def _value(column: Column, body: bytes) -> object:
    if column.sql_type == "text":
        return body.decode()
    if column.is_time:
        return struct.unpack(">q", body)[0] + _TO_2000
    return struct.unpack(_UNPACK[column.sql_type], body)[0]
