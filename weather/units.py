"""From the unit that a source gives to the one that we keep, and back.

Every unit is affine to its standard unit: ``standard = (value + shift) * factor``. Inch,
mile and knot are exact by definition; inHg and mmHg are columns of mercury at 0 °C.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from weather.arrays import Floats
from weather.parameters import Quantity, measure_of


class _Unit(NamedTuple):
    shift: float = 0.0
    factor: float = 1.0


_STANDARD: Final = _Unit()

_UNITS: Final[Mapping[Quantity, Mapping[str, _Unit]]] = MappingProxyType(
    {
        Quantity.TEMPERATURE: {
            "degC": _STANDARD,
            "degF": _Unit(shift=-32.0, factor=5 / 9),
            "K": _Unit(shift=-273.15),
            "0.1degC": _Unit(factor=0.1),
            # Tenths of a degree above -100 °C, as Korean loggers write them to have no sign.
            "0.1degC+1000": _Unit(shift=-1000.0, factor=0.1),
        },
        Quantity.HUMIDITY: {
            "%": _STANDARD,
            "0.1%": _Unit(factor=0.1),
            "1": _Unit(factor=100.0),
        },
        Quantity.SPEED: {
            "m/s": _STANDARD,
            "kt": _Unit(factor=1852 / 3600),
            "mph": _Unit(factor=0.44704),
            "km/h": _Unit(factor=1 / 3.6),
            "0.1m/s": _Unit(factor=0.1),
        },
        Quantity.DIRECTION: {
            "degree": _STANDARD,
            # The points of the compass, counted clockwise: 4 is east, 16 is north, 0 is calm.
            "sector16": _Unit(factor=22.5),
            # NATO's mil: 6400 to the circle.
            "mil": _Unit(factor=0.05625),
            "0.1degree": _Unit(factor=0.1),
            "10degree": _Unit(factor=10.0),
        },
        Quantity.PRESSURE: {
            "hPa": _STANDARD,
            "mbar": _STANDARD,
            "Pa": _Unit(factor=0.01),
            "kPa": _Unit(factor=10.0),
            "inHg": _Unit(factor=33.863886),
            "mmHg": _Unit(factor=1.3332239),
            "0.1hPa": _Unit(factor=0.1),
        },
        Quantity.DEPTH: {
            "mm": _STANDARD,
            "0.1mm": _Unit(factor=0.1),
            "cm": _Unit(factor=10.0),
            "in": _Unit(factor=25.4),
        },
    }
)


def known_units(parameter: str, measure: str) -> tuple[str, ...]:
    """Name the units in which a source may give this measure, the standard unit first.

    >>> known_units("wind", "speed")
    ('m/s', 'kt', 'mph', 'km/h', '0.1m/s')

    Raises:
        ValueError: no such parameter or measure.
    """
    return tuple(_UNITS[measure_of(parameter, measure).quantity])


def to_standard(values: Floats, parameter: str, measure: str, unit: str) -> Floats:
    """Convert values from the unit given to the measure's standard unit; NaN stays NaN.

    A standard unit comes back bit for bit, as the same array.

    >>> import numpy as np
    >>> to_standard(np.array([32.0, 212.0]), "temperature", "value", "degF").tolist()
    [0.0, 100.0]

    Raises:
        ValueError: no such parameter, measure or unit; the message names the known ones.
    """
    given = _unit(parameter, measure, unit)
    return values if given == _STANDARD else (values + given.shift) * given.factor


def from_standard(values: Floats, parameter: str, measure: str, unit: str) -> Floats:
    """Convert values from the measure's standard unit to another: the inverse of `to_standard`.

    Raises:
        ValueError: no such parameter, measure or unit; the message names the known ones.
    """
    wanted = _unit(parameter, measure, unit)
    return values if wanted == _STANDARD else values / wanted.factor - wanted.shift


def _unit(parameter: str, measure: str, unit: str) -> _Unit:
    units = _UNITS[measure_of(parameter, measure).quantity]
    if unit not in units:
        problem = f"unknown unit {unit!r} for {parameter}.{measure}: known are {', '.join(units)}"
        raise ValueError(problem)
    return units[unit]
