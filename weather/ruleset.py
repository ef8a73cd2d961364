"""The limits by which readings are judged: one frozen set, and every reading names its version."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from weather.parameters import measure_of


class Span(NamedTuple):
    """A range with both limits inside."""

    low: float
    high: float


class Step(NamedTuple):
    """How much a measure may change within so many minutes."""

    minutes: float
    suspect: float
    fail: float = math.inf


class Spike(NamedTuple):
    """How far a value may stand out from both neighbours, where these are so many minutes away."""

    suspect: float
    fail: float
    within_minutes: float


class FlatLine(NamedTuple):
    """How long a measure may stand still, for a sensor that resolves ``resolution``.

    A coarser sensor may stand longer in proportion, and nothing is said of fewer than ``readings``
    equal ones. At or below ``calm``, at or above ``saturated``, standing still is natural.
    """

    suspect_minutes: float
    fail_minutes: float
    resolution: float
    readings: int = 24
    calm: float = -math.inf
    saturated: float = math.inf


@dataclass(frozen=True, slots=True)
class Limits:
    """The tests of one measure; one that has no limits here is not made.

    Beyond the span ``fail`` a value fails, beyond ``suspect`` it is suspect. ``steps`` stand in
    rising order of minutes; with ``rises_only`` a fall is natural: a counter starts anew.
    """

    fail: Span
    suspect: Span | None = None
    steps: tuple[Step, ...] = ()
    rises_only: bool = False
    spike: Spike | None = None
    flat_line: FlatLine | None = None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All limits, by parameter and measure, in standard units."""

    version: str
    limits: Mapping[tuple[str, str], Limits]

    def limits_of(self, parameter: str, measure: str) -> Limits:
        """Give the limits of a measure.

        Raises:
            ValueError: no such parameter or measure, or this ruleset has no limits for it.
        """
        found = self.limits.get((parameter, measure))
        if found is None:
            name = f"{parameter}.{measure_of(parameter, measure).name}"
            problem = f"ruleset {self.version} has no limits for {name}"
            raise ValueError(problem)
        return found

    def range_of(self, parameter: str, measure: str) -> Span:
        """Give the physical range of a measure in its standard unit; both limits pass.

        >>> DEFAULT.range_of("wind", "speed")
        Span(low=0.0, high=75.0)

        Raises:
            ValueError: as for `limits_of`.
        """
        return self.limits_of(parameter, measure).fail


_TEMPERATURE: Final = Limits(
    Span(-80.0, 60.0),
    steps=(Step(1, 3), Step(60, 4), Step(120, 7), Step(180, 9), Step(360, 15), Step(720, 25)),
    spike=Spike(3.0, 9.0, within_minutes=60),
    flat_line=FlatLine(180, 720, resolution=0.1),
)
_HUMIDITY: Final = Limits(
    Span(0.0, 105.0),
    suspect=Span(0.0, 102.0),
    steps=(Step(1, 20), Step(60, 50)),
    spike=Spike(20.0, 60.0, within_minutes=60),
    flat_line=FlatLine(360, 1440, resolution=1.0, saturated=95.0),
)
_PRESSURE: Final = Limits(
    Span(500.0, 1100.0),
    steps=(Step(1, 2, fail=10), Step(60, 3), Step(180, 9), Step(360, 18)),
    spike=Spike(2.0, 10.0, within_minutes=60),
    flat_line=FlatLine(180, 720, resolution=0.1),
)
_SPEED: Final = Limits(
    Span(0.0, 75.0),
    steps=(Step(10, 10, fail=20),),
    spike=Spike(10.0, 20.0, within_minutes=10),
    flat_line=FlatLine(240, 960, resolution=0.1, calm=0.5),
)
_DIRECTION: Final = Limits(Span(0.0, 360.0), flat_line=FlatLine(240, 960, resolution=1.0))
_RAINFALL: Final = Limits(Span(0.0, 1800.0), steps=(Step(1, 20),), rises_only=True)

DEFAULT: Final = Ruleset(
    version="default-2",
    limits=MappingProxyType(
        {
            ("temperature", "value"): _TEMPERATURE,
            ("humidity", "value"): _HUMIDITY,
            ("pressure", "value"): _PRESSURE,
            ("wind", "speed"): _SPEED,
            ("wind", "direction"): _DIRECTION,
            ("wind", "gust"): Limits(Span(0.0, 128.0)),
            ("rainfall", "value"): _RAINFALL,
        }
    ),
)
"""Limits that hold anywhere on Earth, at any cadence.

Range:

- temperature -80..60 °C [Z]; the Korean -40..60 [K] would fail a Siberian winter.
- humidity 0..105 %: [Z] ends at 100, but sensors are ±5 % above 90 % [K]. To 102 it is good and
  clamped, to 105 suspect and clamped.
- pressure at the station 500..1100 hPa [Z].
- wind speed 0..75 m/s [K], [Z]; gust at most 128 m/s; direction 0..360 degrees.
- rainfall 0..1800 mm, the limit of a day's total [K], which bounds increments and daily counters
  alike. The limit of 40 mm a minute [Z] needs the length of the interval.

Step, between a reading and the one before; an interval takes the limit of the next longer one:

- temperature 3 °C in a minute [K], [Z]; 4, 7, 9, 15, 25 °C in 1, 2, 3, 6, 12 hours [305].
- humidity 20 % in a minute [K], 50 % in an hour [M].
- pressure 2 hPa in a minute, where [Z] calls it an error, and it fails at 10 [K]; 3, 9, 18 hPa in
  1, 3, 6 hours [305]. What [Z] suspects, 0.5, is less than a barometer of whole hPa can move.
- wind speed 10 m/s suspect, 20 failed [Z], up to ten minutes apart. From hour to hour wind may do
  as it likes; so may rain, but for 20 mm in a minute [K].

Spike: the step limit of a minute to both sides; failed from three times as much, or where the step
has a limit of its own.

Flat line: no change in 180 minutes for temperature and pressure, 240 for wind [K]; humidity, for
which [K] has none, 360, and none from 95 %, where [Z] does not look either. Below 0.5 m/s vanes and
cups stand still. Failed after four times as long. What [Z] asks, a spread of 0.1 in 60 minutes,
flags every tenth minute of pressure on a normal day.
"""
