"""The loops that find heads by their bytes, compiled: where one ends, and whether it is known.

Known heads lie side by side in ``kept``; ``ends`` says behind which byte each is over. ``table``
has 2ⁿ places, twice as many as there are heads, or more: numbers of heads, -1 where there is none.

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, LONG, LONGS, ROWS_OF_LONGS, compiled

NUMBER, TEXT, DOUBLE = range(3)
"""What a field of a head holds."""
BEGIN: Final = 5
"""Where in a message the head begins: behind the frame."""
_WORD: Final = 8
_PRESENT: Final = 2
_FACTOR: Final = 0x9E3779B97F4A7C15
"""2⁶⁴ by the golden ratio, odd: its multiples are spread evenly (Knuth's multiplicative hash)."""
_MIX: Final = 29
_HALF: Final = 32

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.int64]


@compiled()
def _checksum(data: Any, at: Any, length: Any) -> Any:
    """Sum up the words of some bytes, each times another odd number."""
    total, factor = np.uint64(length), np.uint64(_FACTOR)
    whole = at + length // _WORD * _WORD
    for begin in range(at, whole, _WORD):
        text, word = data[begin : begin + _WORD], np.uint64(0)
        for byte in range(_WORD):
            word |= np.uint64(text[byte]) << np.uint64(8 * byte)
        total += (word ^ (word >> np.uint64(_MIX))) * factor
        factor += np.uint64(2) * np.uint64(_FACTOR)
    rest = np.uint64(0)
    for byte in range(length % _WORD):
        rest |= np.uint64(data[whole + byte]) << np.uint64(8 * byte)
    total += (rest ^ (rest >> np.uint64(_MIX))) * factor
    return np.int64((total ^ (total >> np.uint64(_HALF))) & np.uint64(0x7FFFFFFFFFFFFFFF))


@compiled()
def _look_up(data: Any, at: Any, length: Any, kept: Any, ends: Any, table: Any) -> Any:
    """Give the place in the table of the head with these bytes, or that where it belongs."""
    place = _checksum(data, at, length) & (len(table) - 1)
    while table[place] >= 0:
        number = table[place]
        begin = ends[number - 1] if number > 0 else 0
        if ends[number] - begin == length:
            ours, theirs, differ = kept[begin : begin + length], data[at : at + length], 0
            for byte in range(length):
                differ |= ours[byte] ^ theirs[byte]
            if differ == 0:
                break
        place = (place + 1) & (len(table) - 1)
    return place


@compiled()
def _behind_number(data: Any, place: Any, end: Any) -> Any:
    """Give the place behind a whole number, -1 where it goes on behind the end."""
    while place < end:
        place += 1
        if data[place - 1] < 0x80:
            return place
    return -1


@compiled()
def _behind_text(data: Any, place: Any, end: Any) -> Any:
    length, shift = 0, 0
    while place < end and shift < _HALF:
        byte: Any = np.int64(data[place])
        place += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            place += length >> 1
            return place if length & 1 == 0 and place <= end else -1
    return -1


@compiled()
def _end_of(data: Any, place: Any, end: Any, fields: Any) -> Any:
    """Give the place behind the fields of a head, -1 where they go on behind the end."""
    for field in range(len(fields)):
        if fields[field, 1]:
            if place >= end or (data[place] != _PRESENT and data[place] != 0):
                return -1
            place += 1
            if data[place - 1] == 0:
                continue
        if fields[field, 0] == DOUBLE:
            place = place + _WORD if place + _WORD <= end else -1
        elif fields[field, 0] == TEXT:
            place = _behind_text(data, place, end)
        else:
            place = _behind_number(data, place, end)
        if place < 0:
            return -1
    return place


@compiled(BYTES, ROWS_OF_LONGS, ROWS_OF_LONGS, BYTES, LONGS, LONGS, LONGS)
def find_heads(
    data: _Bytes,
    places: _Integers,
    fields: _Integers,
    kept: _Bytes,
    ends: _Integers,
    table: _Integers,
    found: _Integers,
) -> int:
    """Tell of each message the number of its head; give how many are not known.

    Of one that is not known it tells -1 less its length: where there is none at all, just -1.

    ``places`` (2, n) says where each begins and how long it is,
    ``fields`` (k, 2) say of each field of a head what it holds, and whether it may be null.
    """
    unknown = 0
    for row in range(places.shape[1]):
        found[row] = -1
        at = places[0, row] + BEGIN
        end = _end_of(data, at, places[0, row] + places[1, row], fields)
        if end > at:
            number = table[_look_up(data, at, end - at, kept, ends, table)]
            found[row] = number if number >= 0 else -1 - (end - at)
        unknown += found[row] < 0
    return unknown


@compiled(BYTES, BYTES, LONGS, LONGS)
def find_head(head: _Bytes, kept: _Bytes, ends: _Integers, table: _Integers) -> int:
    """Give the number of a head by its bytes, -1 where it is not known."""
    return table[_look_up(head, 0, len(head), kept, ends, table)]  # type: ignore[no-any-return]


@compiled(BYTES, LONGS, LONGS, LONG, LONG)
def enter_heads(kept: _Bytes, ends: _Integers, table: _Integers, first: int, behind: int) -> None:
    """Enter heads into the table, from one number until before another."""
    for number in range(first, behind):
        begin = ends[number - 1] if number > 0 else 0
        table[_look_up(kept, begin, ends[number] - begin, kept, ends, table)] = number
