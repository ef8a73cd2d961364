"""One walk along each series, compiled: what stands before and behind every reading.

It finds what :func:`weather.qc.series.neighbours` and :func:`weather.qc.digits.counted` find, which
walk over all readings some sixty times; a property test holds them together.

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import DOUBLES, ROWS_OF_DOUBLES, ROWS_OF_LONGS, compiled

LENGTH, STEPS, AT, BROKEN, SINCE, COUNT, GRAIN, RUNS = range(8)
"""Columns of what is known of a series: how many readings it has, which row of steps its digits are
looked at by (-1: none), and its past. From AT on they are also rows of what is known after each
reading; the first two are then ELAPSED and TO_BEHIND."""
ELAPSED, TO_BEHIND = LENGTH, STEPS
ODD: Final = 8
"""The row behind those: whether its digits are odd."""
HERE, CHANGE, RISE, FALL, RESOLUTION, NEWEST = range(6)
"""Rows of doubles: the value, which is given; what is found; and the newest usable value."""
SIZES, LEARNT, PAIRS = range(3)
"""Columns of steps: how many there are, from how many values in a row on one is the sensor's, and
how many pairs of a step and its fivefold follow."""
ENTRY_AT: Final = 0
ENTRY_MARKS: Final = 7
LIVE: Final = 32
"""Which bit of an entry's last word says that the reading is there."""
FINEST: Final = 40
"""The finest grain; row 0 of sizes says how large each is."""
_MOST: Final = 15
_BITS: Final = 4
_COARSE: Final = 4
_ROUNDED: Final = 2e-3
_FACTOR: Final = 2e-6


@compiled()
def _is_multiple(value: Any, size: Any) -> bool:
    rest = np.rint(value * (1.0 / size)) * size
    return bool(abs(rest - value) - _FACTOR * abs(value) <= _ROUNDED * size)


@compiled()
def _digits(value: Any, runs: Any, steps: Any, sizes: Any) -> tuple[Any, bool]:
    """Count on how many values in a row were multiples of each step; say whether this is odd."""
    counted, odd = 0 * runs, False
    for place in range(steps[SIZES]):
        run = (runs >> (_BITS * place)) & _MOST
        if _is_multiple(value, sizes[place]):
            counted |= min(run + 1, _MOST) << (_BITS * place)
        elif run >= steps[LEARNT]:
            odd = True
    for pair in range(steps[PAIRS]):
        fine = (counted >> (_BITS * steps[PAIRS + 1 + 2 * pair])) & _MOST
        often = (counted >> (_BITS * steps[PAIRS + 2 + 2 * pair])) & _MOST
        if fine >= steps[LEARNT] and _COARSE <= often < steps[LEARNT]:
            odd = True
    return counted, odd


@compiled()
def _finer(change: Any, grain: Any, sizes: Any) -> Any:
    """Give the finer of a grain and that of a change; what is finer than any is but rounding."""
    size, found = abs(change), max(grain, 1)
    if not size > 0.0:
        return grain
    while found <= FINEST and size < sizes[found]:
        found += 1
    return found if found <= FINEST else grain


@compiled()
def _look_back(first: Any, row: Any, entries: Any, numbers: Any, doubles: Any) -> None:
    """Tell the readings from one on that the next that is there is this."""
    for earlier in range(first, row):
        numbers[TO_BEHIND, earlier] = entries[row, ENTRY_AT] - entries[earlier, ENTRY_AT]
        if _is_live(entries, earlier):
            doubles[FALL, earlier] = doubles[HERE, earlier] - doubles[HERE, row]


@compiled()
def _is_live(entries: Any, row: Any) -> bool:
    return bool(entries[row, ENTRY_MARKS] >> LIVE & 1)


@compiled()
def _look_before(
    row: Any, newest: Any, past: Any, entries: Any, sizes: Any, numbers: Any, doubles: Any
) -> Any:
    """Compare a reading with the newest usable one, and give its value if it is usable itself."""
    here, at, live = doubles[HERE, row], entries[row, ENTRY_AT], _is_live(entries, row)
    usable = live and not np.isnan(here)
    change = here - newest if usable else np.nan
    numbers[TO_BEHIND, row], doubles[FALL, row] = 0, np.nan
    numbers[ELAPSED, row] = 0 if np.isnan(change) else at - past[AT]
    doubles[CHANGE, row], doubles[RISE, row] = change, np.nan if past[BROKEN] else change
    doubles[RESOLUTION, row] = sizes[0, past[GRAIN]] if past[GRAIN] > 0 else np.nan
    past[GRAIN] = _finer(change, past[GRAIN], sizes[0])
    if live:
        past[BROKEN] = not usable
    if not usable:
        return newest
    past[AT], past[COUNT] = at, past[COUNT] + 1
    if change != 0.0:
        past[SINCE], past[COUNT] = at, 1
    return here


@compiled()
def _look_at_digits(
    row: Any, live: Any, past: Any, steps: Any, sizes: Any, numbers: Any, doubles: Any
) -> None:
    """Count the digits of a value that is there and tells something: it changed, and is not 0."""
    here, odd, which = doubles[HERE, row], False, past[STEPS]
    usable = live and not np.isnan(here)
    if which >= 0 and usable and here != 0.0 and doubles[CHANGE, row] != 0.0:
        past[RUNS], odd = _digits(here, past[RUNS], steps[which], sizes[1 + which])
    numbers[ODD, row] = odd


@compiled(
    ROWS_OF_LONGS,
    DOUBLES,
    ROWS_OF_LONGS,
    ROWS_OF_LONGS,
    ROWS_OF_DOUBLES,
    ROWS_OF_LONGS,
    ROWS_OF_DOUBLES,
)
def look_around(
    entries: NDArray[np.int64],
    before: NDArray[np.float64],
    series: NDArray[np.int64],
    steps: NDArray[np.int64],
    sizes: NDArray[np.float64],
    numbers: NDArray[np.int64],
    doubles: NDArray[np.float64],
) -> None:
    """Walk along m series of n ``entries`` (n, 8) in all, each sorted by time.

    ``before`` (m,) is the newest usable value before each series, and ``series`` (m, 8) what else
    is known of it: it is known behind its last reading afterwards. ``numbers`` (9, n) and
    ``doubles`` (6, n) have the rows named above. ``sizes`` are those of grains and, in the rows
    below, of ``steps``.
    """
    behind = 0
    for one in range(len(series)):
        past, newest, first = series[one], before[one], behind
        open_, behind = first, first + past[LENGTH]
        past[GRAIN] &= sizes.shape[1] - 1
        if past[STEPS] < 0:
            past[RUNS] = 0
        for row in range(first, behind):
            newest = _look_before(row, newest, past, entries, sizes, numbers, doubles)
            live = _is_live(entries, row)
            _look_at_digits(row, live, past, steps, sizes, numbers, doubles)
            doubles[NEWEST, row] = newest
            for name in range(AT, ODD):
                numbers[name, row] = past[name]
            if live:
                _look_back(open_, row, entries, numbers, doubles)
                open_ = row
