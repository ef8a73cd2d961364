"""What a clean reading is worth, and what becomes of one that is worth too little.

The score is a function of the flags alone: the delay is left out, or a row that is read again would
be worth less than at its first coming, and the answer would depend on how often a source looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from stream_app.judging.judged import Judged
from weather.arrays import Bools, Flags, Floats
from weather.qc.flags import MISSING
from weather.score import of_stream, validity
from weather.score_policy import QUALITY_THRESHOLD, Decision, Policy, decide


@dataclass(frozen=True, slots=True)
class Bar:
    """Below which score something happens, and what.

    ``flag`` marks the reading: suspect at least, with a reason. ``hold`` holds its value back, so
    that nobody computes with it, until a person has flagged it otherwise. ``alert`` counts it.
    """

    policy: Policy = Policy.FLAG
    threshold: float = QUALITY_THRESHOLD


USUAL: Final = Bar()


class Worth(NamedTuple):
    """What n readings are worth, and what is done about it; of what is missing nothing is."""

    score: Floats
    flag: Flags
    low: Bools
    held: Bools
    alerted: Bools


def worth(judged: Judged, flags: Mapping[str, Flags], bar: Bar) -> Worth:
    """Score readings and decide; ``flags`` are those of tests that look at neighbours, by field."""
    flag = judged.overall(flags)
    score = of_stream(flag, {**judged.own_flags, **flags})
    measured = (flag != MISSING) & ~judged.deleted
    if (said := judged.by_hand) is not None:
        score, measured = np.where(said & measured, validity(flag), score), measured & ~said
    low = measured & (score < bar.threshold)
    if not low.any():
        return Worth(score, flag, low, low, low)
    decision: Decision = decide(np.where(measured, score, np.nan), flag, bar.policy, bar.threshold)
    return Worth(score, decision.flag, low, decision.held, decision.alerted)
