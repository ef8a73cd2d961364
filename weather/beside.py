"""Measures of one station and one minute, brought side by side: what needs more than one sensor."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Floats, Micros

_MINUTE: Final = 60_000_000
_MINUTE_BITS: Final = 40

Places = NDArray[np.int64]


def beside(
    station: NDArray[np.integer],
    at: Micros,
    other_station: NDArray[np.integer],
    other_at: Micros,
) -> Places:
    """Find for each reading, of shape (n,), the other one of its station and minute; -1 for none.

    Stations are numbers from 0, times UTC microseconds, both in any order. Of several others in one
    minute the newest is meant, of several at one time the last.

    >>> minute = 60_000_000
    >>> station, at = np.array([1, 1, 2]), np.array([0, 1, 0]) * minute
    >>> beside(station, at, np.array([2, 1]), np.array([0, 1]) * minute).tolist()
    [-1, 1, 0]
    """
    if not len(other_at):
        return np.full(len(at), -1, np.int64)
    order = np.lexsort((other_at, other_station))
    keys = _keys(other_station[order], other_at[order])
    key = _keys(station, at)
    place = np.maximum(np.searchsorted(keys, key, side="right") - 1, 0)
    return np.where(keys[place] == key, order[place], -1).astype(np.int64)


def values_of(places: Places, values: Floats) -> Floats:
    """Give the others' values, NaN where there is no other.

    >>> values_of(np.array([1, -1]), np.array([10.0, 20.0])).tolist()
    [20.0, nan]
    """
    return np.where(places >= 0, np.append(values, np.nan)[places], np.nan)


def _keys(station: NDArray[np.integer], at: Micros) -> Places:
    return (station.astype(np.int64) << _MINUTE_BITS) + at // _MINUTE
