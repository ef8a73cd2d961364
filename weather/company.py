"""How usual a reading is beside its neighbours: a model of how far stations stand from one another.

It is asked where neighbours are known, which is behind the stream (``stream_app.neighbours``), and
laid out in cells as the model of a reading by itself is, see :mod:`weather.anomaly`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from weather.arrays import Bools, Floats, Micros
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

RADIUS: Final = 50_000.0
"""Metres within which stations are neighbours, and :data:`ELEVATION` of height: as of the test by
neighbours."""
ELEVATION: Final = 200.0
LEAST: Final = 2
"""Fewer neighbours tell nothing: of two that differ nobody knows which is wrong."""


@dataclass(frozen=True, slots=True)
class Around:
    """Who is whose neighbour: within so many metres, so many of height, so many at least."""

    radius: float = RADIUS
    elevation: float = ELEVATION
    least: int = LEAST


@dataclass(frozen=True, slots=True)
class CompanyEdges:
    """Where the bins of the features end, each rising; units are the measure's.

    Attributes:
        value: of the value itself.
        beside: of its difference from the median of its neighbours.
    """

    value: tuple[float, ...]
    beside: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """How many bins each feature has."""
        return len(self.value) + 1, len(self.beside) + 1, HOURS, SEASONS

    def bins(self, at: Micros, values: Floats, beside: Floats) -> Bins:
        """Give the bin of each feature, of shape (4, n)."""
        features = (
            np.searchsorted(self.value, values),
            np.searchsorted(self.beside, beside),
            hour_of(at),
            season_of(at),
        )
        return np.array(features, np.int64)


@dataclass(frozen=True, slots=True)
class Company:
    """A model of one measure beside its neighbours, as a ruleset carries it.

    Attributes:
        threshold: the score (0 usual to 1 odd) from which a reading is suspect; it is in ``table``.
        edges: of its features.
        around: who is a neighbour.
        seasons: parts of the year it has learnt from; of others it says nothing.
        table: a bit for each cell, packed.
    """

    threshold: float
    edges: CompanyEdges
    around: Around
    seasons: tuple[int, ...]
    table: str

    @classmethod
    def of_scores(
        cls,
        scores: Floats,
        threshold: float,
        edges: CompanyEdges,
        around: Around,
        seasons: tuple[int, ...],
    ) -> Company:
        """Make a model of the scores of all cells, in the order of ``edges.shape``."""
        return cls(threshold, edges, around, seasons, packed(scores, threshold))

    def odd(self, at: Micros, values: Floats, beside: Floats) -> Bools:
        """Say which readings are unusual; of those without neighbours or a value nothing is.

        >>> scores = np.zeros(CompanyEdges((), (-2.0, 2.0)).shape)
        >>> scores[:, [0, 2]] = 0.9
        >>> edges, seasons = CompanyEdges((), (-2.0, 2.0)), tuple(range(SEASONS))
        >>> model = Company.of_scores(scores, 0.8, edges, Around(), seasons)
        >>> model.odd(np.zeros(3, int), np.full(3, 15.0), np.array([0.5, -3.0, np.nan])).tolist()
        [False, True, False]
        """
        bins = self.edges.bins(at, values, beside)
        found = marked(self.table, bins, self.edges.shape)
        return found & ~np.isnan(beside) & ~np.isnan(values) & np.isin(bins[-1], self.seasons)


def company_to_plain(model: Company) -> dict[str, Any]:
    """Write a model as plain data for JSON."""
    return {
        "threshold": model.threshold,
        "value": list(model.edges.value),
        "beside": list(model.edges.beside),
        "radius": model.around.radius,
        "elevation": model.around.elevation,
        "least": model.around.least,
        "seasons": list(model.seasons),
        "table": model.table,
    }


def company_from_plain(plain: Mapping[str, Any]) -> Company:
    """Read a model from plain data, trusting nothing.

    >>> edges = CompanyEdges((0.0,), (-2.0, 2.0))
    >>> model = Company.of_scores(np.zeros(edges.shape), 0.8, edges, Around(), (0, 1))
    >>> company_from_plain(company_to_plain(model)) == model
    True

    Raises:
        ValueError: something is missing or makes no sense.
    """
    try:
        value, beside = (tuple(map(float, plain[name])) for name in ("value", "beside"))
        around = Around(float(plain["radius"]), float(plain["elevation"]), int(plain["least"]))
        seasons, threshold = tuple(map(int, plain["seasons"])), float(plain["threshold"])
        table = str(plain["table"])
    except (KeyError, TypeError) as error:
        problem = (
            f"a model of neighbours is not whole ({error}): give it as `aos anomaly show` does"
        )
        raise ValueError(problem) from error
    check_edges("value", value)
    check_edges("beside", beside)
    check_seasons(seasons)
    if not 0.0 < around.radius < math.inf or not around.elevation >= 0.0 or around.least < 1:
        problem = "a model of neighbours looks nowhere: radius above 0, least 1 or more"
        raise ValueError(problem)
    edges = CompanyEdges(value, beside)
    bits_of(table, math.prod(edges.shape))
    return Company(threshold, edges, around, seasons, table)
