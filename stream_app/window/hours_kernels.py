"""One walk along each series, compiled: readings beside the hourly samples of twelve hours.

It finds what :func:`weather.qc.hours.hours_test` finds; a property test holds them together.

Nothing here raises, or reads or writes outside the arrays that it is given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.compiled import ROWS_OF_DOUBLES, ROWS_OF_LONGS, compiled

LENGTH, KEPT, FIRST, OLDEST = range(4)
"""Columns of what is known of a series: how many entries of it are laid out, how many of its ring
stand before these, where its ring begins, and how many places behind that its oldest entry is."""
CASE, ROW, ENTRY = range(3)
"""Rows of what is found: which limits hold for each entry, which is given; the series of a sample
that leaves, and its entry: that in a ring, of which the place is taken from -2, or one laid out."""
COUNT, LEAST, FIRST_STEP = range(3)
"""Columns of limits: how many steps there are, the least that is suspect by any, and from where on
there are for each: for how many microseconds it is, what is suspect, and what fails."""
AT: Final = 0
VALUE: Final = 2
MARKS: Final = 7
LIVE: Final = 32
GRAIN: Final = 34
STEP: Final = 40
SPIKE: Final = 44
"""Bits of an entry's last word: whether it is there, its grain, its flags of step and spike."""
RING: Final = 16
HOURS: Final = 12
LOW, HIGH = HOURS, HOURS + 1
"""Where the least and the greatest of the samples stand behind them."""
_HOUR: Final = 3_600_000_000
_SECOND: Final = 1_000_000
_ROUNDED: Final = 1.2e-7
_GRAINS: Final = 63
_FLAG: Final = 15
_GOOD: Final = 1
_SUSPECT: Final = 3
_FAIL: Final = 4


@compiled()
def _flag(marks: Any, shift: Any) -> Any:
    return (marks >> shift) & _FLAG


@compiled()
def _value(entry: Any) -> Any:
    return np.int64(entry[VALUE]).view(np.float64)


@compiled()
def _is_fine(flag: Any) -> bool:
    return bool(flag not in (_SUSPECT, _FAIL))


@compiled()
def _is_sample(entry: Any) -> bool:
    marks = entry[MARKS]
    fine = _is_fine(_flag(marks, STEP)) and _is_fine(_flag(marks, SPIKE))
    return bool(fine and (marks >> LIVE) & 1 and not np.isnan(_value(entry)))


@compiled()
def _is_new(entry: Any, times: Any, values: Any) -> bool:
    """Take an entry as the sample of its hour, if there is none; say whether it is."""
    hour = entry[AT] // _HOUR
    slot = hour % HOURS
    if (times[slot] != 0 and times[slot] // _HOUR == hour) or not _is_sample(entry):
        return False
    times[slot] = entry[AT] // _SECOND * _SECOND
    values[slot] = np.float64(np.float32(_value(entry)))
    _span(times, values)
    return True


@compiled()
def _sampled(series: Any, rings: Any, times: Any) -> Any:
    """Say how many entries need no look: all that stay in the ring, where their hour has a sample.

    Within an hour that is so for most batches.
    """
    kept, first, oldest = series[KEPT], series[FIRST], series[OLDEST]
    if kept < 1:
        return 0
    begins = rings[first + oldest, AT] // _HOUR
    ends = rings[first + (oldest + kept - 1) % RING, AT] // _HOUR
    sample = times[begins % HOURS]
    return kept if begins == ends and sample != 0 and sample // _HOUR == begins else 0


@compiled()
def _compared(elapsed: Any, change: Any, steps: Any) -> Any:
    """Say what the first of the steps that is as long makes of a change; most are below any."""
    if not change > steps[LEAST]:
        return _GOOD
    for at in range(FIRST_STEP, FIRST_STEP + 3 * np.int64(steps[COUNT]), 3):
        if elapsed <= steps[at]:
            if change > steps[at + 2]:
                return _FAIL
            return _SUSPECT if change > steps[at + 1] else _GOOD
    return _GOOD


@compiled()
def _span(times: Any, values: Any) -> None:
    """Note the least and the greatest of the samples behind them."""
    values[LOW], values[HIGH] = np.inf, -np.inf
    for slot in range(HOURS):
        if times[slot] != 0:
            values[LOW] = min(values[LOW], values[slot])
            values[HIGH] = max(values[HIGH], values[slot])


@compiled()
def _worst(at: Any, value: Any, slack: Any, times: Any, values: Any, steps: Any) -> Any:
    """Compare a reading with every sample, unless it is near enough to all of them."""
    worst, near = _GOOD, steps[LEAST] + slack
    if value - values[LOW] <= near and values[HIGH] - value <= near:
        return worst
    for slot in range(HOURS):
        elapsed = at - times[slot]
        if times[slot] != 0 and elapsed > 0:
            change = abs(value - values[slot]) - slack
            worst = max(worst, _compared(elapsed, change, steps))
    return worst


@compiled()
def _judge(entry: Any, case: Any, steps: Any, times: Any, values: Any) -> None:
    """Raise the step flag of an entry to what the samples say of it."""
    marks, value = entry[MARKS], _value(entry)
    if steps[case, COUNT] < 1 or np.isnan(value) or not (marks >> LIVE) & 1:
        return
    slack = steps[0, (marks >> GRAIN) & _GRAINS] + _ROUNDED * abs(value)
    worst = _worst(entry[AT], value, slack, times, values, steps[case])
    if worst > _GOOD and worst > _flag(marks, STEP):
        entry[MARKS] = (marks & ~(_FLAG << STEP)) | (worst << STEP)


@compiled(
    ROWS_OF_LONGS,
    ROWS_OF_LONGS,
    ROWS_OF_LONGS,
    ROWS_OF_LONGS,
    ROWS_OF_DOUBLES,
    ROWS_OF_DOUBLES,
    ROWS_OF_LONGS,
)
def look_at_hours(
    entries: NDArray[np.int64],
    series: NDArray[np.int64],
    rings: NDArray[np.int64],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    steps: NDArray[np.float64],
    found: NDArray[np.int64],
) -> int:
    """Walk along m series of n ``entries`` (n, 8) in all, whose flags of step are raised in place.

    ``series`` (m, 4) has the columns named above; ``rings`` are entries, too. ``times`` and
    ``values`` (m, 12 and 2 more) are the samples of what has left the rings; they are worked on.
    Row 0 of ``steps`` says what is allowed for each grain, the others are limits.

    ``found`` (3, more than n and all that is kept) has the rows named above; gives how many leave.
    """
    behind = count = 0
    for one in range(len(series)):
        kept, first, behind = series[one, KEPT], behind, behind + series[one, LENGTH]
        leaving = kept + behind - first - RING
        _span(times[one], values[one])
        seen = _sampled(series[one], rings, times[one])
        for place in range(seen, kept + behind - first):
            if place < kept:
                number = series[one, FIRST] + (series[one, OLDEST] + place) % RING
                entry, number = rings[number], -2 - number
            else:
                number = first + place - kept
                entry = entries[number]
                _judge(entry, found[CASE, number], steps, times[one], values[one])
            if _is_new(entry, times[one], values[one]) and place < leaving:
                found[ROW, count], found[ENTRY, count] = one, number
                count += 1
    return count
