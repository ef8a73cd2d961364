"""The flat line test: a sensor that has not moved for longer than the air stands still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Flags, Floats, Micros
from weather.limits import FlatLine
from weather.qc.flags import Flag, flags_like

_MINUTE = 60_000_000
_COARSEST = 10.0


def flat_line_test(
    values: Floats,
    stood: Micros,
    count: NDArray[np.integer],
    resolution: Floats,
    limits: FlatLine | None,
) -> Flags:
    """Flag values that have stood for longer than allowed.

    ``stood`` is the time in microseconds since the value was first read, ``count`` the readings of
    it, this one included, ``resolution`` the finest change that the sensor ever made (NaN where it
    has made none: it is then taken for ten times coarser than the limits suppose). From

    ``stood >= minutes * max(1, resolution / limits.resolution)``

    the value is flagged, if ``count`` is large enough and it is no calm and no saturation.

    >>> limits = FlatLine(120, 240, resolution=0.1, readings=3, calm=0.5)
    >>> stood = np.array([60, 120, 240, 240, 240]) * 60_000_000
    >>> values, resolution = np.array([5.0, 5, 5, 0, 5]), np.array([0.1, 0.1, 0.1, 0.1, 1.0])
    >>> flat_line_test(values, stood, np.full(5, 9), resolution, limits).tolist()
    [1, 3, 4, 1, 1]
    """
    if limits is None:
        return flags_like(values.shape, Flag.NOT_EVALUATED)
    coarser = np.where(np.isnan(resolution), _COARSEST, resolution / limits.resolution)
    allowed = stood / np.maximum(coarser, 1.0)
    still = (count >= limits.readings) & (values > limits.calm) & (values < limits.saturated)
    flags = flags_like(values.shape, Flag.GOOD)
    flags[still & (allowed >= limits.suspect_minutes * _MINUTE)] = Flag.SUSPECT
    flags[still & (allowed >= limits.fail_minutes * _MINUTE)] = Flag.FAIL
    return flags
