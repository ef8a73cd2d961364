"""One pass over clean records, which writes their lines.

Compiled loops. Nothing here raises: of a record that is cut off, says nonsense or does not fit its
columns no line is left.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np

from runtime.compiled import BYTES, LONG, LONGS, ROWS_OF_LONGS, compiled
from schemas.columnar import Bytes, Integers

Whole = Any
"""A whole number, Python's or the machine's."""


class Kind(IntEnum):
    """What a field holds."""

    TEXT = 0
    NAMED = 1
    """A text that may not be empty."""
    WORD = 2
    """A text that is the same in every record: the parameter."""
    OP = 3
    """``upsert`` or ``delete``; it has no column of its own."""
    WHOLE = 4
    DOUBLE = 5


KIND, NULLABLE, WIDTH, LEAST, MOST, MINUS, KEEP = range(7)
"""Rows of a program, which says what to do with each field of a record, in their order: what it
holds, whether null is allowed, bytes of a whole number in its column, between which it has to be,
what is taken off before it is written, and in which column of what was found it is kept, or -1."""


SENSOR_AT, SENSOR_LENGTH, AT, VERSION, REVISION, PROCESSED, DELETED, SIZE = range(8)
"""Columns of what was found in a record; the size is that of its line, 0 where there is none."""
COLUMNS: Final = 8
KEPT: Final = {
    "sensor_id": SENSOR_AT,
    "observed_at": AT,
    "source_version": VERSION,
    "revision": REVISION,
    "processed_at": PROCESSED,
}
EPOCH: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL begins to count ("Date/Time Types")."""
MOST_FIXED: Final = 12
"""No field takes more bytes of a line than this and those of its text."""

_FRAME: Final = 5
_LAST_SHIFT: Final = 63
_NAMED, _WORD, _OP = int(Kind.NAMED), int(Kind.WORD), int(Kind.OP)
_WHOLE, _DOUBLE = int(Kind.WHOLE), int(Kind.DOUBLE)
_UPSERT: Final = np.frombuffer(b"upsert", np.uint8)
_DELETE: Final = np.frombuffer(b"delete", np.uint8)


@compiled(BYTES, LONG, LONG)
def is_text(data: Bytes, at: Whole, end: Whole) -> bool:
    """Say whether bytes are UTF-8 (RFC 3629) without the character of number 0."""
    while at < end:
        first = data[at]
        at += 1
        if 0 < first < 0x80:
            continue
        more = (
            0 if first < 0xC2 or first > 0xF4 else 1 if first < 0xE0 else 2 if first < 0xF0 else 3
        )
        if more == 0 or at + more > end:
            return False
        least = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
        most = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
        for _ in range(more):
            if data[at] < least or data[at] > most:
                return False
            least, most = 0x80, 0xBF
            at += 1
    return True


@compiled()
def same(data: Bytes, at: Whole, length: Whole, word: Bytes) -> bool:
    """Say whether a text is a certain word."""
    if length != len(word):
        return False
    for place in range(length):  # noqa: SIM110 - the loop is what is compiled
        if data[at + place] != word[place]:
            return False
    return True


@compiled()
def _put_long(out: Bytes, to: Whole, value: Whole) -> None:
    out[to], out[to + 1] = (value >> 56) & 0xFF, (value >> 48) & 0xFF
    out[to + 2], out[to + 3] = (value >> 40) & 0xFF, (value >> 32) & 0xFF
    out[to + 4], out[to + 5] = (value >> 24) & 0xFF, (value >> 16) & 0xFF
    out[to + 6], out[to + 7] = (value >> 8) & 0xFF, value & 0xFF


@compiled()
def _put_int(out: Bytes, to: Whole, value: Whole) -> None:
    out[to], out[to + 1] = (value >> 24) & 0xFF, (value >> 16) & 0xFF
    out[to + 2], out[to + 3] = (value >> 8) & 0xFF, value & 0xFF


@compiled()
def _line(  # noqa: C901, PLR0911, PLR0912, PLR0913, PLR0915, PLR0917 - apart it takes thrice as long
    data: Bytes,
    at: Whole,
    end: Whole,
    program: Integers,
    word: Bytes,
    found: Integers,
    out: Bytes,
    to: Whole,
) -> Whole:
    """Write the line of one record; give the place behind it, -1 where the record is bad."""
    count = program.shape[1]  # ``op`` has no column, ``deleted_at`` is no field
    out[to], out[to + 1] = count >> 8, count & 0xFF
    to += 2
    for field in range(count):
        kind = program[KIND, field]
        if program[NULLABLE, field]:
            if at >= end:
                return -1
            branch = data[at]
            at += 1
            if branch == 0:
                _put_int(out, to, -1)
                to += 4
                continue
            if branch != 2:
                return -1
        if kind == _DOUBLE:
            if end - at < 8 or (data[at + 7] & 0x7F == 0x7F and data[at + 6] & 0xF0 == 0xF0):
                return -1  # cut off, infinite or no number
            _put_int(out, to, 8)
            for place in range(8):
                out[to + 4 + place] = data[at + 7 - place]
            at += 8
            to += 12
            continue
        unsigned, shift = np.uint64(0), np.uint64(0)
        while True:  # a number of variable length, zigzag
            if at >= end or shift > np.uint64(_LAST_SHIFT):
                return -1
            byte = data[at]
            at += 1
            unsigned |= np.uint64(byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += np.uint64(7)
        value = np.int64(unsigned >> np.uint64(1)) ^ -np.int64(unsigned & np.uint64(1))
        if kind == _WHOLE:
            if value < program[LEAST, field] or value > program[MOST, field]:
                return -1
            if program[KEEP, field] >= 0:
                found[program[KEEP, field]] = value
            width = program[WIDTH, field]
            _put_int(out, to, width)
            if width == 8:
                _put_long(out, to + 4, value - program[MINUS, field])
            elif width == 4:
                _put_int(out, to + 4, value)
            else:
                out[to + 4], out[to + 5] = (value >> 8) & 0xFF, value & 0xFF
            to += 4 + width
            continue
        if value < 0 or value > end - at or (kind == _NAMED and value == 0):
            return -1
        if kind == _WORD and not same(data, at, value, word):
            return -1
        if kind == _OP:
            if same(data, at, value, _DELETE):
                found[DELETED] = 1
            elif not same(data, at, value, _UPSERT):
                return -1
            at += value
            continue
        _put_int(out, to, value)
        to += 4
        other = np.uint8(0)  # than ASCII, or the character of number 0
        text, there = data[at : at + value], out[to : to + value]
        for place in range(value):
            byte = text[place]
            there[place] = byte
            other |= np.uint8(byte == 0) | (byte >> 7)
        if other and not is_text(data, at, at + value):
            return -1
        if program[KEEP, field] >= 0:
            found[SENSOR_AT], found[SENSOR_LENGTH] = at, value
        at += value
        to += value
    if at != end:
        return -1
    if found[DELETED]:
        _put_int(out, to, 8)
        _put_long(out, to + 4, found[PROCESSED] - EPOCH)
        return to + 12
    _put_int(out, to, -1)
    return to + 4


@compiled(BYTES, LONGS, LONGS, ROWS_OF_LONGS, BYTES, ROWS_OF_LONGS, BYTES, LONGS)
def write_lines(  # noqa: PLR0913, PLR0917 - all that a loop works on is given to it
    data: Bytes,
    starts: Integers,
    ends: Integers,
    program: Integers,
    word: Bytes,
    found: Integers,
    out: Bytes,
    begins: Integers,
) -> None:
    """Write the line of each record that is good, and tell where each begins; fill ``found``."""
    to = 0
    for row in range(len(starts)):
        begins[row] = to
        at = starts[row] + _FRAME
        behind = _line(data, at, ends[row], program, word, found[row], out, to)
        if behind >= 0:
            found[row, SIZE] = behind - to
            to = behind
