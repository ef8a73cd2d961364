"""Which faults are put into which series, at which five magnitudes.

A magnitude is a multiple of what the ruleset allows, so that it means the same for every measure:
of the step limit for the series' cadence, or of the time for which it may stand still.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from operate.quality.magnitudes import (
    DECIMALS,
    DRIFT_READINGS,
    DRIFTS,
    MIXED,
    MIXED_RAIN,
    MIXED_RAIN_APART,
    MIXED_READINGS,
    SENTINELS,
    SHIFTS,
    STUCK,
    SWAPPED,
    TIMES,
    TOLD,
)
from operate.quality.series import Series, own_step
from weather import injection
from weather.arrays import Bools, Floats
from weather.injection import NONE, Fault, Faulty
from weather.parameters import measure_of
from weather.qc.series import grain_of, resolution
from weather.ruleset import Limits, Step
from weather.units import to_standard

_MINUTE: Final = 60_000_000
_MOST_EVENTS: Final = 40
_CLEAR: Final = 26
"""Readings between two faults, so that none is the neighbour of the next."""

MAIN: Final = (
    ("temperature", "value"),
    ("humidity", "value"),
    ("pressure", "value"),
    ("wind", "speed"),
    ("rainfall", "value"),
)
"""The measures into which faults are put."""


class Put(NamedTuple):
    """A series, and the same with faults."""

    series: Series
    faulty: Faulty


@dataclass(frozen=True, slots=True)
class Case:
    """A fault at one of its five magnitudes (0 the smallest, or the first kind)."""

    fault: Fault
    magnitude: int

    def put(self, series: Sequence[Series], seed: int) -> list[Put]:
        """Put it into all series that it can happen to."""
        make = _MAKERS[self.fault]
        made = [(one, make(one, series, self.magnitude, seed)) for one in series]
        return [Put(one, faulty) for one, faulty in made if faulty is not None]

    def told(self, parameter: str = "") -> str:
        """Say how large it is; of a unit mix-up, which it is depends on the parameter."""
        if self.fault in (Fault.UNIT, Fault.ROUNDED) and parameter:
            return _mixed(parameter)[self.magnitude][0]
        return TOLD[self.fault][self.magnitude]


CASES: Final = tuple(Case(fault, magnitude) for fault in Fault for magnitude in range(5))


def step_limit(limits: Limits, cadence: int) -> float:
    """Give what a measure may change from reading to reading; NaN where no test looks so far.

    >>> from weather.ruleset import Span, Step
    >>> step_limit(Limits(Span(0, 9), steps=(Step(1, 3.0), Step(60, 4.0))), 600_000_000)
    4.0
    """
    minutes = cadence / _MINUTE
    allowed = [step.suspect for step in _steps(limits) if minutes <= step.minutes]
    if allowed:
        return allowed[0]
    spike = limits.spike
    return spike.suspect if spike is not None and minutes <= spike.within_minutes else math.nan


def is_limited(series: Series) -> bool:
    """Say whether the ruleset limits steps or spikes at this series' cadence at all."""
    return not math.isnan(step_limit(series.limits, series.cadence))


def height(series: Series) -> float:
    """Give the step limit, or where there is none the one that would be next."""
    limits = series.limits
    found = step_limit(limits, series.cadence)
    if math.isnan(found) and _steps(limits):
        return _steps(limits)[-1].suspect
    return found if limits.spike is None or not math.isnan(found) else limits.spike.suspect


def _steps(limits: Limits) -> tuple[Step, ...]:
    """Give what may change, or of rain fall, in so many minutes."""
    return limits.amounts or limits.steps


def window(series: Series) -> int:
    """Give how many equal readings the flat line test allows this series; 0: it is not made."""
    limits = series.limits.flat_line
    if limits is None:
        return 0
    finest = np.nanmin(resolution(grain_of(np.diff(series.values))), initial=np.inf)
    coarser = max(1.0, finest / limits.resolution)
    return max(
        limits.readings, math.ceil(limits.suspect_minutes * coarser * _MINUTE / series.cadence)
    )


def _kept(series: Series, faulty: Faulty) -> Faulty:
    """Let the logger go on rounding as it does, whatever the sensor tells it."""
    step = own_step(series)
    if not step:
        return faulty
    rounded = np.rint(faulty.values / step) * step
    return replace(faulty, values=np.where(faulty.event != NONE, rounded, faulty.values))


def _mixed(parameter: str) -> tuple[tuple[str, float, float], ...]:
    measure = dict(MAIN)[parameter]
    return MIXED[measure_of(parameter, measure).quantity]


def _places(
    series: Series, length: int, seed: int, which: object = None, apart: int = _CLEAR
) -> injection.Places:
    healthy = series.healthy if which is None else series.healthy & np.asarray(which, np.bool_)
    return injection.places(healthy, length, apart, _MOST_EVENTS, seed)


def _spike(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    high = TIMES[magnitude] * height(series)
    starts = _places(series, 1, seed)
    if math.isnan(high):
        return None
    return _kept(series, injection.spike(series.at, series.values, starts, high, seed))


def _drift(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    if series.parameter == "rainfall":
        return None
    per_day = DRIFTS[magnitude] * height(series)
    starts = _places(series, DRIFT_READINGS, seed)
    drifting = injection.drift(series.at, series.values, starts, DRIFT_READINGS, per_day, seed)
    return _kept(series, drifting)


def _stuck(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    limits = series.limits.flat_line
    if limits is None:
        return None
    length = max(2, math.ceil(STUCK[magnitude] * window(series)))
    moving = (series.values > limits.calm) & (series.values < limits.saturated)
    starts = _places(series, length, seed)
    return injection.stuck(series.at, series.values, starts[moving[starts]], length)


def _unit(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    _, scale, offset = _mixed(series.parameter)[magnitude]
    rain = series.parameter == "rainfall"
    length, apart = (MIXED_RAIN, MIXED_RAIN_APART) if rain else (MIXED_READINGS, _CLEAR)
    starts = _places(series, length, seed, apart=apart)
    if rain:  # nothing is nothing in every unit
        wet = [series.values[start : start + length].any() for start in starts.tolist()]
        starts = starts[np.array(wet, np.bool_)]
    return injection.rescaled(series.at, series.values, starts, length, scale, offset)


def _rounded(series: Series, every: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    faulty = _unit(series, every, magnitude, seed)
    if faulty is None:
        return None
    anew = np.round(faulty.values, DECIMALS)
    return replace(faulty, values=np.where(faulty.event != NONE, anew, faulty.values))


def _sentinel(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    given = np.array([SENTINELS[magnitude]])
    sentinel = float(to_standard(given, series.parameter, series.measure, series.unit)[0])
    return injection.leaked(series.at, series.values, _places(series, 1, seed), sentinel)


def _swap(series: Series, every: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    other = _partner(series, every)
    if other is None:
        return None
    values, there = _aligned(series, other)
    length = SWAPPED[magnitude]
    starts = _places(series, length, seed, there)
    differ = [(values != series.values)[start : start + length].any() for start in starts.tolist()]
    starts = starts[np.array(differ, np.bool_)]
    return _kept(series, injection.swapped(series.at, series.values, values, starts, length))


def _clock(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    starts = _places(series, MIXED_READINGS, seed)
    by = SHIFTS[magnitude] * _MINUTE
    return injection.shifted(series.at, series.values, starts, MIXED_READINGS, by)


def _partner(series: Series, every: Sequence[Series]) -> Series | None:
    """Find whose cable it is: thermometer and hygrometer of a station, else another station's."""
    across = {"temperature": "humidity", "humidity": "temperature"}.get(series.parameter)
    for other in every:
        if across is not None and (other.parameter, other.station) == (across, series.station):
            return other
        alike = (other.parameter, other.measure) == (series.parameter, series.measure)
        if across is None and alike and other.station != series.station:
            return other
    return None


def _aligned(series: Series, other: Series) -> tuple[Floats, Bools]:
    """Give the other's healthy values at this one's times, and where there are any."""
    place = np.minimum(np.searchsorted(other.at, series.at), len(other.at) - 1)
    there = (other.at[place] == series.at) & other.healthy[place]
    return np.where(there, other.values[place], np.nan), there


_Maker = Callable[[Series, Sequence[Series], int, int], Faulty | None]
_MAKERS: Final[dict[Fault, _Maker]] = {
    Fault.SPIKE: _spike,
    Fault.DRIFT: _drift,
    Fault.STUCK: _stuck,
    Fault.UNIT: _unit,
    Fault.ROUNDED: _rounded,
    Fault.SENTINEL: _sentinel,
    Fault.SWAP: _swap,
    Fault.CLOCK: _clock,
}
