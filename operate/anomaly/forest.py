"""Growing a model: bins for its features, a forest on the bins, a score for every cell of them.

scikit-learn grows the trees. They are asked once, about every cell there is, and then forgotten:
what is kept is an array of scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]

from operate.anomaly.history import History
from weather.anomaly import Edges
from weather.arrays import Floats
from weather.qc.series import Neighbours

_VALUES: Final = 30
ENDS: Final = (0.0005, 0.9995)
_CHANGES: Final = (0.5, 0.75, 0.9, 0.97, 0.99, 0.997, 0.9995)
_STILL: Final = (0.5, 0.9, 0.99, 0.999)
FEWEST: Final = 200
_AT_ONCE: Final = 1 << 15
_WEIGHED: Final = (0, 0, 1, 1, 1, 2, 2, 3, 4)
"""A tree draws its features by lot. The value, its change and its standing still get more lots than
hour and season, which are odd only together with them."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a forest is grown.

    ``contamination`` is the part of its history that the forest itself would call odd; what the
    stream flags follows from a threshold that is tuned to a wanted rate of alerts.
    """

    trees: int = 100
    sample: int = 1024
    contamination: float = 0.05
    seed: int = 1


USUAL: Final = Growth()


@dataclass(frozen=True, slots=True)
class Model:
    """A grown model: the score of every cell (0 usual to 1 odd), of shape ``edges.shape``.

    ``offset`` is the score from which ``contamination`` of the history it grew on is odd.
    """

    edges: Edges
    scores: Floats
    seasons: tuple[int, ...]
    offset: float

    def of(self, history: History) -> Floats:
        """Score the clean readings of a history, in their order."""
        around = history.around()
        bins = self.edges.bins(history.at, history.values, around)[:, history.clean]
        found: Floats = self.scores.ravel()[np.ravel_multi_index(tuple(bins), self.edges.shape)]
        return found


def grow(history: History, growth: Growth) -> Model | None:
    """Grow a model on the clean readings of a history; None where these are too few.

    The same history and growth give the same model.
    """
    rows = history.clean
    if rows.sum() < FEWEST:
        return None
    around = history.around()
    edges = edges_of(history, around)
    bins = edges.bins(history.at, history.values, around)[:, rows]
    forest = forest_of(bins[_WEIGHED, :], growth)
    seasons = tuple(np.unique(bins[-1]).tolist())
    return Model(edges, every_cell(forest, edges.shape, _WEIGHED), seasons, -float(forest.offset_))


def forest_of(features: NDArray[np.int64], growth: Growth) -> Any:
    """Let scikit-learn grow a forest on the numbers of bins, of shape (features, n)."""
    forest = IsolationForest(
        n_estimators=growth.trees,
        max_samples=min(growth.sample, features.shape[1]),
        contamination=growth.contamination,
        random_state=growth.seed,
    )
    return forest.fit(features.T)


def edges_of(history: History, around: Neighbours) -> Edges:
    """Choose bins: even ones for the value, by their rarity for changes and for standing still."""
    rows = history.clean
    low, high = np.quantile(history.values[rows], ENDS).tolist()
    loose = Edges((), (), ())
    change, still = (one[rows] for one in loose.scaled(history.at, around))
    size = np.abs(change[~np.isnan(change)])
    sizes = rising(np.quantile(size, _CHANGES)) if len(size) else (1.0,)
    sizes = tuple(one for one in sizes if one > 0) or (1.0,)
    return Edges(
        value=rising(np.linspace(low, high, _VALUES)),
        change=(*(-one for one in reversed(sizes)), *sizes),
        still=rising(np.quantile(still, _STILL)),
    )


def rising(edges: Floats) -> tuple[float, ...]:
    """Leave out what does not rise."""
    return tuple(np.unique(np.round(edges, 6)).tolist())


def every_cell(forest: Any, shape: tuple[int, ...], weighed: Sequence[int]) -> Floats:
    """Ask a forest about every cell, some at a time; ``weighed`` are the features it grew on."""
    count = int(np.prod(shape))
    scores = np.empty(count)
    for first in range(0, count, _AT_ONCE):
        places = np.arange(first, min(first + _AT_ONCE, count))
        cells = np.array(np.unravel_index(places, shape))[weighed, :]
        scores[places] = -forest.score_samples(cells.T)
    return scores.reshape(shape)
