"""The loop that moves strings, compiled: each to its place.

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
