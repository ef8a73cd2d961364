"""What the values of a database are called in ours: stations, codes, keys, measuring positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from producers.reading.values import kind_of, texts_of, wholes_of
from schemas.columnar import Strings
from schemas.columnar_encoding import digits_of, strings_of
from schemas.mapping import sensor_id

_FIRST_VISIBLE: Final = 0x21
_LAST_VISIBLE: Final = 0x7E


def identifier(value: object) -> str:
    """Give a station, code or key as text, without the blanks that pad fixed-width columns.

    >>> identifier("JFK   "), identifier(108), identifier(None)
    ('JFK', '108', '')
    """
    return "" if value is None else str(value).rstrip()


def identifiers(values: Sequence[Any], *, nullable: bool = False) -> Strings:
    """Give a column of them at once; ``nullable`` leaves what is NULL so.

    >>> identifiers(["JFK   ", 108, None]).bytes()
    [b'JFK', b'108', b'']
    """
    found = _texts(values, nullable=nullable)
    if found is not None and _is_trim(found):
        return found
    return strings_of(
        [None if nullable and value is None else identifier(value) for value in values]
    )


def sensor_of(station: str, parameter: str, position: object) -> str:
    """Name a measuring position; where none is given it is the first of its kind.

    >>> [sensor_of("UAT", "wind", position) for position in (None, " 2", "roof")]
    ['UAT:wind', 'UAT:wind:2', 'UAT:wind:roof']
    """
    text = identifier(position).lstrip()
    if text and not text.isdecimal():
        return f"{sensor_id(station, parameter)}:{text}"
    return sensor_id(station, parameter, int(text or "1"))


def _texts(values: Sequence[Any], *, nullable: bool) -> Strings | None:
    """Give a column of nothing but texts or nothing but whole numbers; None: it is another."""
    kind = type(values[0]) if values else str
    try:
        if kind is int and kind_of(values) is int:
            return digits_of(wholes_of(values))
        return texts_of(values) if nullable or None not in values else None
    except TypeError:
        return None


def _is_trim(strings: Strings) -> bool:
    """Say whether each ends in a visible ASCII character; others than ours may be blanks."""
    filled = np.flatnonzero(strings.lengths)
    last = strings.data[(strings.starts + strings.lengths - 1)[filled]]
    return bool(((last >= _FIRST_VISIBLE) & (last <= _LAST_VISIBLE)).all())
