"""What follows from what was measured: dew point, sea-level pressure, wind as a vector.

Derived values stand beside the measured ones and never replace them. NaN in, NaN out.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from weather.arrays import Floats
from weather.wind import NORTH

_A: Final = 6.112
_B: Final = 17.62
_C: Final = 243.12
"""Saturation over water in hPa, t in °C: A * exp(B t / (C + t)), WMO-No. 8, annex 4.B."""

_KELVIN: Final = 273.15
_GRAVITY: Final = 9.80665
_DRY_AIR: Final = 287.05
_LAPSE: Final = 0.0065
_MOISTURE: Final = 0.12
"""Kelvin by which each hPa of water vapour lightens the air below the barometer, as heat would."""

_COLDEST: Final = -100.0
_HOTTEST: Final = 100.0


def vapour_pressure(temperature: Floats, humidity: Floats) -> Floats:
    """Give the partial pressure of water vapour in hPa, from °C and percent.

    >>> vapour_pressure(np.array([15.0]), np.array([60.0])).round(3).tolist()
    [10.21]
    """
    temperature = _plausible(temperature)
    return humidity / 100 * _A * np.exp(_B * temperature / (_C + temperature))


def dew_point(temperature: Floats, humidity: Floats) -> Floats:
    """Give the dew point in °C, from °C and percent; NaN where there is no moisture at all.

    Above 100 % it is that of saturated air: the temperature.

    >>> dew_point(np.array([25.0, 25.0, 25.0]), np.array([50.0, 100.5, 0.0])).round(4).tolist()
    [13.8516, 25.0, nan]
    """
    temperature = _plausible(temperature)
    share = np.minimum(humidity, 100.0) / 100
    moist = np.where(share > 0, share, np.nan)  # the share of the least humidity there is, is 0
    gamma = np.log(moist) + _B * temperature / (_C + temperature)
    return _C * gamma / (_B - gamma)


def humidity_of(temperature: Floats, dew: Floats) -> Floats:
    """Give the relative humidity in percent of air with this dew point: the way back.

    >>> humidity_of(np.array([25.0]), np.array([13.8516])).round(2).tolist()
    [50.0]
    """
    saturated = np.full(np.shape(temperature), 100.0)
    return 100 * vapour_pressure(dew, saturated) / vapour_pressure(temperature, saturated)


def sea_level_pressure(
    pressure: Floats, temperature: Floats, humidity: Floats, height: Floats | float
) -> Floats:
    """Reduce a station's pressure (hPa) to sea level.

    From temperature (°C) and humidity (percent) of the same minute, and the barometer's height in
    metres above the sea.

    >>> sample = (np.array([1000.0]), np.array([15.0]), np.array([60.0]), 86.0)
    >>> sea_level_pressure(*sample).round(3).tolist()
    [1010.195]
    """
    moisture = _MOISTURE * vapour_pressure(temperature, humidity)
    column = _plausible(temperature) + _KELVIN + moisture + _LAPSE / 2 * height
    return pressure * np.exp(_GRAVITY / _DRY_AIR * height / column)


def wind_components(speed: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Give a wind's components towards east and north, in the unit of its speed.

    A calm has both 0, whatever its direction; a variable wind has none.

    >>> east, north = wind_components(np.array([2.0, 0.0]), np.array([270.0, np.nan]))
    >>> east.round(3).tolist(), north.round(3).tolist()
    ([2.0, 0.0], [0.0, 0.0])
    """
    angle = np.radians(direction)
    still = speed == 0.0
    east = np.where(still, 0.0, -speed * np.sin(angle))
    return east, np.where(still, 0.0, -speed * np.cos(angle))


def direction_of(east: Floats, north: Floats) -> Floats:
    """Say where a wind comes from, in degrees: 360 is north, NaN where it does not blow.

    >>> direction_of(np.array([0.0, 2.0, 0.0]), np.array([-1.0, 0.0, 0.0])).tolist()
    [360.0, 270.0, nan]
    """
    degrees = np.degrees(np.arctan2(-east, -north)) % NORTH
    degrees = np.where(degrees == 0.0, NORTH, degrees)
    return np.where((east == 0.0) & (north == 0.0), np.nan, degrees)


def vector_mean(speed: Floats, direction: Floats) -> tuple[float, float]:
    """Give the direction and speed of the mean of winds; variable and missing ones are left out.

    >>> mean = vector_mean(np.array([2.0, 3, 2, 3]), np.array([350.0, 10, 355, 5]))
    >>> [round(one, 3) for one in mean]
    [1.508, 2.477]
    """
    east, north = wind_components(speed, direction)
    there = ~np.isnan(east)
    if not there.any():
        return np.nan, np.nan
    mean = np.array([east[there].mean()]), np.array([north[there].mean()])
    return float(direction_of(*mean)[0]), float(np.hypot(*mean)[0])


def _plausible(temperature: Floats) -> Floats:
    """Leave out what is no temperature of air: the formulas have a pole at -243 °C."""
    inside = (temperature >= _COLDEST) & (temperature <= _HOTTEST)
    return np.where(inside, temperature, np.nan)
