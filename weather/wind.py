"""How wind directions are written: calm has none, and north is 360.

Loggers write 0 for calm and 360 for north ([K]); others write 0 for north too. Speed tells the two
apart.
"""

from __future__ import annotations

from typing import Final

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
