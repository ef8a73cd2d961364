"""The loops that write and read messages: as Python they do what they do once they are compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas import avsc, columnar_decoding, columnar_wire
from schemas.columnar import Column, Numbers, Strings, packed
from schemas.columnar_decoding import ColumnarDecoder
from schemas.columnar_encoding import ColumnarEncoder, numbers_of, strings_of
from schemas.columnar_kernels import put
from schemas.reading_kernels import read_messages, read_records
from schemas.writing_kernels import write_messages

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Any",
    "fields": [
        {"name": "number", "type": "long"},
        {"name": "perhaps", "type": ["null", "long"]},
        {"name": "value", "type": ["null", "double"]},
        {"name": "word", "type": ["null", "string"]},
        {"name": "name", "type": "string"},
        {"name": "same", "type": "int"},
    ],
}
FRAME = packed([b"\0\0\0\0\7"])
EDGES = [0, -1, 63, -64, 64, 2**31, 2**63 - 1, -(2**63)]
COUNT = len(EDGES)
COLUMNS: dict[str, Column] = {
    "number": Numbers(np.array(EDGES)),
    "perhaps": Numbers(np.array(EDGES[::-1]), np.arange(COUNT) % 2 == 0),
    "value": numbers_of([0.5, None, -0.0, 1e300, None, 2.0**-1074, -3.25, None]),
    "word": strings_of(["", None, "ä" * 70, "x", None, "y", "z" * 200, "w"]),
    "name": strings_of([str(edge) for edge in EDGES]),
    "same": Numbers(np.full(COUNT, 7)),
}


def as_written(loop: Any) -> Any:
    """Give the Python that was compiled."""
    return loop.py_func


def written() -> Strings:
    heads = FRAME.take(np.zeros(COUNT, np.int64))
    return ColumnarEncoder(SCHEMA).strings(heads, COLUMNS)


def read(messages: list[bytes]) -> tuple[dict[str, list[Any]], list[bool]]:
    columns, good = ColumnarDecoder(SCHEMA)(messages)
    each = {
        name: column.optional()
        if isinstance(column, Strings)
        else np.where(column.there(), column.values.view(np.int64), 0).tolist()
        for name, column in columns.items()
    }
    return each, good.tolist()


def test_the_schema_is_one_that_the_codec_takes() -> None:
    assert avsc.without_logical_types(SCHEMA)["fields"] == SCHEMA["fields"]
    assert read(written().bytes())[1] == [True] * COUNT


def test_messages_are_written_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = written().bytes()
    monkeypatch.setattr(columnar_wire, "write_messages", as_written(write_messages))
    assert written().bytes() == compiled


def test_a_string_outside_its_data_is_refused_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar_wire, "write_messages", as_written(write_messages))
    outside = Strings(np.zeros(3, np.uint8), np.array([0, 3]), np.array([1, 1]))
    encode = ColumnarEncoder(SCHEMA, "same")
    with pytest.raises(ValueError, match="within its data"):
        encode.strings(outside, {"same": Numbers(np.array([1, 2]))})


def test_strings_are_moved_alike() -> None:
    text, starts, lengths = np.frombuffer(b"abcdef", np.uint8), np.array([4, 0]), np.array([2, 3])
    for loop in (put, as_written(put)):
        out = np.zeros(5, np.uint8)
        loop(text, starts, lengths, out, np.array([0, 2]))
        assert out.tobytes() == b"efabc"


def broken() -> list[bytes]:
    """Give messages, whole ones and all that can be made of one by cutting or changing a byte."""
    whole = written().bytes()
    one = whole[2]
    cut = [one[:end] for end in range(len(one))]
    other = [one[:at] + bytes([byte]) + one[at + 1 :] for at in range(5, 40) for byte in (1, 255)]
    return [*whole, *cut, *other, one + b"\0"]


def test_messages_are_read_alike_however_broken_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled = read(broken())
    monkeypatch.setattr(columnar_decoding, "read_messages", as_written(read_messages))
    assert read(broken()) == compiled


def varint(number: int) -> bytes:
    return columnar_wire.long_bytes(number)


def record(key: bytes | None, value: bytes | None, further: int, headers: bytes = b"\0") -> bytes:
    body = b"\0" + varint(5 * further) + varint(further) + sized(key) + sized(value) + headers
    return varint(len(body)) + body


def sized(text: bytes | None) -> bytes:
    return varint(-1) if text is None else varint(len(text)) + text


RECORDS = (
    record(b"JFK", b"reading", 0)
    + record(None, None, 1)
    + record(b"", b"x" * 300, 2, varint(1) + varint(1) + b"h" + varint(-1))
)


def places(loop: Any, data: bytes) -> tuple[int, list[list[int]]]:
    rows = np.zeros((6, 3), np.int64)
    end = loop(np.frombuffer(data, np.uint8), rows)
    return int(end), rows.tolist()


def test_records_of_kafka_are_found() -> None:
    end, (since, further, keys, key_sizes, values, value_sizes) = places(read_records, RECORDS)
    assert end == len(RECORDS)
    assert (since, further) == ([0, 5, 10], [0, 1, 2])
    assert (key_sizes, value_sizes) == ([3, -1, 0], [7, -1, 300])
    assert RECORDS[keys[0] : keys[0] + 3] == b"JFK"
    assert RECORDS[values[2] : values[2] + 300] == b"x" * 300


@pytest.mark.parametrize("at", range(40))
def test_records_are_found_alike_however_broken_they_are(at: int) -> None:
    python = as_written(read_records)
    assert places(python, RECORDS) == places(read_records, RECORDS)
    for other in (0, 1, 2, 0x7F, 0xFF):
        changed = RECORDS[:at] + bytes([other]) + RECORDS[at + 1 :]
        assert places(python, changed) == places(read_records, changed)
    assert places(read_records, RECORDS[:at])[0] == -1
    assert places(python, RECORDS[:at]) == places(read_records, RECORDS[:at])
