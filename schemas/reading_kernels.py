"""The loops that read, compiled: messages field after field, and Kafka's records.

The records of a record batch stand one behind the other; their numbers are written as Avro's are,
see "Record" in Kafka's protocol guide (magic 2).

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, MASK, ROWS_OF_BYTES, ROWS_OF_LONGS, compiled

# As in writing_kernels, not taken from there: what is compiled is kept by the source of its module.
_DOUBLE: Final = 2
_TEXT: Final = 3
_WORD: Final = 8
_PRESENT: Final = 2

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.int64]
_Mask = NDArray[np.bool_]


@compiled()
def long_at(data: Any, place: int, end: int) -> tuple[int, int]:
    """Read a whole number, and give the place behind it.

    That is -1 where the number goes on behind its tenth byte, or behind the end.
    """
    unsigned, shift = np.uint64(0), np.uint64(0)
    while place < end and shift <= np.uint64(63):
        byte = data[place]
        place += 1
        unsigned |= np.uint64(byte & 0x7F) << shift
        if byte < 0x80:
            number: Any = np.int64(unsigned >> np.uint64(1)) ^ -np.int64(unsigned & np.uint64(1))
            return number, place
        shift += np.uint64(7)
    return 0, -1


@compiled()
def double_at(data: Any, place: int) -> int:
    """Read the bits of a double."""
    text, bits = data[place : place + _WORD], np.uint64(0)
    for byte in range(_WORD):
        bits |= np.uint64(text[byte]) << np.uint64(8 * byte)
    return np.int64(bits)  # type: ignore[return-value]  # to the compiler it is an int


@compiled()
def value_at(kind: int, slot: int, data: Any, place: int, end: int, cells: Any) -> int:
    """Read a value into the cells of its row; give the place behind it, -1 where there is none."""
    if kind == _DOUBLE:
        if place + _WORD > end:
            return -1
        cells[slot] = double_at(data, place)
        return place + _WORD
    number, behind = long_at(data, place, end)
    if behind < 0:
        return -1
    if kind != _TEXT:
        cells[slot] = number
        return behind
    if number < 0 or number > end - behind:
        return -1
    cells[slot], cells[slot + 1] = behind, number
    return behind + number


@compiled(BYTES, ROWS_OF_LONGS, ROWS_OF_LONGS, ROWS_OF_LONGS, ROWS_OF_BYTES, MASK)
def read_messages(
    data: _Bytes,
    places: _Integers,
    fields: _Integers,
    rows: _Integers,
    present: _Bytes,
    good: _Mask,
) -> None:
    """Read the fields of each message into a column of ``rows``, which is full of nothing.

    ``places`` says where fields begin, and where messages end. A field is its kind, the row that
    takes its numbers (of strings two: where they begin, and how long they are), and the row of
    ``present`` or -1. A good message ends where its last field does; of another, the fields before
    the fault are read.
    """
    for row in range(places.shape[1]):
        place, end, cells = places[0, row], places[1, row], rows[:, row]
        for field in range(len(fields)):
            there = fields[field, 2]
            if there >= 0:
                branch = data[place] if place < end else np.uint8(1)
                place += 1
                present[there, row] = branch == _PRESENT
                if branch == 0:
                    continue
                if branch != _PRESENT:
                    place = -1
                    break
            place = value_at(fields[field, 0], fields[field, 1], data, place, end, cells)
            if place < 0:
                break
        good[row] = place == end


@compiled()
def bytes_at(data: Any, place: int, end: int, cells: Any, slot: int) -> int:
    """Read bytes behind their length, which is -1 where they are null; give the place behind."""
    size, place = long_at(data, place, end)
    if place < 0 or size < -1 or size > end - place:
        return -1
    cells[slot], cells[slot + 1] = place, size
    return place + max(0, size)


@compiled(BYTES, ROWS_OF_LONGS)
def read_records(data: _Bytes, rows: _Integers) -> int:
    """Read the records of a batch; give the place behind the last, -1 where one does not fit.

    A record's cells are how much later and further on than the first of its batch it is, where its
    key begins and how long it is (-1: null), and the same of its value. Headers are passed over.
    """
    at = 0
    for record in range(rows.shape[1]):
        cells = rows[:, record]
        size, place = long_at(data, at, len(data))
        if place < 0 or size < 1 or size > len(data) - place:
            return -1
        at = place + size
        cells[0], place = long_at(data, place + 1, at)
        if place >= 0:
            cells[1], place = long_at(data, place, at)
        for slot in (2, 4):
            place = bytes_at(data, place, at, cells, slot) if place >= 0 else place
        headers, place = long_at(data, place, at) if place >= 0 else (0, place)
        if place < 0 or (place != at and headers <= 0):
            return -1
    return at
