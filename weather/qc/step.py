"""The step test: a change that is too large for the time that it took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weather.arrays import Flags, Floats, Micros
from weather.limits import Factor, Step
from weather.qc.flags import Flag, flags_like

_MINUTE = 60_000_000


def step_test(
    change: Floats,
    elapsed: Micros,
    steps: Sequence[Step],
    *,
    rises_only: bool = False,
    resolution: Floats | None = None,
) -> Flags:
    """Flag changes beyond the limit for the time since the reading before, in microseconds.

    ``|change| > limit(elapsed)``, strictly, as in ioos_qc's ``rate_of_change_test``. The limit is
    that of the shortest step that is as long as the time elapsed. Beyond the longest, and where
    there is no change to judge (NaN), the test is not made: 2.

    A sensor of a coarse ``resolution`` may round two readings apart by that much more than the air
    has changed; where it is given and known (not NaN), so much is allowed beyond the limits.

    >>> limits = (Step(1, 3.0, fail=10.0), Step(60, 4.0))
    >>> minutes = np.array([1, 1, 1, 30, 90]) * 60_000_000
    >>> step_test(np.array([3.0, -3.1, 11.0, 5.0, 0.0]), minutes, limits).tolist()
    [1, 3, 4, 3, 2]
    """
    if not steps:
        return flags_like(change.shape, Flag.NOT_EVALUATED)
    place = np.searchsorted([step.minutes * _MINUTE for step in steps], elapsed)
    suspect = np.array([*(step.suspect for step in steps), np.nan])[place]
    fail = np.array([*(step.fail for step in steps), np.nan])[place]
    size = change if rises_only else np.abs(change)
    if resolution is not None:
        size = size - np.nan_to_num(resolution, nan=0.0)
    flags = flags_like(change.shape, Flag.GOOD)
    flags[size > suspect] = Flag.SUSPECT
    flags[size > fail] = Flag.FAIL
    flags[np.isnan(size) | np.isnan(suspect)] = Flag.NOT_EVALUATED
    return flags


def factor_test(values: Floats, change: Floats, elapsed: Micros, limits: Factor | None) -> Flags:
    """Suspect values that became so many times as large or as small as the one before.

    ``values`` are those after the ``change``. Where no time is near enough, or there is nothing to
    compare, the test is not made: 2.

    >>> values, change = np.array([10.0, 60.0, 8.0]), np.array([np.nan, 50.0, -52.0])
    >>> factor_test(values, change, np.full(3, 60_000_000), Factor(60, 6.2, 10.0)).tolist()
    [2, 1, 3]
    """
    if limits is None:
        return flags_like(values.shape, Flag.NOT_EVALUATED)
    before = values - change
    low, high = np.minimum(values, before), np.maximum(values, before)
    flags = flags_like(values.shape, Flag.GOOD)
    flags[(high > limits.suspect * low) & (high - low > limits.least)] = Flag.SUSPECT
    flags[np.isnan(before) | (elapsed > limits.minutes * _MINUTE)] = Flag.NOT_EVALUATED
    return flags
