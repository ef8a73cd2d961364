"""The limits by which readings are judged: one frozen set, and every reading names its version.

A set may part from its own limits for stations of some class, in some months: an :class:`Override`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Micros
from weather.limits import Buddies, Factor, FlatLine, Limits, Span, Spike, Step
from weather.parameters import measure_of

__all__ = [
    "ALWAYS",
    "DEFAULT",
    "FOR_EVER",
    "FlatLine",
    "Limits",
    "Override",
    "Ruleset",
    "Span",
    "Spike",
    "Step",
    "months_of",
]

ALWAYS: Final = -(2**63)
"""The time from which a ruleset is valid that was valid ever since; UTC microseconds."""

FOR_EVER: Final = 2**63 - 1
"""The end of a ruleset that judges until another one does; UTC microseconds."""


class Override(NamedTuple):
    """Other limits of a measure, for some classes of station and some months; none named is any.

    Months are those of the local clock; for tests that look at neighbours in time, of UTC.
    """

    parameter: str
    measure: str
    limits: Limits
    classes: tuple[int, ...] = ()
    months: tuple[int, ...] = ()

    def holds(self, classes: NDArray[np.integer], months: NDArray[np.integer]) -> Bools:
        """Say for which readings it stands, by the class of their station (1-5) and their month."""
        found = np.ones(len(classes), np.bool_)
        if self.classes:
            found &= np.isin(classes, self.classes)
        if self.months:
            found &= np.isin(months, self.months)
        return found


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All limits, by parameter and measure, in standard units.

    ``valid_from`` is the first observation time (UTC microseconds) that it judges, ``valid_until``
    the first that it judges no more. Of overrides that stand for one reading the last one does.
    """

    version: str
    limits: Mapping[tuple[str, str], Limits]
    overrides: tuple[Override, ...] = ()
    valid_from: int = ALWAYS
    valid_until: int = FOR_EVER

    def limits_of(self, parameter: str, measure: str) -> Limits:
        """Give the limits of a measure, overrides apart.

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

    def depends(self, parameter: str, measure: str) -> bool:
        """Say whether the limits of a measure depend on station or month at all."""
        return any((o.parameter, o.measure) == (parameter, measure) for o in self.overrides)

    def cases(
        self,
        parameter: str,
        measure: str,
        classes: NDArray[np.integer],
        months: NDArray[np.integer],
    ) -> list[tuple[Limits, Bools]]:
        """Part readings by the limits that hold for them; the masks, of shape (n,), share nothing.

        ``classes`` are those of their stations (1-5; 0 where unknown), ``months`` from 1 to 12.

        Raises:
            ValueError: as for `limits_of`.
        """
        named = [o for o in self.overrides if (o.parameter, o.measure) == (parameter, measure)]
        limits = [self.limits_of(parameter, measure), *(o.limits for o in named)]
        which = np.zeros(len(classes), np.int64)
        for number, override in enumerate(named, start=1):
            which[override.holds(classes, months)] = number
        return [(limits[number], which == number) for number in np.unique(which).tolist()]


def months_of(at: Micros) -> NDArray[np.int64]:
    """Give the month of each time, 1 to 12: local times give local months.

    >>> months_of(np.array([0, -1, 31 * 86_400_000_000])).tolist()
    [1, 12, 2]
    """
    return at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12 + 1


_TEMPERATURE: Final = Limits(
    Span(-80.0, 60.0),
    steps=(Step(1, 3), Step(60, 7), Step(120, 10), Step(180, 12), Step(360, 18), Step(720, 28)),
    digits=True,
    spike=Spike(3.0, 9.0, within_minutes=60),
    flat_line=FlatLine(180, 720, resolution=0.1),
    buddies=Buddies(50_000, 200, 5, suspect=4, fail=8, least_spread=1.0, gradient=-0.0065),
)
_HUMIDITY: Final = Limits(
    Span(0.0, 105.0),
    suspect=Span(1.0, 102.0),
    steps=(Step(1, 20), Step(60, 50)),
    factor=Factor(60, 4.0, least=10.0),
    digits=True,
    spike=Spike(20.0, 60.0, within_minutes=60),
    flat_line=FlatLine(360, 1440, resolution=1.0, saturated=95.0),
)
_PRESSURE: Final = Limits(
    Span(500.0, 1100.0),
    steps=(Step(1, 2, fail=10), Step(60, 5), Step(180, 11), Step(360, 20)),
    spike=Spike(2.0, 10.0, within_minutes=60),
    flat_line=FlatLine(180, 720, resolution=0.1),
)
_SPEED: Final = Limits(
    Span(0.0, 75.0),
    steps=(Step(10, 10, fail=20), Step(60, 20)),
    digits=True,
    spike=Spike(10.0, 20.0, within_minutes=60),
    flat_line=FlatLine(240, 960, resolution=0.1, calm=0.5),
)
_DIRECTION: Final = Limits(Span(0.0, 360.0), flat_line=FlatLine(240, 960, resolution=1.0))
_RAINFALL: Final = Limits(
    Span(0.0, 1800.0),
    steps=(Step(1, 20),),
    rises_only=True,
    digits=True,
    amounts=(Step(1, 20, fail=40), Step(60, 150, fail=422), Step(1440, 1000, fail=1908)),
)

DEFAULT: Final = Ruleset(
    version="default-4",
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
  clamped, to 105 suspect and clamped. Below 1, where [K] ends, deserts are: suspect.
- pressure at the station 500..1100 hPa [Z].
- wind speed 0..75 m/s [K], [Z]; gust at most 128 m/s; direction 0..360 degrees.
- rainfall 0..1800 mm, the limit of a day's total [K], which bounds increments and daily counters
  alike.

Step, between a reading and the one before, and hourly samples before it (:mod:`weather.qc.hours`);
an interval takes the limit of the next longer one. What [305] allows in hours (temperature 4, 7, 9,
15, 25 °C in 1, 2, 3, 6, 12; pressure 3, 9, 18 hPa in 1, 3, 6) is the change of an air mass. A front
or a squall may do in a minute what the limit of a minute allows, and any longer time may hold one.
So the two add up:

- temperature 3 °C in a minute [K], [Z]; 3 more than [305] in longer times: 7, 10, 12, 18, 28 °C.
- humidity 20 % in a minute [K], 50 % in an hour [M]; nor does it become four times as large or as
  small in an hour: the dew point would leap by 19.4 °C (35 °F), the limit of [M] for that.
- pressure 2 hPa in a minute, where [Z] calls it an error, and it fails at 10 [K]; 2 more than [305]
  in longer times: 5, 11, 20 hPa. What [Z] suspects, 0.5, is less than a barometer of whole hPa can
  move.
- wind speed 10 m/s suspect, 20 failed [Z], up to ten minutes apart; 20 in an hour, which may bring
  a storm. Rain may do as it likes, but for 20 mm in a minute [K].

Digits: of all but pressure, none of whose units is near another.

Spike: the step limit of a minute to both sides; failed from three times as much, or where the step
has a limit of its own.

Flat line: no change in 180 minutes for temperature and pressure, 240 for wind [K]; humidity, for
which [K] has none, 360, and none from 95 %, where [Z] does not look either. Below 0.5 m/s vanes and
cups stand still. Failed after four times as long. What [Z] asks, a spread of 0.1 in 60 minutes,
flags every tenth minute of pressure on a normal day.

Amounts, of rain in an interval: 20 mm in a minute suspect [K], 40 failed [Z]. No rain that was ever
measured on Earth fell faster than 422 mm · hours ** 0.475 (Jennings 1950): what is more in an hour
or a day fails. Suspect is a third of it in an hour, half in a day.

Neighbours, for temperature alone: five at least within 50 km and 200 m of height, brought to one
height by 6.5 °C a kilometre, the standard atmosphere's. Wind, rain and humidity differ from valley
to valley, and station pressure with the barometer's height.
"""
