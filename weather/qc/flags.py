"""Quality flags: QARTOD's five, and how several make one."""

from __future__ import annotations

from enum import IntEnum
from functools import reduce
from typing import Final

import numpy as np

from weather.arrays import Flags


class Flag(IntEnum):
    """A verdict, in QARTOD's numbers."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


GOOD, NOT_EVALUATED, SUSPECT, FAIL, MISSING = map(int, Flag)
"""As plain numbers: to compare an array with a member of an enumeration takes longer."""

_PRECEDENCE: Final = (MISSING, NOT_EVALUATED, GOOD, SUSPECT, FAIL)
_KNOWN: Final = sum(1 << flag for flag in _PRECEDENCE)
_JOINED: Final = np.zeros(_KNOWN + 1, dtype=np.int32)
"""What several make, by a sum that has the bit of each."""
for _flag in _PRECEDENCE:
    _JOINED[(np.arange(_KNOWN + 1) >> _flag & 1) > 0] = _flag
_LOW: Final = 15
"""All bits that the number of a flag can have."""


def flags_like(shape: int | tuple[int, ...], flag: Flag) -> Flags:
    """Make an array of one flag."""
    return np.full(shape, int(flag), dtype=np.int32)


def aggregate(*flags: Flags) -> Flags:
    """Join the flags of several tests, entry by entry: 9 < 2 < 1 < 3 < 4, the later wins ([Q]).

    >>> aggregate(np.array([1, 1, 9]), np.array([3, 9, 9])).tolist()
    [3, 1, 9]

    Raises:
        ValueError: no flags, or a number that is no flag.
    """
    if not flags:
        problem = "nothing to aggregate: give the flags of one test at least"
        raise ValueError(problem)
    bits = reduce(np.bitwise_or, (np.left_shift(np.int32(1), one) for one in flags))
    numbers = reduce(np.bitwise_or, flags)  # a shift beyond either end would leave no bit
    if np.any((bits & ~_KNOWN) | (numbers & ~_LOW)):
        raise _unknown(flags)
    return _JOINED.take(bits)


def overall(measured: Flags, time: Flags, metadata: Flags) -> Flags:
    """Join the verdict on what was measured with those on its time and its metadata.

    A missing reading stays missing, however good its time. A doubtful time makes a reading suspect.
    Without metadata (2) a good reading is not judged; a 3, 4 or 9 stands.

    >>> one = np.array([1, 1, 9, 4, 1])
    >>> overall(one, np.array([1, 1, 1, 1, 3]), np.array([1, 2, 2, 2, 2])).tolist()
    [1, 2, 9, 4, 3]

    Raises:
        ValueError: a number that is no flag.
    """
    joined = np.where(measured == MISSING, measured, aggregate(measured, time))
    unjudged = (joined == GOOD) & (metadata == NOT_EVALUATED)
    return np.where(unjudged, np.int32(NOT_EVALUATED), joined)


def _unknown(flags: tuple[Flags, ...]) -> ValueError:
    every = np.concatenate([np.ravel(one) for one in flags])
    unknown = every[~np.isin(every, _PRECEDENCE)][0]
    problem = f"{unknown} is no quality flag: they are 1, 2, 3, 4 and 9"
    return ValueError(problem)
