"""Rain counters that fall when they should not, put to the science that reads counters.

The sample's gauges tell amounts. So their real rain is counted up first, by the local day, and one
reading of some days starts the count anew.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from operate.quality.series import Series
from weather import injection
from weather.arrays import Bools, Flags, Floats
from weather.injection import Faulty
from weather.qc.flags import Flag
from weather.qc.series import Past, neighbours
from weather.rain import DAY, increments

LOST: Final = (0.2, 1.0, 2.0, 5.0, 10.0)
"""Millimetres that a counter has reached at least when it falls."""
_APART: Final = 26
_MOST: Final = 40


class Judged(NamedTuple):
    """A counter with resets; ``flagged`` are readings that are suspect now and were not before."""

    faulty: Faulty
    flagged: Bools


def with_resets(series: Series, magnitude: int, seed: int) -> Judged:
    """Let a counter of this rain fall, at readings where it had reached the magnitude."""
    day = (series.local - 1) // DAY  # the sample of 00:00 belongs to the day before
    counter = injection.accumulated(series.values, day)
    reached = series.healthy & (counter >= LOST[magnitude])
    starts = injection.places(reached, 1, _APART, _MOST, seed)
    faulty = injection.reset(series.at, counter, day, starts)
    before = counter_flags(series, counter) == Flag.SUSPECT
    after = counter_flags(series, faulty.values) == Flag.SUSPECT
    return Judged(faulty, after & ~before)


def counter_flags(series: Series, counter: Floats) -> Flags:
    """Judge what a counter (mm) says at the times of a series."""
    count = len(counter)
    around = neighbours(
        series.at, counter, np.ones(count, np.bool_), np.array([count]), Past.nothing(1)
    )
    return increments(counter, around.change, around.elapsed, series.local, series.cadence).flags
