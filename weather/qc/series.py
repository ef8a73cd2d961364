"""Neighbours in time: what stands before and behind each reading of many sensors at once.

Readings of several series (a measure of a sensor) follow one another in one array, each series
sorted by time. What happened before its first reading comes as a :class:`Past`; the past *after*
each reading is given back, so that a series can be continued from any of its readings, and the same
is found wherever it was cut.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Floats, Micros

NEVER: Final = np.iinfo(np.int64).min
_GRAINS: Final = 64
_FINEST: Final = 40


class Past(NamedTuple):
    """What is known of a series behind a point in time; arrays of one length.

    Attributes:
        at: when the newest usable value was read; NEVER where there is none.
        value: that value; NaN where there is none.
        broken: whether the newest reading was a missing one, so that the value is no neighbour.
        since: since when the value has not changed.
        length: how many readings gave it since.
        grain: the finest change there was, see :func:`resolution`; 0 where there was none.
        runs: how many values in a row were multiples of some steps, see :mod:`weather.qc.digits`.
    """

    at: Micros
    value: Floats
    broken: Bools
    since: Micros
    length: NDArray[np.int64]
    grain: NDArray[np.int64]
    runs: NDArray[np.int64]

    @classmethod
    def nothing(cls, n: int) -> Past:
        """Know nothing of ``n`` series."""
        zeros = np.zeros(n, np.int64)
        never = np.full(n, NEVER)
        return cls(never, np.full(n, np.nan), np.zeros(n, np.bool_), never, zeros, zeros, zeros)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the tests ask of each reading; all of shape (n,), NaN where there is no such neighbour.

    ``change`` is against the newest usable reading before, however many missing ones lie between;
    ``rise`` and ``fall`` are against the readings next to it, before and behind. Times are positive
    microseconds. ``past`` is what is known after each reading, ``resolution`` before it. Digits are
    not looked at here: nothing is ``odd`` by them.
    """

    change: Floats
    elapsed: Micros
    rise: Floats
    fall: Floats
    to_behind: Micros
    resolution: Floats
    odd: Bools
    past: Past

    def take(self, rows: slice | Bools) -> Neighbours:
        """Pick readings: those under the same limits are judged together."""
        names = [field.name for field in fields(self) if field.name != "past"]
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in names}
        past: list[Any] = [column[rows] for column in self.past]
        return Neighbours(**columns, past=Past(*past))


def neighbours(
    at: Micros, values: Floats, live: Bools, lengths: NDArray[np.int64], before: Past
) -> Neighbours:
    """Look around each reading.

    Args:
        at: (n,) when it was observed, rising within a series.
        values: (n,) NaN where missing.
        live: (n,) False where the reading was taken back: it is nobody's neighbour.
        lengths: (m,) how many readings each series has; their sum is n.
        before: (m,) what was before the first reading of each series.
    """
    place = np.arange(len(at))
    series = np.repeat(np.arange(len(lengths)), lengths)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    opens = place == first
    usable = live & ~np.isnan(values)

    newest = _latest(usable, place)
    known = newest >= first
    past_at = np.where(known, at[newest], before.at[series])
    past_value = np.where(known, values[newest], before.value[series])
    alive = _latest(live, place)
    broken = np.where(alive >= first, ~usable[alive], before.broken[series])

    value_before = _shifted(past_value, opens, before.value[series])
    change = np.where(usable, values - value_before, np.nan)
    elapsed = at - np.where(np.isnan(change), at, _shifted(past_at, opens, before.at[series]))
    rise = np.where(_shifted(broken, opens, before.broken[series]), np.nan, change)
    fall, to_behind = _behind(at, values, usable, live, first)

    grain = _finest(change, series, before)
    since, count = _standing(at, usable, change, first, before, series)
    past = Past(past_at, past_value, broken, since, count, grain, np.zeros(len(at), np.int64))
    finest = resolution(_shifted(grain, opens, before.grain[series]))
    odd = np.zeros(len(at), np.bool_)
    return Neighbours(change, elapsed, rise, fall, to_behind, finest, odd, past)


def resolution(grain: NDArray[np.int64]) -> Floats:
    """Give the size of a grain: the power of two at or below the change; NaN for none.

    >>> resolution(grain_of(np.array([0.1, 1.0, 0.0]))).tolist()
    [0.0625, 1.0, nan]
    """
    return np.where(grain > 0, np.ldexp(1.0, (_FINEST // 2 - grain).astype(np.int32)), np.nan)


def grain_of(change: Floats) -> NDArray[np.int64]:
    """Say how fine a change is, the finer the larger; 0 for none, and for what is but rounding.

    A grain fits a byte, and the finest of several is their maximum. From 2**-20 (one in a million)
    to 2**19; what is coarser counts as that.
    """
    size = np.abs(change)
    _, exponent = np.frexp(np.where(size > 0, size, 0.0))
    grain = _FINEST // 2 + 1 - exponent.astype(np.int64)
    return np.where((size > 0) & (grain <= _FINEST), np.maximum(grain, 1), 0)


def _latest(which: Bools, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the place of the latest one so far, this included; -1 where there was none."""
    return np.maximum.accumulate(np.where(which, place, -1))


def _shifted(after: NDArray[Any], opens: Bools, before: NDArray[Any]) -> NDArray[Any]:
    """Turn what is known after each reading into what was known before it."""
    shifted = np.empty_like(after)
    shifted[1:] = after[:-1]
    shifted[opens] = before[opens]
    return shifted


def _behind(
    at: Micros, values: Floats, usable: Bools, live: Bools, first: NDArray[np.int64]
) -> tuple[Floats, Micros]:
    """Compare with the next live reading: the difference, NaN where it is missing, and how far."""
    n = len(at)
    beyond = np.where(live, np.arange(n), n - 1)[::-1]
    following = np.minimum.accumulate(beyond)[::-1]
    following = np.append(following[1:], n - 1)[:n]
    ours = (first[following] == first) & live[following] & (following > np.arange(n))
    fall = np.where(ours & usable, values - values[following], np.nan)
    return fall, np.where(ours, at[following] - at, 0)


def _finest(change: Floats, series: NDArray[np.int64], before: Past) -> NDArray[np.int64]:
    """Give the finest change so far: a running maximum that starts anew with every series."""
    running = np.maximum.accumulate(series * _GRAINS + grain_of(change)) - series * _GRAINS
    return np.maximum(running, before.grain[series])


def _standing(
    at: Micros,
    usable: Bools,
    change: Floats,
    first: NDArray[np.int64],
    before: Past,
    series: NDArray[np.int64],
) -> tuple[Micros, NDArray[np.int64]]:
    """Give since when the value has not changed, and how many readings gave it."""
    moved = _latest(usable & (change != 0.0), np.arange(len(at)))  # so has one without a neighbour
    rank = np.cumsum(usable)
    ahead: NDArray[np.int64] = rank[first] - usable[first]
    here = moved >= first
    since = np.where(here, at[moved], before.since[series])
    count = np.where(here, rank - rank[moved] + 1, before.length[series] + rank - ahead)
    return since, count
