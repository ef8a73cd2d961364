"""What stands around each reading of some series, digits included: found in one compiled walk.

Kind by kind, so that what is found fits the processor's cache, and memory that is at hand anyway.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.scratch import empty
from stream_app.window import nearby_kernels as kernels
from stream_app.window.entries import Entries, words
from stream_app.window.kinds import KINDS
from weather.qc.digits import MOST_STEPS, STEPS, Steps
from weather.qc.series import Neighbours, Past, resolution

_GRAINS: Final = 64
_PAIRS: Final = 3


def _row_of(steps: Steps) -> list[int]:
    pairs = [place for pair in steps.five for place in pair]
    row = [len(steps.sizes), steps.learnt, len(steps.five), *pairs]
    return row + [0] * (3 + 2 * _PAIRS - len(row))


_SIZES: Final = np.ones((1 + len(STEPS), max(_GRAINS, MOST_STEPS)))
_SIZES[0] = resolution(np.arange(_GRAINS))
for _place, _steps in enumerate(STEPS.values()):
    _SIZES[1 + _place, : len(_steps.sizes)] = _steps.sizes
_ROWS: Final = np.array([_row_of(steps) for steps in STEPS.values()], np.int64)
_WHICH: Final = [[*STEPS].index(kind[:2]) if kind[:2] in STEPS else -1 for kind in KINDS]
"""By kind, the row of its steps."""


def nearby(kind: int, entries: Entries, lengths: NDArray[np.int64], before: Past) -> Neighbours:
    """Look around each of the ``entries`` (n,) of m series of one kind.

    ``lengths`` (m,) and ``before`` (m,) are as in :func:`weather.qc.series.neighbours`.
    """
    count, which = len(entries), np.full(len(lengths), _WHICH[kind])
    known = before.at, before.broken, before.since, before.length, before.grain, before.runs
    series = np.stack([lengths, which, *known], axis=1, dtype=np.int64, casting="unsafe")
    numbers = empty(9 * count, np.int64).reshape(9, count)
    doubles = empty(6 * count, np.float64).reshape(6, count)
    doubles[kernels.HERE] = entries["value"]
    newest = np.ascontiguousarray(before.value)
    kernels.look_around(words(entries), newest, series, _ROWS, _SIZES, numbers, doubles)
    return Neighbours(
        change=doubles[kernels.CHANGE],
        elapsed=numbers[kernels.ELAPSED],
        rise=doubles[kernels.RISE],
        fall=doubles[kernels.FALL],
        to_behind=numbers[kernels.TO_BEHIND],
        resolution=doubles[kernels.RESOLUTION],
        odd=numbers[kernels.ODD] != 0,
        past=Past(
            numbers[kernels.AT],
            doubles[kernels.NEWEST],
            numbers[kernels.BROKEN] != 0,
            numbers[kernels.SINCE],
            numbers[kernels.COUNT],
            numbers[kernels.GRAIN],
            numbers[kernels.RUNS],
        ),
    )
