"""What a station says of itself in one minute: parameters that contradict, sensors that are unwell.

Each function takes the measures of the same station and minute side by side, NaN where one is not
there; what one reading alone says is in :mod:`weather.qc.consistency`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Flags, Floats, Micros
from weather.derived import sea_level_pressure
from weather.qc.flags import Flag, flags_like

DEW_ABOVE: Final = 0.1
"""°C by which a dew point may stand above the temperature ([Z]): both are rounded."""

SEA_LEVEL_APART: Final = 1.0
"""hPa by which a reported sea-level pressure may differ from the reduced one."""

NEVER_EXPIRES: Final = np.iinfo(np.int64).max


def dew_point_test(temperature: Floats, dew: Floats) -> Flags:
    """Fail both where the dew point stands above the temperature ([Z]); °C.

    >>> dew_point_test(np.array([10.0, 10.0, np.nan]), np.array([10.1, 10.2, 5.0])).tolist()
    [1, 4, 2]
    """
    flags = flags_like(temperature.shape, Flag.GOOD)
    flags[dew - temperature > DEW_ABOVE + 1e-9] = Flag.FAIL
    return _unless_missing(flags, temperature, dew)


def sea_level_test(
    pressure: Floats,
    sea_level: Floats,
    temperature: Floats,
    humidity: Floats,
    height: Floats | float,
) -> Flags:
    """Suspect both pressures (hPa) where the one does not follow from the other.

    Temperature in °C, humidity in percent, the barometer's height in metres.

    >>> station = (np.array([1000.0] * 2), np.array([1010.2, 1012.0]))
    >>> sea_level_test(*station, np.array([15.0] * 2), np.array([60.0] * 2), 86.0).tolist()
    [1, 3]
    """
    reduced = sea_level_pressure(pressure, temperature, humidity, height)
    flags = flags_like(pressure.shape, Flag.GOOD)
    flags[np.abs(reduced - sea_level) > SEA_LEVEL_APART] = Flag.SUSPECT
    return _unless_missing(flags, reduced, sea_level)


def health_test(bits: NDArray[np.integer], mask: int) -> Flags:
    """Fail readings of a sensor whose health bit is set (1 is abnormal, [K]).

    ``bits`` is the station's word for each reading, -1 where it gave none; ``mask`` the sensor's
    bit, or bits, in it.

    >>> health_test(np.array([0, 4, 5, -1]), 4).tolist()
    [1, 4, 4, 2]
    """
    flags = flags_like(bits.shape, Flag.GOOD)
    flags[(bits & mask) != 0] = Flag.FAIL
    flags[bits < 0] = Flag.NOT_EVALUATED
    return flags


def calibration_test(at: Micros, expires: Micros) -> Flags:
    """Suspect readings of a sensor whose calibration was out of date when they were made.

    Both in UTC microseconds; ``expires`` is the first moment at which it no longer holds,
    :data:`NEVER_EXPIRES` where it always will. A calibration holds for three years in Korea ([K]).

    >>> calibration_test(np.array([9, 10]), np.array([10, 10])).tolist()
    [1, 3]
    """
    flags = flags_like(at.shape, Flag.GOOD)
    flags[at >= expires] = Flag.SUSPECT
    return flags


def contradicts(flags: Flags) -> Bools:
    """Say where a test of two measures speaks against both."""
    found: Bools = (flags == Flag.SUSPECT) | (flags == Flag.FAIL)
    return found


def _unless_missing(flags: Flags, *needed: Floats) -> Flags:
    """Judge nothing where one of the measures is not there: its reading says so itself."""
    absent = np.logical_or.reduce([np.isnan(one) for one in needed])
    return np.where(absent, np.int32(Flag.NOT_EVALUATED), flags)
