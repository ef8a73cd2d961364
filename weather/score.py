"""How much a reading is worth, from 0 to 1.

So far one dimension of quality, validity: what the tests made of the reading itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from weather.arrays import Flags, Floats
from weather.qc.flags import Flag

_VALIDITY: Final = np.full(10, np.nan)
_VALIDITY[[Flag.GOOD, Flag.SUSPECT, Flag.FAIL, Flag.MISSING]] = [1.0, 0.5, 0.0, 0.0]


def validity(flags: Flags) -> Floats:
    """Score aggregate flags: good 1, suspect ½, failed and missing 0, not evaluated NaN.

    >>> validity(np.array([1, 3, 4, 9, 2])).tolist()
    [1.0, 0.5, 0.0, 0.0, nan]
    """
    return _VALIDITY[flags]
