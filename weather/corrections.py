"""What cleaning changed on a reading: a bit for each kind, so that a column is an array."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Corrections = NDArray[np.int32]
"""Bits of `Correction`, one entry for each reading."""


class Correction(IntFlag):
    """A change that cleaning made; its name in small letters stands on the reading."""

    SENTINEL_REMOVED = 1
    CALIBRATION_APPLIED = 2
    CALM_DIRECTION_CLEARED = 4
    NORTH_AS_360 = 8
    CLAMPED_TO_100 = 16
    VARIABLE_DIRECTION_CLEARED = 32
    RAIN_FROM_COUNTER = 64
    RAIN_COUNTER_RESET = 128
    RAIN_OVER_GAP = 256
    RAIN_LOWER_BOUND = 512


ALL: Final = ~Correction(0)
"""Every correction: what cleaning does where nothing is switched off."""


def without(names: Iterable[str]) -> Correction:
    """Give every correction but those that are named, in small letters.

    >>> Correction.NORTH_AS_360 in without(["north_as_360"])
    False

    Raises:
        ValueError: there is no such correction; the message names those there are.
    """
    known = {str(one.name).lower(): one for one in Correction}
    allowed = ALL
    for name in names:
        if name not in known:
            problem = f"unknown correction {name!r}: known are {', '.join(known)}"
            raise ValueError(problem)
        allowed &= ~known[name]
    return allowed


def describe(corrections: Corrections) -> list[str | None]:
    """Name the corrections of each reading, joined by a comma; None where there was none.

    >>> describe(np.array([0, 10]))
    [None, 'calibration_applied,north_as_360']
    """
    return [_names(bits) for bits in corrections.tolist()]


@cache
def _names(bits: int) -> str | None:
    return ",".join(str(c.name).lower() for c in Correction(bits)) or None
