"""How wind directions are written: calm has none, and north is 360.

Loggers write 0 for calm and 360 for north ([K]); others write 0 for north too. Speed tells the two
apart.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from weather.arrays import Bools, Floats

NORTH: Final = 360.0


def calm(speed: Floats, direction: Floats) -> Bools:
    """Say where a direction of 0 only means that there is no wind."""
    still: Bools = (speed == 0.0) & (direction == 0.0)
    return still


def north_as_zero(speed: Floats, direction: Floats) -> Bools:
    """Say where a direction of 0 means north, since there is wind."""
    north: Bools = (speed > 0.0) & (direction == 0.0)
    return north


def canonical_direction(speed: Floats, direction: Floats) -> Floats:
    """Write directions (degrees) in the one way of ours; shape as given.

    Calm becomes NaN and north 360. Anything else stays: NaN with wind (variable, and valid), a
    direction without wind (for a test to judge), and a 0 whose speed is not known.

    >>> canonical_direction(np.array([0.0, 2.0, 2.0]), np.array([0.0, 0.0, 90.0])).tolist()
    [nan, 360.0, 90.0]
    """
    north = np.where(north_as_zero(speed, direction), NORTH, direction)
    return np.where(calm(speed, direction), np.nan, north)
