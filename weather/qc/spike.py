"""The spike test: a value that stands out from the one before and the one behind."""

from __future__ import annotations

import numpy as np

from weather.arrays import Flags, Floats, Micros
from weather.limits import Height, Spike
from weather.qc.flags import Flag, flags_like

_MINUTE = 60_000_000
_ROUNDED = 1.5
"""Limits at most by which a coarse sensor may stand out more: three limits always do."""


def spike_test(
    rise: Floats,
    fall: Floats,
    to_before: Micros,
    to_behind: Micros,
    limits: Spike | None,
    resolution: Floats | None = None,
) -> Flags:
    """Flag values that stand out on the same side from both neighbours.

    ``rise`` is the value less the one before, ``fall`` the value less the one behind (NaN where
    there is none); both times are positive, in microseconds. How high a spike is, see
    :class:`weather.limits.Height`. Comparisons are strict. Where a ``resolution`` is given (NaN
    where it is not known), a value may stand out by that much more: a coarse sensor rounds.

    A reading that did not jump cannot become a spike by ``differential``: it is good before the
    next one is there. One that did is 2 until then, and so for ever if the next is missing or too
    late; by ``average`` every reading is.

    >>> height, minute = np.array([0.1, 8.0, 8.0, 8.0]), np.full(4, 60_000_000)
    >>> back = np.array([np.nan, np.nan, 8.0, -8.0])
    >>> spike_test(height, back, minute, minute, Spike(2.0, 4.0, 60)).tolist()
    [1, 2, 4, 1]
    """
    if limits is None:
        return flags_like(rise.shape, Flag.NOT_EVALUATED)
    apart = limits.within_minutes * _MINUTE
    behind = ~np.isnan(fall) & (to_behind <= apart)
    height, jump = _height(rise, fall, limits.height), np.abs(rise)
    high = np.flatnonzero((jump > limits.suspect) | (height > limits.suspect))
    if resolution is not None and len(high):
        coarse = np.nan_to_num(resolution[high], nan=0.0)
        coarse = np.minimum(coarse, _ROUNDED * limits.suspect)
        height[high] -= coarse
        jump[high] -= coarse
    flags = flags_like(rise.shape, Flag.GOOD)
    flags[behind & (height > limits.suspect)] = Flag.SUSPECT
    flags[behind & (height > limits.fail)] = Flag.FAIL
    flat = (jump <= limits.suspect) & (limits.height is Height.DIFFERENTIAL)
    flags[~behind & ~flat] = Flag.NOT_EVALUATED
    flags[np.isnan(rise) | (to_before > apart)] = Flag.NOT_EVALUATED
    return flags


def _height(rise: Floats, fall: Floats, how: Height) -> Floats:
    if how is Height.AVERAGE:
        return np.abs(rise + fall) / 2
    same_side = (rise > 0) == (fall > 0)
    return np.where(same_side, np.minimum(np.abs(rise), np.abs(fall)), 0.0)
