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


_PRECEDENCE: Final = (Flag.MISSING, Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL)
_FLAG: Final = np.array(_PRECEDENCE, dtype=np.int32)
_RANK: Final = np.full(11, -1, dtype=np.int8)
"""By flag; what lies beyond either end is taken for that end, and no flag stands there."""
_RANK[_FLAG] = np.arange(len(_FLAG))


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
    return _FLAG[reduce(np.maximum, map(_rank, flags))]


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
    joined = np.where(measured == Flag.MISSING, measured, aggregate(measured, time))
    unjudged = (joined == Flag.GOOD) & (metadata == Flag.NOT_EVALUATED)
    return np.where(unjudged, Flag.NOT_EVALUATED, joined).astype(np.int32)


def _rank(flags: Flags) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    flags = np.asarray(flags)
    ranks = _RANK.take(flags, mode="clip")
    if ranks.min(initial=0) < 0:
        raise _unknown(flags)
    return ranks


def _unknown(flags: Flags) -> ValueError:
    unknown = flags[~np.isin(flags, _FLAG)].flat[0]
    problem = f"{unknown} is no quality flag: they are 1, 2, 3, 4 and 9"
    return ValueError(problem)
