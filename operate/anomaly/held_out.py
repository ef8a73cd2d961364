"""Scores of readings that a model did not grow on: by these it is tuned."""

from __future__ import annotations

from typing import Final

import numpy as np

from weather.arrays import Floats

QUANTILES: Final = 10_001
"""How finely they are kept."""


def quantiles_of(scores: Floats) -> Floats:
    """Give what is kept of scores, rising."""
    return np.quantile(scores, np.linspace(0.0, 1.0, QUANTILES))


def threshold_of(held_out: Floats, rate: float) -> float:
    """Give the score from which so small a part of the held-out readings is odd.

    >>> threshold_of(np.array([0.1, 0.2, 0.3]), 0.5) > 0.2
    True
    """
    place = min(int(np.ceil((1.0 - rate) * (len(held_out) - 1))), len(held_out) - 1)
    return float(np.nextafter(held_out[place], 2.0))
