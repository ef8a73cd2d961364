"""The limits by which readings are judged: one frozen set, and every reading names its version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from weather.parameters import measure_of


class Span(NamedTuple):
    """A range with both limits inside."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The range test of one measure: beyond ``fail`` it fails, beyond ``suspect`` it is suspect."""

    fail: Span
    suspect: Span | None = None


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


DEFAULT: Final = Ruleset(
    version="default-1",
    limits=MappingProxyType(
        {
            ("temperature", "value"): Limits(Span(-80.0, 60.0)),
            ("humidity", "value"): Limits(Span(0.0, 105.0), suspect=Span(0.0, 102.0)),
            ("pressure", "value"): Limits(Span(500.0, 1100.0)),
            ("wind", "speed"): Limits(Span(0.0, 75.0)),
            ("wind", "direction"): Limits(Span(0.0, 360.0)),
            ("wind", "gust"): Limits(Span(0.0, 128.0)),
            ("rainfall", "value"): Limits(Span(0.0, 1800.0)),
        }
    ),
)
"""Limits that hold anywhere on Earth, at any cadence.

- temperature -80..60 °C [Z]; the Korean -40..60 [K] would fail a Siberian winter.
- humidity 0..105 %: [Z] ends at 100, but sensors are ±5 % above 90 % [K]. To 102 it is good and
  clamped, to 105 suspect and clamped.
- pressure at the station 500..1100 hPa [Z].
- wind speed 0..75 m/s [K], [Z]; gust at most 128 m/s; direction 0..360 degrees.
- rainfall 0..1800 mm, the limit of a day's total [K], which bounds increments and daily counters
  alike. The limit of 40 mm a minute [Z] needs the length of the interval.
"""
