"""Cells that a learnt model is laid out in: parts of the day and the year, and a bit for each cell.

What is kept of a model is plain data: nobody unpickles what came over a wire.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Floats, Micros

HOURS: Final = 8
"""Parts of the day, of three hours each, by UTC: who asks knows no local clock."""
SEASONS: Final = 6
"""Parts of the year, of two months each, beginning with January."""
MOST_CELLS: Final = 1 << 18
_DAY: Final = 86_400_000_000
_DAYS_OF_SEASON: Final = 61
_YEAR: Final = 365.2425

Bins = NDArray[np.int64]


def hour_of(at: Micros) -> Bins:
    """Give the part of the day of each time.

    >>> hour_of(np.array([0, 3, 23, 24]) * 3_600_000_000).tolist()
    [0, 1, 7, 0]
    """
    found: Bins = at // (_DAY // HOURS) % HOURS
    return found


def season_of(at: Micros) -> Bins:
    """Give the part of the year of each time; to within a day, which no weather notices.

    >>> season_of(np.array([0, 59, 70, 364]) * 86_400_000_000).tolist()
    [0, 0, 1, 5]
    """
    day = np.mod(at / _DAY, _YEAR)
    season: Bins = np.minimum(day // _DAYS_OF_SEASON, SEASONS - 1).astype(np.int64)
    return season


def packed(scores: Floats, threshold: float) -> str:
    """Write down which cells are odd: a bit each, compressed, in base 64."""
    bits = np.packbits(scores.ravel() >= threshold)
    return base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode()


def marked(table: str, bins: Bins, shape: tuple[int, ...]) -> Bools:
    """Say of which readings the cell is marked; ``bins`` are of shape (features, n)."""
    found: Bools = bits_of(table, math.prod(shape))[np.ravel_multi_index(tuple(bins), shape)]
    return found


@lru_cache(maxsize=64)
def bits_of(table: str, cells: int) -> Bools:
    """Unpack a table once; one that would not fit what it is said to hold is refused.

    >>> bits_of(packed(np.array([0.1, 0.9, 0.4]), 0.5), 3).tolist()
    [False, True, False]

    Raises:
        ValueError: it is not what was packed, or not of so many cells.
    """
    if cells > MOST_CELLS:
        problem = f"an anomaly model of {cells:,} cells is too large: {MOST_CELLS:,} at most"
        raise ValueError(problem)
    wanted = (cells + 7) // 8
    try:
        found = zlib.decompressobj().decompress(base64.b64decode(table, validate=True), wanted + 1)
    except (binascii.Error, zlib.error) as error:
        problem = f"the table of an anomaly model cannot be read: {error}"
        raise ValueError(problem) from error
    if len(found) != wanted:
        problem = f"the table of an anomaly model has not {cells:,} cells, as its edges say"
        raise ValueError(problem)
    return np.unpackbits(np.frombuffer(found, np.uint8), count=cells).astype(np.bool_)


def check_edges(name: str, edges: Sequence[float]) -> None:
    """Refuse edges of bins that do not rise.

    Raises:
        ValueError: they do not.
    """
    if not all(math.isfinite(x) for x in edges) or any(a >= b for a, b in pairwise(edges)):
        problem = f"the {name} of an anomaly model do not rise"
        raise ValueError(problem)


def check_seasons(seasons: Sequence[int]) -> None:
    """Refuse seasons that there are none of.

    Raises:
        ValueError: one is not from 0 to 5.
    """
    if not set(seasons) <= set(range(SEASONS)):
        problem = f"the seasons of an anomaly model are 0 to {SEASONS - 1}"
        raise ValueError(problem)
