"""Cells of the globe: so that whoever holds a cell has all neighbours of the stations in it.

Bands of equal latitude are cut into cells that are nowhere narrower than the distance given. So all
that lies within that distance of a station is in its own cell or one of those around it; a reading
is sent to each of them, and judged in its own.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Floats

_DEGREE: Final = 111_000.0
"""Metres that are less than a degree of latitude, on any of the globes in use."""

_BAND_BITS: Final = 32

Cells = NDArray[np.int64]


def cell_of(latitude: Floats, longitude: Floats, metres: float) -> Cells:
    """Give the cell in which each place (degrees) lies; a number that is the same for ever.

    >>> seoul, suwon, busan = cell_of(
    ...     np.array([37.57, 37.27, 35.10]), np.array([126.97, 126.98, 129.03]), 100_000)
    >>> bool(seoul == suwon), bool(seoul == busan)
    (True, False)
    """
    height = metres / _DEGREE
    return _cell(np.floor((latitude + 90) / height), longitude, height)


def cells_around(latitude: Floats, longitude: Floats, metres: float) -> Cells:
    """Give the cells to which each place is to be told, its own among them; shape (n, 9).

    Every place within ``metres`` has its own cell among them. A cell may stand there twice.
    """
    height = metres / _DEGREE
    band = np.floor((latitude + 90) / height)
    steps = (-1, 0, 1)
    found = [_cell(band + step, longitude, height, side) for step in steps for side in steps]
    return np.stack(found, axis=-1)


def _cell(band: Floats, longitude: Floats, height: float, side: int = 0) -> Cells:
    """Give the cell of a place in a band, or so many cells beside it.

    They are counted, not looked for by their width: at its edge, rounding would pass one over.
    """
    columns = _columns(band, height)
    column = (np.floor((longitude + 180) / 360 * columns) + side) % columns
    return (band.astype(np.int64) << _BAND_BITS) + column.astype(np.int64)


def _columns(band: Floats, height: float) -> Floats:
    """Say into how many cells a band is cut: by its circle and the next, where these are least."""
    edges = np.stack([(band - 1) * height - 90, (band + 2) * height - 90])
    least = np.cos(np.radians(np.minimum(np.abs(edges).max(axis=0), 90.0)))
    columns: Floats = np.maximum(np.floor(360 * least / height), 1.0)
    return columns
