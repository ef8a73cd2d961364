"""Times as databases write them, read in one loop, compiled: ``2013-11-03 01:00:00.0000000``.

The days of a date are counted as of 1 March, behind which no month changes its length.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import BYTES, LONGS, MASK, compiled

_WHOLE_SECONDS: Final = 19
_LONGEST: Final = 27
_MICROS: Final = 6
_MINUS, _COLON, _BLANK, _T, _POINT, _ZERO = b"-: T.0"
_DAYS_TO_1970: Final = 719_468
"""From 1 March of the year 0 to 1 January 1970."""
_NO_TIME: Final = -(2**63)
"""What is no time, or not written in the plain way."""


@compiled()
def number_at(text: Any, place: int, digits: int) -> int:
    """Read so many digits; negative: one of them is none."""
    found, strange = 0, 0
    for at in range(place, place + digits):
        digit: int = text[at] - np.int64(_ZERO)
        strange |= digit | (9 - digit)
        found = 10 * found + digit
    return found if strange >= 0 else -1


@compiled()
def days_until(year: int, month: int, day: int) -> int:
    """Count the days from 1970 to a date; ``_NO_TIME``: no calendar has it."""
    if not (year > 0 and 1 <= month <= 12 and 1 <= day <= 31):
        return _NO_TIME
    if day == 31 and month in (4, 6, 9, 11):
        return _NO_TIME
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if month == 2 and day > 28 + int(leap):
        return _NO_TIME
    as_of_march, whole = (month + 9) % 12, year - int(month <= 2)
    days = 365 * whole + whole // 4 - whole // 100 + whole // 400
    return days + (153 * as_of_march + 2) // 5 + day - 1 - _DAYS_TO_1970


@compiled()
def seconds_at(text: Any) -> int:
    """Read date and clock; ``_NO_TIME``: there is no such time, or it is not written so."""
    parts = text[4] == text[7] == _MINUS and text[13] == text[16] == _COLON
    if not parts or text[10] not in (_BLANK, _T):
        return _NO_TIME
    days = days_until(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2))
    hour, minute, second = number_at(text, 11, 2), number_at(text, 14, 2), number_at(text, 17, 2)
    clock = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
    return (
        ((24 * days + hour) * 60 + minute) * 60 + second if clock and days > _NO_TIME else _NO_TIME
    )


@compiled()
def fraction_at(text: Any) -> int:
    """Read the microseconds behind whole seconds; digits beyond are cut. Negative: none."""
    size = len(text)
    if size == _WHOLE_SECONDS:
        return 0
    digits = size - _WHOLE_SECONDS - 1
    found = number_at(text, _WHOLE_SECONDS + 1, digits)
    if text[_WHOLE_SECONDS] != _POINT or digits < 1 or found < 0:
        return -1
    for _ in range(digits, _MICROS):
        found *= 10
    for _ in range(_MICROS, digits):
        found //= 10
    return found


@compiled()
def difference(text: Any, other: Any) -> int:
    """Compare two texts of one length: 0 where they are the same."""
    found: int = 0
    for place in range(len(text)):
        found |= text[place] ^ other[place]
    return found


@compiled(BYTES, LONGS, LONGS, LONGS, MASK)
def read_times(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    micros: NDArray[np.int64],
    plain: NDArray[np.bool_],
) -> None:
    """Read each time in microseconds since 1970; what is not written so is not ``plain``.

    Stations report at the same minute: a time that is the row's before needs no second reading.
    """
    for row in range(len(starts)):
        size = lengths[row]
        if not _WHOLE_SECONDS <= size <= _LONGEST:
            continue
        text = data[starts[row] : starts[row] + size]
        before = row - 1 if row and plain[row - 1] and lengths[row - 1] == size else row
        if before < row and not difference(text, data[starts[before] : starts[before] + size]):
            micros[row], plain[row] = micros[before], True
            continue
        seconds, fraction = seconds_at(text), fraction_at(text)
        if seconds > _NO_TIME and fraction >= 0:
            micros[row] = seconds * 1_000_000 + fraction
            plain[row] = True
