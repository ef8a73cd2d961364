"""The buddy check: a value that the stations around it contradict.

Flag for flag titanlib's ``buddy_check``: the value less the mean of its neighbours', in their
standard deviations. All stations are looked at together, and once more without those that failed;
so the answer does not depend on their order. Who of two is wrong nobody can tell, so there must be
several; where stations are far apart the check is not made.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Flags, Floats
from weather.limits import Buddies
from weather.qc.flags import Flag, flags_like

EARTH: Final = 6_378_137.0
"""Radius in metres by which distances are measured, as in titanlib."""

_TOGETHER: Final = 256
"""Stations judged at once: each needs a row of the memory, as long as there are stations."""


class Places(NamedTuple):
    """Where stations stand: degrees and metres, NaN where it is not known; arrays of one length."""

    latitude: Floats
    longitude: Floats
    elevation: Floats

    def take(self, which: Bools | slice) -> Places:
        """Pick some of them."""
        return Places(*(column[which] for column in self))


def buddy_test(
    places: Places,
    values: Floats,
    limits: Buddies | None,
    usable: Bools | None = None,
    rounds: int = 2,
) -> Flags:
    """Judge the values of one parameter and one time by those of the stations around; shape (n,).

    A station of unknown place or height, a missing value, and one that is not ``usable`` because
    other tests failed it, are nobody's neighbour; the last is judged all the same. In each further
    round neither is what failed in the one before. Too few neighbours: 2.

    >>> limits = Buddies(50_000, 200, least=3, suspect=2, fail=4, least_spread=1)
    >>> places = Places(np.arange(5) * 0.01 + 60, np.full(5, 10.0), np.zeros(5))
    >>> buddy_test(places, np.array([0.0, 0.1, 0.2, 0.1, 9.0]), limits).tolist()
    [1, 1, 1, 1, 4]
    """
    if limits is None:
        return flags_like(values.shape, Flag.NOT_EVALUATED)
    placed: Bools = np.logical_and.reduce([~np.isnan(column) for column in places])
    neighbour: Bools = placed & np.isfinite(values)
    if usable is not None:
        neighbour &= usable
    flags = flags_like(values.shape, Flag.NOT_EVALUATED)
    for _ in range(rounds):
        found = _judged(places, values, placed, neighbour, limits)
        flags = np.where(flags == Flag.FAIL, flags, found)
        neighbour &= flags != Flag.FAIL
    flags[np.isnan(values)] = Flag.MISSING
    return flags


def buddy_tests(
    slot: NDArray[np.integer],
    places: Places,
    values: Floats,
    limits: Buddies | None,
    usable: Bools | None = None,
) -> Flags:
    """Judge readings of several times at once; ``slot`` numbers the time of each.

    >>> limits = Buddies(50_000, 200, least=3, suspect=2, fail=4, least_spread=1)
    >>> places = Places(np.arange(6) * 0.01 + 60, np.full(6, 10.0), np.zeros(6))
    >>> slot, values = np.array([1, 1, 1, 1, 1, 2]), np.array([0.0, 0.1, 0.2, 0.1, 9.0, 9.0])
    >>> buddy_tests(slot, places, values, limits).tolist()
    [1, 1, 1, 1, 4, 2]
    """
    flags = flags_like(values.shape, Flag.NOT_EVALUATED)
    for one in np.unique(slot):
        rows = slot == one
        among = None if usable is None else usable[rows]
        flags[rows] = buddy_test(places.take(rows), values[rows], limits, among)
    return flags


def distance(one: Places, other: Places) -> Floats:
    """Give the distances of places on a sphere in metres: a row for each of ``one``.

    >>> zero = np.zeros(1)
    >>> distance(Places(zero + 60, zero + 10, zero), Places(zero + 61, zero + 10, zero)).round()
    array([[111319.]])
    """
    lat, lon = np.radians(one.latitude)[:, None], np.radians(one.longitude)[:, None]
    lat2, lon2 = np.radians(other.latitude), np.radians(other.longitude)
    half = np.sin((lat2 - lat) / 2) ** 2
    half += np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    metres: Floats = 2 * EARTH * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return metres


def _judged(
    places: Places, values: Floats, placed: Bools, neighbour: Bools, limits: Buddies
) -> Flags:
    flags = flags_like(values.shape, Flag.NOT_EVALUATED)
    others = places.take(neighbour), values[neighbour]
    who = np.flatnonzero(neighbour)
    for start in range(0, len(values), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        itself = np.arange(len(values))[part, None] == who
        flags[part] = _beside(places.take(part), values[part], *others, itself, limits)
    flags[~placed] = Flag.NOT_EVALUATED
    return flags


def _beside(
    places: Places, values: Floats, theirs: Places, given: Floats, itself: Bools, limits: Buddies
) -> Flags:
    """Judge some stations by the others."""
    above = places.elevation[:, None] - theirs.elevation
    near = (distance(places, theirs) <= limits.radius) & (np.abs(above) <= limits.elevation)
    near &= ~itself
    count = near.sum(axis=1)
    weight = near / np.maximum(count, 1)[:, None]
    level = given + np.where(near, above, 0.0) * limits.gradient
    mean = (weight * level).sum(axis=1)
    variance = (weight * (level - mean[:, None]) ** 2).sum(axis=1)
    spread = np.sqrt(variance * (1 + 1 / np.maximum(count, 1)))
    far = np.abs(values - mean) / np.maximum(spread, limits.least_spread)
    flags = flags_like(values.shape, Flag.GOOD)
    flags[far > limits.suspect] = Flag.SUSPECT
    flags[far > limits.fail] = Flag.FAIL
    flags[count < max(limits.least, 1)] = Flag.NOT_EVALUATED
    return flags
