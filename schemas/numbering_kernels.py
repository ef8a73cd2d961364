"""The loop that numbers texts, compiled: rows are many, what they are called is not.

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, LONGS, compiled

_Integers = NDArray[np.int64]


@compiled(BYTES, LONGS, LONGS, LONGS, LONGS, LONGS)
def number(
    data: NDArray[np.uint8],
    starts: _Integers,
    lengths: _Integers,
    table: _Integers,
    numbers: _Integers,
    firsts: _Integers,
) -> int:
    """Number texts as they are met, and tell where each was met first; give how many there are.

    ``table`` is full of -1; it has 2ⁿ places, and twice as many as there are texts, or more.
    """
    room, count = len(table), 0
    for row in range(len(starts)):
        at, length = starts[row], lengths[row]
        mixed = np.uint64(14695981039346656037)  # FNV-1a, of 64 bits
        for byte in range(at, at + length):
            mixed = (mixed ^ np.uint64(data[byte])) * np.uint64(1099511628211)
        place = np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(room - 1))
        while table[place] >= 0:
            first = firsts[table[place]]
            byte = 0 if lengths[first] == length else -1
            while 0 <= byte < length:
                byte = byte + 1 if data[at + byte] == data[starts[first] + byte] else -1
            if byte >= 0:
                break
            place = (place + 1) & (room - 1)
        if table[place] < 0:
            table[place] = count
            firsts[count] = row
            count += 1
        numbers[row] = table[place]
    return count
