"""The loops that walk over strings, compiled: to move each, or to look at all.

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, LONGS, compiled

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.int64]


@compiled(BYTES, LONGS, LONGS, BYTES, LONGS)
def put(data: _Bytes, starts: _Integers, lengths: _Integers, out: _Bytes, at: _Integers) -> None:
    """Copy each string to its place."""
    for row in range(len(starts)):
        size = lengths[row]
        text, place = data[starts[row] : starts[row] + size], out[at[row] : at[row] + size]
        for byte in range(min(len(text), len(place))):
            place[byte] = text[byte]


@compiled(BYTES, LONGS, LONGS)
def high_bits(data: _Bytes, starts: _Integers, lengths: _Integers) -> int:
    """Give 128 where a byte of any string has its highest bit set, so that it is no ASCII; else 0.

    Every string lies within ``data``.
    """
    found = np.uint8(0)
    for row in range(len(starts)):
        text = data[starts[row] : starts[row] + lengths[row]]
        for byte in range(len(text)):
            found |= text[byte]
    return np.int64(found & np.uint8(0x80))  # type: ignore[return-value]  # to the compiler it is an int
