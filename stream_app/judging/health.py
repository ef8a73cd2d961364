"""What a station says of its own sensors: a status word, or a bit of it, beside the reading."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.columnar import Strings
from schemas.mapping_tables import Health
from weather.arrays import Flags
from weather.qc.station import health_test

_NOTHING: Final = -1


def health_flags(words: Strings, how: Health) -> Flags:
    """Judge readings by what their station says of the sensor: 4 unwell, 1 well, 2 nothing.

    Each word is read once, since stations have few. Bits are those of a whole number, decimal or
    with ``0x`` before it; what is none says nothing.

    >>> from schemas.columnar_encoding import strings_of
    >>> health_flags(strings_of(["0", "5", "0x4", None, "?"]), Health(bits=4)).tolist()
    [1, 4, 4, 2, 2]
    >>> health_flags(strings_of(["ok", "E", None]), Health(words=("E",))).tolist()
    [1, 4, 2]
    """
    told = words.bytes()
    if how.words:
        bad = {word.encode() for word in how.words}
        known = {one: _NOTHING if not one else int(one in bad) for one in set(told)}
        return health_test(np.array([known[one] for one in told], np.int64), 1)
    known = {one: _number(one) for one in set(told)}
    return health_test(np.array([known[one] for one in told], np.int64), how.bits)


def _number(word: bytes | None) -> int:
    try:
        return int((word or b"").decode().strip(), 0)
    except ValueError:
        return _NOTHING
