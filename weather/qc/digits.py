"""The digits test: values that leave the steps in which their sensor has counted so far.

A sensor, its logger and the table behind it keep so many digits of one unit: tenths of a degree,
whole knots, hundredths of an inch. Their values are multiples of that step for years. When values
come in another unit all of a sudden, they are not, however usual their size is: this finds what no
limit can, a wind of 5 m/s that is told as 9.72 for want of its knots.

Of a gauge the other way counts, too: amounts that for a while are multiples of *five* steps have
been told too large, by five or ten. Nothing is lost if one shower is; several in a row are not.

What is remembered of a series is, for each step that a unit may have, how many telling values in a
row were multiples of it, up to :data:`MOST`. Telling are values that are not nought, which is a
multiple of everything, and that differ from the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Flags, Floats
from weather.qc.flags import Flag, flags_like
from weather.qc.series import Neighbours

MOST: Final = 15
"""Values in a row that are counted: after so many a step is the sensor's. By chance one value in
five at most is a multiple of a larger step, and values of calm air come in runs."""
_SOON: Final = 7
"""The same of a gauge, whose telling values are rare: one in 78,000 by chance."""
_COARSE: Final = 4
"""Multiples of five steps in a row that are too many: by chance one in 600."""
_BITS: Final = 4
MOST_STEPS: Final = 6

_ONE: Final[NDArray[np.int64]] = np.array(
    [
        sum((code >> place & 1) << (_BITS * place) for place in range(MOST_STEPS))
        for code in range(1 << MOST_STEPS)
    ],
    np.int64,
)
"""By a code's bits, the lowest bit of each packed run."""
_EVERY: Final = int(_ONE[-1])

_ROUNDED: Final = 2e-3
"""Part of a step by which a multiple may be off: units are converted with rounded factors."""
_FACTOR: Final = 2e-6
"""The same as a part of the value: of a ``REAL`` column, or five digits behind the point."""

_KNOT: Final = 1852 / 3600
_MILE: Final = 0.44704
_KILOMETRE: Final = 1 / 3.6
_INCH: Final = 25.4
_FAHRENHEIT: Final = 5 / 9


Codes = NDArray[np.uint8]
Counts = NDArray[np.int64]
"""Numbers of readings; also the runs of all steps, four bits each, in one number."""


class Steps(NamedTuple):
    """Steps of the units in which a measure is kept, in its standard unit; at most six.

    ``five`` pairs the places of a step and of its fivefold; where there are such, a step is the
    sensor's ``soon``.
    """

    sizes: tuple[float, ...]
    five: tuple[tuple[int, int], ...] = ()

    @property
    def soon(self) -> bool:
        """Whether seven values in a row are enough."""
        return bool(self.five)

    @property
    def learnt(self) -> int:
        """How many values in a row make a step the sensor's."""
        return _SOON if self.soon else MOST


STEPS: Final[Mapping[tuple[str, str], Steps]] = MappingProxyType(
    {
        ("temperature", "value"): Steps((0.5, 0.05, 0.005, _FAHRENHEIT / 2)),
        ("humidity", "value"): Steps((0.5, 0.05, 0.005, 0.0005)),
        ("wind", "speed"): Steps((0.05, 0.005, 0.0005, _KNOT / 2, _MILE / 2, _KILOMETRE / 2)),
        ("rainfall", "value"): Steps(
            (0.01, 0.1, 0.5, 2.5, _INCH / 100, _INCH / 20), ((1, 2), (2, 3), (4, 5))
        ),
    }
)
"""Which steps are looked for: halves, for there are sensors that keep half a unit or half a tenth,
and of their values every second one is whole, which chance would soon take for a habit. Pressures
need none: no unit of theirs is near another."""


def counted(
    found: Neighbours,
    values: Floats,
    usable: Bools,
    lengths: Counts,
    before: Counts,
    steps: Steps,
) -> Neighbours:
    """Add what digits say to what is known of the neighbours of n readings, of m series.

    ``lengths`` (m,) and ``before`` (m,), the ``runs`` of each past, are as in
    :func:`weather.qc.series.neighbours`.
    """
    telling = usable & (found.change != 0.0) & (values != 0.0)
    rows, owner = np.flatnonzero(telling), np.repeat(np.arange(len(lengths)), lengths)
    on = _multiples(values[rows], steps)
    counts = np.bincount(owner[rows], minlength=len(lengths))
    after = _runs(on, counts, before)
    begins = np.cumsum(counts) - counts
    prior = np.roll(after, 1)
    prior[begins[counts > 0]] = before[counts > 0]
    odd = np.zeros(len(values), np.bool_)
    learnt = _seven(prior) if steps.soon else _full(prior)
    odd[rows] = ((learnt & ~_ONE[on]) != 0) | _too_coarse(after, steps)
    rank = np.cumsum(telling)
    runs = before[owner]
    heard = rank > begins[owner]
    runs[heard] = after[rank[heard] - 1]
    return replace(found, odd=odd, past=found.past._replace(runs=runs))


def digits_test(odd: Bools) -> Flags:
    """Suspect values that are odd by their digits; for the others they do not speak: 2.

    >>> digits_test(np.array([True, False])).tolist()
    [3, 2]
    """
    flags = flags_like(odd.shape, Flag.NOT_EVALUATED)
    flags[odd] = Flag.SUSPECT
    return flags


def _multiples(values: Floats, steps: Steps) -> Codes:
    """Give each value a bit for every step that it is a multiple of."""
    on = np.zeros(len(values), np.uint8)
    with np.errstate(invalid="ignore"):  # what is infinite is no multiple
        slack = _FACTOR * np.abs(values)
        for place, size in enumerate(steps.sizes):
            rest = np.rint(values * (1 / size)) * size
            rest -= values
            np.abs(rest, out=rest)
            rest -= slack
            on |= (rest <= _ROUNDED * size).view(np.uint8) << place
    return on


def _runs(on: Codes, counts: Counts, before: Counts) -> Counts:
    """Count on from ``before`` (m,) over ``counts`` (m,) values of each series: packed runs.

    Beyond the fifteenth value of a series the past does not matter any more.
    """
    begins, most = np.cumsum(counts) - counts, int(counts.max(initial=0))
    after = _alone(on) if most > MOST else np.zeros(len(on), np.int64)
    held = before.copy()
    for place in range(min(most, MOST)):
        there = np.flatnonzero(counts > place)
        at, run = begins[there] + place, held[there]
        held[there] = after[at] = (run + (_EVERY & ~_full(run))) & (_ONE[on[at]] * MOST)
    return after


def _alone(on: Codes) -> Counts:
    """Give the packed runs of values that have fourteen others before them in their series."""
    together, runs = on.copy(), _ONE[on]
    for back in range(1, MOST):
        together[back:] &= on[:-back]
        runs += _ONE[together]
    return runs


def _full(runs: Counts) -> Counts:
    """Give the lowest bit of each packed run that is full."""
    return runs & (runs >> 1) & (runs >> 2) & (runs >> 3) & _EVERY


def _seven(runs: Counts) -> Counts:
    """Give the lowest bit of each packed run of seven at least."""
    return ((runs >> 3) | (runs & (runs >> 1) & (runs >> 2))) & _EVERY


def _too_coarse(runs: Counts, steps: Steps) -> Bools:
    found = np.zeros(len(runs), np.bool_)
    for fine, coarse in steps.five:
        often = (runs >> (_BITS * coarse)) & MOST
        known = (runs >> (_BITS * fine)) & MOST >= steps.learnt
        found |= known & (often >= _COARSE) & (often < steps.learnt)
    return found
