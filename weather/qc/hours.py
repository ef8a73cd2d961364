"""The step test over hours: a change that is slow enough for every minute, and yet too large.

A reading is compared with the hourly samples of the last twelve hours: of each hour the first
reading that is there and that neither step nor spike test found fault with, those of this test
included. What is allowed is what the steps of an hour and more allow for the time between them, as
in :mod:`weather.qc.step`. So one bad sample does not condemn half a day; and where a level has
changed for good, the limits of longer times let it pass, after twelve hours at the latest.

A sample is kept as a single, its time to the second: what that takes from it is allowed for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from weather.arrays import Flags, Floats, Micros
from weather.limits import Step
from weather.qc.flags import Flag

HOURS: Final = 12
"""Samples of a series. WMO-No. 305 has limits for changes in 1, 2, 3, 6 and 12 hours."""
HOUR: Final = 3_600_000_000
SECOND: Final = 1_000_000
ROUNDED: Final = 1.2e-7
"""What a single may be off, as a part of its value, twice over (6e-8, IEEE 754)."""
_BAD: Final = (Flag.SUSPECT, Flag.FAIL)


def long_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Give the steps that hourly samples are held to: those of an hour and more.

    >>> long_steps((Step(1, 3.0), Step(60, 7.0)))
    (Step(minutes=60, suspect=7.0, fail=inf),)
    """
    return tuple(step for step in steps if step.minutes * 60 * SECOND >= HOUR)


def hours_test(
    at: Micros,
    values: Floats,
    step: Flags,
    spike: Flags,
    steps: Sequence[Step],
    resolution: Floats | None = None,
) -> Flags:
    """Give the flags of ``step`` of one series, sorted by time, raised by the steps over hours.

    All of shape (n,); times in UTC microseconds. A sensor's ``resolution`` is allowed for, where it
    is known (not NaN).

    >>> at = np.arange(5) * 1_800_000_000
    >>> values, fine = np.array([10.0, 14.0, 18.0, 22.0, 10.0]), np.ones(5, np.int32)
    >>> hours_test(at, values, fine, fine, (Step(60, 7.0), Step(120, 10.0))).tolist()
    [1, 1, 3, 3, 1]
    """
    slack = np.zeros(len(at)) if resolution is None else np.nan_to_num(resolution, nan=0.0)
    samples: dict[int, tuple[int, float]] = {}
    judged = step.copy()
    for row, (now, value) in enumerate(zip(at.tolist(), values.tolist(), strict=True)):
        if np.isnan(value):
            continue
        allowed = float(slack[row]) + ROUNDED * abs(value)
        flags = [
            _compared(now - then, abs(value - sample) - allowed, long_steps(steps))
            for then, sample in samples.values()
        ]
        worst = max(flags, default=Flag.GOOD)
        if worst > Flag.GOOD:
            judged[row] = max(worst, judged[row])
        hour = now // HOUR
        known = samples.get(hour % HOURS)
        fine = judged[row] not in _BAD and spike[row] not in _BAD
        if fine and (known is None or known[0] // HOUR != hour):
            samples[hour % HOURS] = now // SECOND * SECOND, float(np.float32(value))
    return judged


def _compared(elapsed: int, change: float, steps: Sequence[Step]) -> Flag:
    step = next((one for one in steps if 0 < elapsed <= one.minutes * 60 * SECOND), None)
    if step is None or change <= step.suspect:
        return Flag.GOOD
    return Flag.FAIL if change > step.fail else Flag.SUSPECT
