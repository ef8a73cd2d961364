"""The loop that writes messages, compiled: what a plan says, for row after row.

Nothing here raises, or writes outside the arrays that it is given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, ROWS_OF_BYTES, ROWS_OF_LONGS, compiled

LONGEST: Final = 10
"""Bytes of a whole number of 64 bits, most of them."""
LITERAL, LONG, DOUBLE, TEXT, BARE = range(5)
"""What a field is: bytes that are the same in every row, a whole number, a double, bytes behind
their length, bytes as they are."""
_WORD: Final = 8
_MORE: Final = 0x8080_8080_8080_8080
"""The bits that say of each byte of a number that another follows."""

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.int64]


@compiled()
def copy(text: Any, out: Any, at: int) -> int:
    """Copy bytes to a place; give the place behind them."""
    place = out[at : at + len(text)]
    for byte in range(min(len(text), len(place))):
        place[byte] = text[byte]
    return at + len(text)


@compiled()
def put_double(bits: Any, out: Any, at: int) -> int:
    """Write the bits of a double, little endian; give the place behind them."""
    place = out[at : at + _WORD]
    for byte in range(_WORD):
        place[byte] = (bits >> (8 * byte)) & 0xFF
    return at + _WORD


@compiled()
def put_long(number: int, out: Any, at: int) -> int:
    """Write a number, zigzag and of variable length; give the place behind it."""
    left = np.uint64(number << 1) ^ np.uint64(number >> 63)
    if left >= np.uint64(1 << 7 * (_WORD - 1)):  # as times are: eight bytes at once
        spread = np.uint64(0)
        for byte in range(_WORD):
            spread |= ((left >> np.uint64(7 * byte)) & np.uint64(0x7F)) << np.uint64(8 * byte)
        left >>= np.uint64(7 * _WORD)
        spread |= np.uint64(_MORE if left else _MORE >> 8)
        at = put_double(np.int64(spread), out, at)
        if not left:
            return at
    while left >= np.uint64(0x80):
        out[at] = (left & np.uint64(0x7F)) | np.uint64(0x80)
        left >>= np.uint64(7)
        at += 1
    out[at] = left
    return at + 1


@compiled()
def put_value(
    kind: int, slot: int, cells: Any, buffers: Any, memory: Any, out: Any, at: int
) -> int:
    """Write a value of a row; give the place behind it, or -1: a string lies outside its buffer."""
    if kind == LONG:
        return put_long(cells[slot], out, at)
    if kind == DOUBLE:
        return put_double(cells[slot], out, at)
    begin, size = cells[slot], cells[slot + 1]
    if begin < 0 or size < 0 or begin + size > buffers[slot, 1]:
        return -1
    begin += buffers[slot, 0]
    behind = put_long(size, out, at) if kind == TEXT else at
    return copy(memory[begin : begin + size], out, behind)


@compiled(ROWS_OF_LONGS, ROWS_OF_LONGS, ROWS_OF_BYTES, ROWS_OF_LONGS, BYTES, BYTES, ROWS_OF_LONGS)
def write_messages(
    steps: _Integers,
    rows: _Integers,
    present: _Bytes,
    buffers: _Integers,
    memory: _Bytes,
    out: _Bytes,
    places: _Integers,
) -> int:
    """Write a message for each column of ``rows``: all steps, one behind the other.

    A step is its kind, the row where its numbers lie (of strings two: where they begin, and how
    long they are), the row of ``present`` or -1; a literal's are its place in ``memory`` and its
    length. ``buffers`` says where the data of strings begins in ``memory``, and how long it is.
    ``places`` is told where messages begin, and how long they are. Gives -1 where a string lies
    outside its buffer, else 0.
    """
    at = 0
    for row in range(places.shape[1]):
        cells, places[0, row] = rows[:, row], at
        for step in range(len(steps)):
            kind, slot, there = steps[step, 0], steps[step, 1], steps[step, 2]
            if kind == LITERAL:
                at = copy(memory[slot : slot + there], out, at)
                continue
            if there >= 0:
                out[at] = 2 * present[there, row]
                at += 1
                if not present[there, row]:
                    continue
            at = put_value(kind, slot, cells, buffers, memory, out, at)
            if at < 0:
                return -1
        places[1, row] = at - places[0, row]
    return 0
