"""How readings arrive: too early to be true, too late to be of use, or twice."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Flags, Floats, Micros
from weather.limits import Timeliness
from weather.qc.flags import Flag, flags_like

_MINUTE: Final = 60_000_000


ANY_DELAY: Final = Timeliness()


class Arrival(NamedTuple):
    """What is wrong with the time between observation and reading; both of shape (n,).

    Attributes:
        ahead: it claims a time that was yet to come when it was read.
        late: it was read later than the limits allow; None where there is no such limit.
    """

    ahead: Bools
    late: Bools | None

    @property
    def flags(self) -> Flags:
        """Suspect, or good."""
        flags = flags_like(self.ahead.shape, Flag.GOOD)
        flags[self.ahead if self.late is None else self.ahead | self.late] = Flag.SUSPECT
        return flags


def timeliness_test(observed: Micros, arrived: Micros, limits: Timeliness = ANY_DELAY) -> Arrival:
    """Find readings from the future, and those that took too long; times in UTC micros.

    Both are the reading's own, so it is judged alike whenever it is judged again.

    >>> observed, arrived = np.array([0, 301, 300]) * 1_000_000, np.zeros(3, np.int64)
    >>> timeliness_test(observed, arrived).flags.tolist()
    [1, 3, 1]
    """
    under_way = arrived - observed
    ahead: Bools = under_way < -round(limits.future_minutes * _MINUTE)
    if math.isinf(limits.late_minutes):
        return Arrival(ahead, None)
    return Arrival(ahead, under_way > round(limits.late_minutes * _MINUTE))


class Duplicates(NamedTuple):
    """Which readings of a batch are there twice; both of shape (n,).

    Attributes:
        repeated: an equal one of the same sensor and time stands before it: it adds nothing.
        conflicting: there is one of the same sensor and time with another value. One of them is
            wrong, and which nobody can tell: the versions decide which one stands.
    """

    repeated: Bools
    conflicting: Bools


def duplicates(sensor: NDArray[np.integer], at: Micros, values: Floats) -> Duplicates:
    """Find readings of one sensor and one time, in any order; two that are missing are equal.

    >>> sensor, at = np.array([1, 1, 1, 2]), np.array([5, 5, 5, 5])
    >>> found = duplicates(sensor, at, np.array([1.0, 1.0, 2.0, 1.0]))
    >>> found.repeated.tolist(), found.conflicting.tolist()
    ([False, True, False, False], [True, True, True, False])
    """
    n = len(at)
    repeated, conflicting = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    if n == 0:
        return Duplicates(repeated, conflicting)
    order = np.lexsort((np.arange(n), values, at, sensor))
    one, time, value = sensor[order], at[order], values[order]
    same = (one[1:] == one[:-1]) & (time[1:] == time[:-1])
    equal = (value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))
    repeated[order[1:]] = same & equal
    group = np.append(0, np.cumsum(~same))
    differs = np.bincount(group[1:], weights=same & ~equal, minlength=int(group[-1]) + 1) > 0
    conflicting[order] = differs[group]
    return Duplicates(repeated, conflicting)


def duplicate_test(found: Duplicates) -> Flags:
    """Suspect readings that another of the same time contradicts.

    >>> duplicate_test(Duplicates(np.array([True, False]), np.array([False, True]))).tolist()
    [1, 3]
    """
    return np.where(found.conflicting, np.int32(Flag.SUSPECT), np.int32(Flag.GOOD))
