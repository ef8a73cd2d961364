"""Which faults are put into which series, at which five magnitudes.

A magnitude is a multiple of what the ruleset allows, so that it means the same for every measure:
of the step limit for the series' cadence, or of the time for which it may stand still.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from operate.quality.counters import LOST
from operate.quality.series import Series
from weather import injection
from weather.arrays import Bools, Floats
from weather.injection import Fault, Faulty
from weather.parameters import Quantity, measure_of
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

_TIMES: Final = (1.0, 2.0, 3.0, 5.0, 10.0)
_DRIFTS: Final = (0.1, 0.3, 1.0, 3.0, 10.0)
_DRIFT_READINGS: Final = 120
_STUCK: Final = (0.5, 1.1, 1.5, 2.0, 4.0)
_MIXED_READINGS: Final = 24
_SENTINELS: Final = (-9999.0, 32767.0, -999.0, -99.9, 999.9)
_SWAPPED: Final = (1, 3, 6, 24, 72)
_SHIFTS: Final = (-540, -60, 10, 60, 540)

_MIXED: Final[dict[Quantity, tuple[tuple[str, float, float], ...]]] = {
    Quantity.TEMPERATURE: (
        ("°F as °C", 1.8, 32.0),
        ("°C as °F", 5 / 9, -160 / 9),
        ("K as °C", 1.0, 273.15),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
    Quantity.HUMIDITY: (
        ("part as %", 0.01, 0.0),
        ("of 255 as %", 2.55, 0.0),
        ("of 16 as %", 0.16, 0.0),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
    Quantity.PRESSURE: (
        ("kPa as hPa", 0.1, 0.0),
        ("mmHg as hPa", 0.750062, 0.0),
        ("inHg as hPa", 0.02953, 0.0),
        ("times 10", 10.0, 0.0),
        ("Pa as hPa", 100.0, 0.0),
    ),
    Quantity.SPEED: (
        ("km/h as m/s", 3.6, 0.0),
        ("kt as m/s", 3600 / 1852, 0.0),
        ("mph as m/s", 1 / 0.44704, 0.0),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
    Quantity.DEPTH: (
        ("in as mm", 1 / 25.4, 0.0),
        ("mm as in", 25.4, 0.0),
        ("tips of 0.2 as mm", 5.0, 0.0),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
}
"""Units sent and taken for others: name, factor and shift of the standard value."""


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
        if self.fault is Fault.UNIT and parameter:
            return _mixed(parameter)[self.magnitude][0]
        return _TOLD[self.fault][self.magnitude]


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


def _mixed(parameter: str) -> tuple[tuple[str, float, float], ...]:
    measure = dict(MAIN)[parameter]
    return _MIXED[measure_of(parameter, measure).quantity]


def _places(series: Series, length: int, seed: int, which: object = None) -> injection.Places:
    healthy = series.healthy if which is None else series.healthy & np.asarray(which, np.bool_)
    return injection.places(healthy, length, _CLEAR, _MOST_EVENTS, seed)


def _spike(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    high = _TIMES[magnitude] * height(series)
    starts = _places(series, 1, seed)
    return (
        None if math.isnan(high) else injection.spike(series.at, series.values, starts, high, seed)
    )


def _drift(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    if series.parameter == "rainfall":
        return None
    per_day = _DRIFTS[magnitude] * height(series)
    starts = _places(series, _DRIFT_READINGS, seed)
    return injection.drift(series.at, series.values, starts, _DRIFT_READINGS, per_day, seed)


def _stuck(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    limits = series.limits.flat_line
    if limits is None:
        return None
    length = max(2, math.ceil(_STUCK[magnitude] * window(series)))
    moving = (series.values > limits.calm) & (series.values < limits.saturated)
    starts = _places(series, length, seed)
    return injection.stuck(series.at, series.values, starts[moving[starts]], length)


def _unit(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    _, scale, offset = _mixed(series.parameter)[magnitude]
    starts = _places(series, _MIXED_READINGS, seed)
    if series.parameter == "rainfall":  # nothing is nothing in every unit
        wet = [series.values[start : start + _MIXED_READINGS].any() for start in starts.tolist()]
        starts = starts[np.array(wet, np.bool_)]
    return injection.rescaled(series.at, series.values, starts, _MIXED_READINGS, scale, offset)


def _sentinel(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    given = np.array([_SENTINELS[magnitude]])
    sentinel = float(to_standard(given, series.parameter, series.measure, series.unit)[0])
    return injection.leaked(series.at, series.values, _places(series, 1, seed), sentinel)


def _swap(series: Series, every: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    other = _partner(series, every)
    if other is None:
        return None
    values, there = _aligned(series, other)
    length = _SWAPPED[magnitude]
    starts = _places(series, length, seed, there)
    differ = [(values != series.values)[start : start + length].any() for start in starts.tolist()]
    starts = starts[np.array(differ, np.bool_)]
    return injection.swapped(series.at, series.values, values, starts, length)


def _clock(series: Series, _all: Sequence[Series], magnitude: int, seed: int) -> Faulty | None:
    starts = _places(series, _MIXED_READINGS, seed)
    by = _SHIFTS[magnitude] * _MINUTE
    return injection.shifted(series.at, series.values, starts, _MIXED_READINGS, by)


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
    Fault.SENTINEL: _sentinel,
    Fault.SWAP: _swap,
    Fault.CLOCK: _clock,
}
_TOLD: Final[dict[Fault, tuple[str, ...]]] = {
    Fault.SPIKE: tuple(f"{times:g} times the step limit" for times in _TIMES),
    Fault.DRIFT: tuple(f"{times:g} times the step limit a day" for times in _DRIFTS),
    Fault.STUCK: tuple(f"{times:g} times the window" for times in _STUCK),
    Fault.UNIT: tuple(f"{kind}. of its units" for kind in range(1, 6)),
    Fault.SENTINEL: tuple(f"{sentinel:g}" for sentinel in _SENTINELS),
    Fault.SWAP: tuple(f"{length} readings" for length in _SWAPPED),
    Fault.CLOCK: tuple(f"{minutes:+d} min" for minutes in _SHIFTS),
    Fault.RESET: tuple(f"after {lost:g} mm" for lost in LOST),
}
