"""The five parameters that are observed, what is measured of each, and in which unit we keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Quantity(StrEnum):
    """What kind of thing a measure is: measures of one quantity share their units."""

    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    SPEED = "speed"
    DIRECTION = "direction"
    PRESSURE = "pressure"
    DEPTH = "depth"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a reading, and the standard unit in which it is kept."""

    name: str
    quantity: Quantity
    unit: str
    cf_name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; the first of its measures is the one that makes it a reading at all."""

    name: str
    measures: tuple[Measure, ...]

    @property
    def main(self) -> Measure:
        """The measure without which the reading is missing: wind speed, not direction or gust."""
        return self.measures[0]


_ALL: Final = (
    Parameter("rainfall", (Measure("value", Quantity.DEPTH, "mm", "precipitation_amount"),)),
    Parameter("temperature", (Measure("value", Quantity.TEMPERATURE, "degC", "air_temperature"),)),
    Parameter("humidity", (Measure("value", Quantity.HUMIDITY, "%", "relative_humidity"),)),
    Parameter(
        "wind",
        (
            Measure("speed", Quantity.SPEED, "m/s", "wind_speed"),
            Measure("direction", Quantity.DIRECTION, "degree", "wind_from_direction"),
            Measure("gust", Quantity.SPEED, "m/s", "wind_speed_of_gust"),
        ),
    ),
    Parameter("pressure", (Measure("value", Quantity.PRESSURE, "hPa", "surface_air_pressure"),)),
)

PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType({p.name: p for p in _ALL})


def parameter_of(name: str) -> Parameter:
    """Find a parameter by its name.

    Raises:
        ValueError: there is no such parameter; the message names those there are.
    """
    if name not in PARAMETERS:
        problem = f"unknown parameter {name!r}: known are {', '.join(PARAMETERS)}"
        raise ValueError(problem)
    return PARAMETERS[name]


def measure_of(parameter: str, measure: str) -> Measure:
    """Find a measure of a parameter.

    >>> measure_of("wind", "gust").unit
    'm/s'

    Raises:
        ValueError: there is no such parameter or measure; the message names those there are.
    """
    measures = {m.name: m for m in parameter_of(parameter).measures}
    if measure not in measures:
        problem = f"unknown measure {measure!r} of {parameter}: known are {', '.join(measures)}"
        raise ValueError(problem)
    return measures[measure]
