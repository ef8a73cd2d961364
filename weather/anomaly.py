"""How usual a reading is: a forest of isolation trees, grown on bins and laid out as a table.

A tree that was grown on the numbers of bins asks for nothing else, so the whole forest is a
function of a few small whole numbers: it is worked out once for every combination of bins, and
judging a reading is to find its cell. What is kept is plain data, one bit a cell: nobody unpickles
what came over a wire. It is one more test, which alone never fails a reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from weather.arrays import Flags, Floats, Micros
from weather.cells import (
    HOURS,
    SEASONS,
    Bins,
    bits_of,
    check_edges,
    check_seasons,
    hour_of,
    marked,
    packed,
    season_of,
)
from weather.company import Company, company_from_plain, company_to_plain
from weather.qc.flags import Flag
from weather.qc.series import Neighbours

_HOUR: Final = 3_600_000_000
_SHORTEST: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Edges:
    """Where the bins of a reading's features end, each rising; the units are the measure's.

    Attributes:
        value: of the value itself.
        change: of the change since the reading before, per root of an hour: what diffuses, as
            weather does over hours, changes alike at every cadence by this scale.
        still: of the hours since the value last changed.
    """

    value: tuple[float, ...]
    change: tuple[float, ...]
    still: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many bins each feature has; those of changes begin with one for "not known"."""
        lengths = len(self.value) + 1, len(self.change) + 2, len(self.still) + 1
        return (*lengths, HOURS, SEASONS)

    def scaled(self, at: Micros, found: Neighbours) -> tuple[Floats, Floats]:
        """Give the change per root of an hour, NaN for none, and the hours of standing still."""
        root = np.sqrt(np.maximum(found.elapsed, _SHORTEST) / _HOUR)
        return found.change / root, (at - found.past.since) / _HOUR

    def bins(self, at: Micros, values: Floats, found: Neighbours) -> Bins:
        """Give the bin of each feature, of shape (5, n); readings without a value are anywhere."""
        change, still = self.scaled(at, found)
        unknown = np.isnan(change)
        return np.array(
            [
                np.searchsorted(self.value, values),
                np.where(unknown, 0, np.searchsorted(self.change, change) + 1),
                np.searchsorted(self.still, still),
                hour_of(at),
                season_of(at),
            ],
            np.int64,
        )


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A model of one measure, as a ruleset carries it.

    Attributes:
        version: by which a reading's ruleset names it.
        threshold: the score (0 usual to 1 odd) from which a reading is suspect; it is in ``table``.
        edges: of its features.
        seasons: parts of the year it has learnt from; of others it says nothing.
        table: a bit for each cell, packed.
        company: the model of the same measure beside its neighbours, for whoever knows these; None
            where there were none to learn from.
        rate: the part of usual readings that it was tuned to flag, where that is known.
    """

    version: str
    threshold: float
    edges: Edges
    seasons: tuple[int, ...]
    table: str
    company: Company | None = None
    rate: float | None = None

    @classmethod
    def of_scores(
        cls, version: str, scores: Floats, threshold: float, edges: Edges, seasons: tuple[int, ...]
    ) -> Anomaly:
        """Make a model of the scores of all cells, in the order of ``edges.shape``."""
        return cls(version, threshold, edges, seasons, packed(scores, threshold))


def anomaly_test(at: Micros, values: Floats, found: Neighbours, model: Anomaly) -> Flags:
    """Flag what is unusual: suspect, never failed. Arrays of shape (n,), times in UTC.

    What has not been learnt, a season without any readings, is not evaluated (2).

    >>> from weather.qc.series import Past, neighbours
    >>> edges = Edges(value=(0.0,), change=(-9.0, 9.0), still=(5.0,))
    >>> scores = np.zeros(edges.shape)
    >>> scores[1] = 0.9
    >>> model = Anomaly.of_scores("warm-is-odd", scores, 0.8, edges, (0,))
    >>> at, values = np.array([0, 1, 100 * 24]) * 3_600_000_000, np.array([-1.0, 1.0, 1.0])
    >>> found = neighbours(at, values, np.ones(3, bool), np.array([3]), Past.nothing(1))
    >>> anomaly_test(at, values, found, model).tolist()
    [1, 3, 2]
    """
    bins = model.edges.bins(at, values, found)
    odd = marked(model.table, bins, model.edges.shape)
    flags = np.where(odd, np.int32(Flag.SUSPECT), np.int32(Flag.GOOD))
    if len(model.seasons) < SEASONS:
        flags[~np.isin(bins[-1], model.seasons)] = Flag.NOT_EVALUATED
    return flags


def to_plain(model: Anomaly) -> dict[str, Any]:
    """Write a model as plain data for JSON."""
    edges = model.edges
    return {
        "version": model.version,
        "threshold": model.threshold,
        "value": list(edges.value),
        "change": list(edges.change),
        "still": list(edges.still),
        "seasons": list(model.seasons),
        "table": model.table,
        **({"company": company_to_plain(model.company)} if model.company else {}),
        **({"rate": model.rate} if model.rate is not None else {}),
    }


def from_plain(plain: Mapping[str, Any]) -> Anomaly:
    """Read a model from plain data, trusting nothing.

    >>> edges = Edges((0.0,), (-9.0, 9.0), (5.0,))
    >>> model = Anomaly.of_scores("m", np.zeros(edges.shape), 0.8, edges, (0, 1))
    >>> from_plain(to_plain(model)) == model
    True

    Raises:
        ValueError: something is missing or makes no sense.
    """
    named = ("value", "change", "still", "seasons")
    try:
        value, change, still, seasons = (tuple(map(float, plain[name])) for name in named)
        version, table = str(plain["version"]), str(plain["table"])
        threshold = float(plain["threshold"])
        rate = float(plain["rate"]) if "rate" in plain else None
    except (KeyError, TypeError) as error:
        problem = f"an anomaly model is not whole ({error}): give it as `aos anomaly show` does"
        raise ValueError(problem) from error
    edges, learnt = Edges(value, change, still), tuple(map(int, seasons))
    for name, one in zip(named, (value, change, still, seasons), strict=True):
        check_edges(name, one)
    check_seasons(learnt)
    bits_of(table, math.prod(edges.shape))
    told = plain.get("company")
    company = None if told is None else company_from_plain(told)
    return Anomaly(version, threshold, edges, learnt, table, company, rate)
