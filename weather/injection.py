"""Faults put into healthy series, to see which of them the tests find.

A series is what one measure of one sensor gave, in order of time; a fault begins at some of its
readings and lasts for so many. Nothing is changed in place, and where faults come is decided by a
seed: the same seed, the same faults. Values are in whatever unit the caller's figures are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Floats, Micros

NONE: Final = -1
"""The number of the fault where there is none."""
_DAY: Final = 86_400_000_000

Places = NDArray[np.int64]


class Fault(StrEnum):
    """A way in which a sensor, its logger or its cable goes wrong."""

    SPIKE = "spike"
    DRIFT = "drift"
    STUCK = "stuck value"
    UNIT = "unit mix-up"
    ROUNDED = "unit mix-up, rounded"
    SENTINEL = "sentinel leak"
    SWAP = "swapped sensors"
    CLOCK = "clock shift"
    RESET = "counter reset"


@dataclass(frozen=True, slots=True)
class Faulty:
    """A series with faults; all of shape (n,). ``event`` numbers them, NONE where none is."""

    at: Micros
    values: Floats
    event: Places


def places(healthy: Bools, length: int, apart: int, most: int, seed: int) -> Places:
    """Choose where faults begin: ``length`` healthy readings each, at least ``apart`` between.

    The first ``apart`` readings are left as they are, so that a test has a past to go by.

    >>> found = places(np.ones(100, bool), 5, 10, 4, seed=1)
    >>> len(found), bool((np.diff(found) >= 15).all()), bool(found[0] >= 10)
    (4, True, True)
    """
    whole = _all_of(healthy, length)
    whole[:apart] = False
    chosen: list[int] = []
    free = whole.copy()
    for start in np.random.default_rng(seed).permutation(np.flatnonzero(whole)).tolist():
        if len(chosen) == most:
            break
        if free[start]:
            chosen.append(start)
            free[max(0, start - length - apart + 1) : start + length + apart] = False
    return np.array(sorted(chosen), np.int64)


def spike(at: Micros, values: Floats, starts: Places, height: float, seed: int) -> Faulty:
    """Let single values stand out by ``height``, up or down."""
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], len(starts))
    found = values.copy()
    found[starts] += sign * height
    return Faulty(at, found, _events(len(at), starts, 1))


def drift(
    at: Micros, values: Floats, starts: Places, length: int, per_day: float, seed: int
) -> Faulty:
    """Let values run away, up or down, by so much a day; then the sensor is put right.

    >>> at = np.arange(5) * 86_400_000_000
    >>> drift(at, np.zeros(5), np.array([1]), 3, 2.0, seed=0).values.tolist()
    [0.0, 2.0, 4.0, 6.0, 0.0]
    """
    event = _events(len(at), starts, length)
    if not len(starts):
        return Faulty(at, values, event)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], len(starts))
    gone = (at - at[np.maximum(starts - 1, 0)[event]]) / _DAY
    wrong = values + sign[event] * per_day * gone
    return Faulty(at, np.where(event != NONE, wrong, values), event)


def stuck(at: Micros, values: Floats, starts: Places, length: int) -> Faulty:
    """Let a sensor go on saying what it said first."""
    event = _events(len(at), starts, length)
    held = values[starts][event] if len(starts) else values
    return Faulty(at, np.where(event != NONE, held, values), event)


def rescaled(
    at: Micros, values: Floats, starts: Places, length: int, scale: float, offset: float
) -> Faulty:
    """Let values come in another unit: ``scale * value + offset``."""
    event = _events(len(at), starts, length)
    return Faulty(at, np.where(event != NONE, values * scale + offset, values), event)


def leaked(at: Micros, values: Floats, starts: Places, sentinel: float) -> Faulty:
    """Let a logger's word for a missing value through, once each."""
    event = _events(len(at), starts, 1)
    return Faulty(at, np.where(event != NONE, sentinel, values), event)


def swapped(at: Micros, values: Floats, other: Floats, starts: Places, length: int) -> Faulty:
    """Let what another sensor measured come on this one's channel; ``other`` of shape (n,)."""
    event = _events(len(at), starts, length)
    return Faulty(at, np.where(event != NONE, other, values), event)


def shifted(at: Micros, values: Floats, starts: Places, length: int, by: int) -> Faulty:
    """Let a clock be wrong ``by`` so many microseconds for a while."""
    event = _events(len(at), starts, length)
    return Faulty(np.where(event != NONE, at + by, at), values, event)


def accumulated(amounts: Floats, day: NDArray[np.int64]) -> Floats:
    """Make a counter of amounts that starts anew with every ``day`` (n,); NaN adds nothing.

    >>> accumulated(np.array([1.0, 2.0, 3.0, 1.0]), np.array([0, 0, 1, 1])).tolist()
    [1.0, 3.0, 3.0, 4.0]
    """
    total = np.cumsum(np.nan_to_num(amounts))
    opens = np.append(True, day[1:] != day[:-1])
    before = np.where(opens, total - np.nan_to_num(amounts), -np.inf)
    found: Floats = total - np.maximum.accumulate(before)
    return found


def reset(at: Micros, counter: Floats, day: NDArray[np.int64], starts: Places) -> Faulty:
    """Let a counter fall to nothing, and go on from there until its day is over.

    Only the reading at which it falls is wrong: what it counts afterwards is right again.

    >>> day = np.zeros(4, int)
    >>> reset(np.arange(4), np.array([1.0, 2.0, 3.0, 5.0]), day, np.array([2])).values.tolist()
    [1.0, 2.0, 0.0, 2.0]
    """
    found = counter.copy()
    for start in starts.tolist():
        rest = np.flatnonzero(day[start:] == day[start]) + start
        found[rest] -= counter[start]
    return Faulty(at, found, _events(len(at), starts, 1))


def _all_of(which: Bools, length: int) -> Bools:
    """Say where so many in a row begin."""
    count = np.append(0, np.cumsum(which))
    found = np.zeros(len(which), np.bool_)
    if len(which) >= length:
        found[: len(which) - length + 1] = count[length:] - count[:-length] == length
    return found


def _events(count: int, starts: Places, length: int) -> Places:
    event = np.full(count, NONE, np.int64)
    for number, start in enumerate(starts.tolist()):
        event[start : start + length] = number
    return event
