"""What a learnt model says of readings of one time beside their neighbours: suspect, never failed.

As in :mod:`weather.qc.buddy` a neighbour is near, known by place and height, and usable.
"""

from __future__ import annotations

import numpy as np

from weather.arrays import Bools, Flags, Floats
from weather.company import Around, Company
from weather.qc.buddy import Places, distance
from weather.qc.flags import Flag


def differences(
    places: Places, values: Floats, around: Around, usable: Bools | None = None
) -> Floats:
    """Give how far each value is from the median of its neighbours'; NaN where these are too few.

    >>> places = Places(np.arange(4) * 0.01 + 60, np.full(4, 10.0), np.zeros(4))
    >>> differences(places, np.array([1.0, 2.0, 3.0, np.nan]), Around(), None).tolist()
    [-1.5, 0.0, 1.5, nan]
    """
    placed = np.logical_and.reduce([~np.isnan(column) for column in places])
    told = placed & np.isfinite(values)
    if usable is not None:
        told &= usable
    near = neighbours_of(places, around) & told
    count = near.sum(axis=1)
    found: Floats = np.full(len(values), np.nan)
    asked = placed & (count >= around.least)
    theirs = np.where(near[asked], values, np.nan)
    found[asked] = values[asked] - (np.nanmedian(theirs, axis=1) if len(theirs) else 0.0)
    return found


def neighbours_of(places: Places, around: Around) -> Bools:
    """Say who is near whom, of shape (n, n); nobody is near himself."""
    apart = np.abs(places.elevation[:, None] - places.elevation)
    near: Bools = (distance(places, places) <= around.radius) & (apart <= around.elevation)
    np.fill_diagonal(near, val=False)
    return near


def company_test(
    at: int, places: Places, values: Floats, model: Company, usable: Bools | None = None
) -> Flags:
    """Judge readings of one time (UTC microseconds) beside each other, of shape (n,).

    2 says that nobody was asked, or nothing was learnt of the season; 1 that it is usual.

    >>> from weather.company import CompanyEdges
    >>> scores = np.zeros(CompanyEdges((), (-2.0, 2.0)).shape)
    >>> scores[:, [0, 2]] = 0.9
    >>> edges, seasons = CompanyEdges((), (-2.0, 2.0)), tuple(range(6))
    >>> model = Company.of_scores(scores, 0.8, edges, Around(), seasons)
    >>> places = Places(np.arange(4) * 0.01 + 60, np.full(4, 10.0), np.zeros(4))
    >>> company_test(0, places, np.array([1.0, 1.2, 1.1, 9.0]), model).tolist()
    [1, 1, 1, 3]
    >>> company_test(0, places, np.array([1.0, 1.2, 1.1, 2.0]), model).tolist()
    [1, 1, 1, 1]
    """
    when = np.full(len(values), at)
    beside = differences(places, values, model.around, usable)
    odd = model.odd(when, values, beside)
    return np.where(odd, Flag.SUSPECT, np.where(np.isnan(beside), 2, 1)).astype(np.int32)
