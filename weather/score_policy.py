"""What happens to readings whose score lies below the threshold: flagged, held, or told of.

A decision and no deed: whoever asked sends on, holds back or raises the alert.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from weather.arrays import Bools, Flags, Floats
from weather.qc.flags import GOOD, NOT_EVALUATED, SUSPECT

QUALITY_THRESHOLD: Final = 0.7
"""Between good and suspect: a suspect reading (½) is below it, one that is ten hours late is not.

A reading falls below by lateness alone from 14.8 hours on.
"""


class Policy(StrEnum):
    """What to do below the threshold."""

    FLAG = "flag"
    """A good or unjudged reading becomes suspect; nothing is held back."""
    HOLD = "hold"
    """Its value is not passed on until a person has looked at it."""
    ALERT = "alert"
    """It passes as it is, and somebody is told."""


class Decision(NamedTuple):
    """What is to be done with n readings (or groups: then flags are those of the groups)."""

    flag: Flags
    held: Bools
    alerted: Bools


def decide(
    score: Floats,
    flag: Flags,
    policy: Policy = Policy.FLAG,
    threshold: float = QUALITY_THRESHOLD,
) -> Decision:
    """Decide by the score; what has none (NaN) is never below, and what is at it passes.

    >>> score, flag = np.array([1.0, 0.6, np.nan, 0.0]), np.array([1, 1, 2, 4])
    >>> decide(score, flag).flag.tolist()
    [1, 3, 2, 4]
    >>> decide(score, flag, Policy.HOLD).held.tolist()
    [False, True, False, True]

    Raises:
        ValueError: the threshold is no number from 0 to 1.
    """
    if not 0.0 <= threshold <= 1.0:
        problem = f"quality_threshold is {threshold}: it lies from 0 to 1"
        raise ValueError(problem)
    below = np.asarray(score < threshold, np.bool_)
    nothing = np.zeros_like(below)
    if policy is Policy.FLAG:
        lifted = below & ((flag == GOOD) | (flag == NOT_EVALUATED))
        return Decision(np.where(lifted, np.int32(SUSPECT), flag), nothing, nothing)
    held, alerted = (below, nothing) if policy is Policy.HOLD else (nothing, below)
    return Decision(flag, held, alerted)
