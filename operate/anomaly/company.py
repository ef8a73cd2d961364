"""Growing a model of readings beside their neighbours: value, difference from these, hour, season.

It is the forest of :mod:`operate.anomaly.forest` over other features, laid out as a table as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from operate.anomaly.forest import ENDS, FEWEST, Growth, every_cell, forest_of, rising
from operate.anomaly.held_out import quantiles_of, threshold_of
from operate.anomaly.history import History, Place
from weather.arrays import Bools, Floats
from weather.company import Around, Company, CompanyEdges
from weather.qc.buddy import Places
from weather.qc.company import neighbours_of

_VALUES: Final = 12
_APART: Final = (0.5, 0.75, 0.9, 0.97, 0.99, 0.997, 0.9995)
_WEIGHED: Final = (0, 1, 1, 1, 1, 2, 3)
"""The difference gets most of the lots: the rest is odd only together with it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A grown model: the score of every cell, and the scores of readings it did not grow on."""

    edges: CompanyEdges
    around: Around
    scores: Floats
    seasons: tuple[int, ...]
    held_out: Floats

    def at(self, rate: float) -> Company:
        """Give what a ruleset carries of it, at a wanted rate of alerts."""
        threshold = threshold_of(self.held_out, rate)
        return Company.of_scores(self.scores, threshold, self.edges, self.around, self.seasons)

    def arrays(self) -> dict[str, Any]:
        """Give it as plain arrays, to be kept."""
        around = (self.around.radius, self.around.elevation, self.around.least)
        return {
            "company_scores": self.scores.astype(np.float32),
            "company_value": self.edges.value,
            "company_beside": self.edges.beside,
            "company_around": np.array(around, np.float64),
            "company_seasons": np.array(self.seasons, np.int64),
            "company_held_out": self.held_out.astype(np.float32),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Any]) -> Self | None:
        """Read it back; None where none was kept."""
        if "company_scores" not in arrays:
            return None
        edges = (tuple(arrays[f"company_{name}"].tolist()) for name in ("value", "beside"))
        radius, elevation, least = arrays["company_around"].tolist()
        return cls(
            CompanyEdges(*edges),
            Around(radius, elevation, int(least)),
            arrays["company_scores"].astype(np.float64),
            tuple(arrays["company_seasons"].tolist()),
            arrays["company_held_out"].astype(np.float64),
        )


def beside_neighbours(mine: History, among: History, around: Around) -> Floats:
    """Give how far each reading is from the median of the clean ones around it, of the same time.

    ``among`` is where neighbours are looked for; NaN where there are too few.
    """
    names = sorted({*mine.places, *among.places})
    near = neighbours_of(_places({**mine.places, **among.places}, names), around)
    found: Floats = np.full(len(mine), np.nan)
    rows_of = {name: np.flatnonzero(among.clean & (among.sensors == name)) for name in names}
    for number, name in enumerate(names):
        rows = np.flatnonzero(mine.sensors == name)
        others = [rows_of[names[other]] for other in np.flatnonzero(near[number]).tolist()]
        if len(rows) and len(others) >= around.least:
            theirs = np.array([_at_times(among, one, mine.at[rows]) for one in others])
            known = (~np.isnan(theirs)).sum(axis=0) >= around.least
            found[rows[known]] = mine.values[rows[known]] - np.nanmedian(theirs[:, known], axis=0)
    return found


def grow_beside(
    mine: History, rest: History, beside: Floats, growth: Growth, around: Around
) -> Beside | None:
    """Grow on the clean readings of one half, measure on the other; None where these are too few.

    ``beside`` are the differences of all readings, which are the same in both.
    """
    known = ~np.isnan(beside)
    here, there = mine.clean & known, rest.clean & known
    if min(here.sum(), there.sum()) < FEWEST:
        return None
    edges = _edges(mine.values[here], np.abs(beside[here]))
    bins = edges.bins(mine.at, mine.values, np.nan_to_num(beside))
    forest = forest_of(bins[:, here][_WEIGHED, :], growth)
    scores = every_cell(forest, edges.shape, _WEIGHED)
    held_out = scores.ravel()[np.ravel_multi_index(tuple(bins[:, there]), edges.shape)]
    seasons = tuple(np.unique(bins[-1, here]).tolist())
    return Beside(edges, around, scores, seasons, quantiles_of(held_out))


def odd_beside(mine: History, among: History, model: Company) -> Bools:
    """Say which readings are unusual beside the clean ones around them."""
    beside = beside_neighbours(mine, among, model.around)
    return model.odd(mine.at, mine.values, beside)


def _edges(values: Floats, apart: Floats) -> CompanyEdges:
    low, high = np.quantile(values, ENDS).tolist()
    sizes = [one for one in rising(np.quantile(apart, _APART)) if one > 0] or [1.0]
    beside = (*(-one for one in reversed(sizes)), *sizes)
    return CompanyEdges(rising(np.linspace(low, high, _VALUES)), beside)


def _places(known: Mapping[str, Place], names: list[str]) -> Places:
    columns = np.array([known[name] for name in names], np.float64).reshape(len(names), 3).T
    return Places(*columns)


def _at_times(among: History, rows: Any, at: Any) -> Floats:
    """Give the readings of a sensor at some times; NaN where it has none."""
    found: Floats = np.full(len(at), np.nan)
    if len(rows):
        place = np.minimum(np.searchsorted(among.at[rows], at), len(rows) - 1)
        there = among.at[rows[place]] == at
        found[there] = among.values[rows[place[there]]]
    return found
