"""The loops of the columnar codec, compiled: strings moved, whole numbers as Avro has them.

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, LONGS, MASK, ROWS_OF_BYTES, compiled

LONGEST: Final = 10
"""Bytes of a whole number of 64 bits, most of them."""

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.int64]
_Mask = NDArray[np.bool_]


@compiled(BYTES, LONGS, LONGS, BYTES, LONGS)
def put(data: _Bytes, starts: _Integers, lengths: _Integers, out: _Bytes, at: _Integers) -> None:
    """Copy each string to its place."""
    for row in range(len(starts)):
        size = lengths[row]
        text, place = data[starts[row] : starts[row] + size], out[at[row] : at[row] + size]
        for byte in range(min(len(text), len(place))):
            place[byte] = text[byte]


@compiled(LONGS, ROWS_OF_BYTES, LONGS)
def write_longs(values: _Integers, out: NDArray[np.uint8], lengths: _Integers) -> None:
    """Write each number, zigzag and of variable length, from the second byte of its row on.

    ``out`` has the shape (n, 1 + LONGEST); ``lengths`` is told how many bytes each number takes.
    """
    for row in range(len(values)):
        left = np.uint64(values[row] << 1) ^ np.uint64(values[row] >> 63)
        place = 1
        while left >= np.uint64(0x80):
            out[row, place] = (left & np.uint64(0x7F)) | np.uint64(0x80)
            left >>= np.uint64(7)
            place += 1
        out[row, place] = left
        lengths[row] = place


@compiled(BYTES, LONGS, MASK, LONGS, LONGS)
def read_longs(
    data: _Bytes, at: _Integers, present: _Mask, values: _Integers, sizes: _Integers
) -> None:
    """Read a number at each place where there is one: the numbers, and how long they are.

    One that goes on behind its tenth byte, or behind the data, is -1 long.
    """
    for row in range(len(at)):
        if not present[row]:
            continue
        place: Any = at[row]
        unsigned, shift, size = np.uint64(0), np.uint64(0), -1
        while place < len(data) and shift <= np.uint64(63):
            byte = data[place]
            place += 1
            unsigned |= np.uint64(byte & 0x7F) << shift
            if byte < 0x80:
                size = place - at[row]
                break
            shift += np.uint64(7)
        values[row] = np.int64(unsigned >> np.uint64(1)) ^ -np.int64(unsigned & np.uint64(1))
        sizes[row] = size
