"""What a gauge that counts says: what fell since the reading before, in the place of its total.

That takes the reading before, whichever came when: so it is done behind the window, for new
readings and for those that have another one before them since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream_app.judging.judged import Judged
from stream_app.judging.placed import classes_of
from stream_app.rulesets.parts import parted
from stream_app.window.before import Before
from weather.arrays import Flags, Floats, Micros
from weather.circumstances import Circumstances, range_flags
from weather.clean import Cleaned
from weather.qc.flags import FAIL, MISSING, NOT_EVALUATED, SUSPECT, Flag, aggregate, flags_like
from weather.rain import Counter, Increments, increments
from weather.ruleset_history import RulesetHistory

STEP = "flag_step"


def counted(
    judged: Judged, flags: Mapping[str, Flags], before: Before | None, rules: RulesetHistory | None
) -> tuple[Judged, Mapping[str, Flags]]:
    """Turn totals into amounts; others stay as they are.

    An amount is judged as any: by ``rules``, where there are any. A counter that falls when it
    should not is suspect by its step. Where nothing is known of what was before, there is no
    amount, and the flag is 2: what fell is in nobody's reading.
    """
    if not judged.counters:
        return judged, flags
    before = Before.nothing(len(judged.utc)) if before is None else before
    which = judged.counts
    found = _fallen(judged, before)
    total = judged.measures["value"]
    amounts = np.where(which, found.amount, total.value)
    ranges = total.flag_range
    if rules is not None:
        judged_now = _ranges(judged, amounts, found.minutes, rules)
        asked = which if judged.unjudged is None else which & ~judged.unjudged
        ranges = np.where(asked, aggregate(total.flag_range, judged_now), ranges)
        flags = {**flags, STEP: aggregate(flags[STEP], _suspect(found.flags, which))}
    missing = total.flag_range == MISSING
    unknown = which & np.isnan(amounts) & ~missing & (ranges != FAIL)
    ranges = np.where(unknown, np.int32(NOT_EVALUATED), ranges)
    value = np.where(which & (ranges == FAIL), np.nan, amounts)
    elapsed = np.where(which & (before.elapsed > 0), before.elapsed, judged.interval)
    made = replace(
        judged,
        measures={"value": Cleaned(total.raw_value, value, ranges)},
        flag_measured=ranges,
        corrections=judged.corrections | np.where(which, found.corrections, 0),
        interval=elapsed,
    )
    return made, flags


def _fallen(judged: Judged, before: Before) -> Increments:
    """Compute what fell, by the rhythm of each counter; of others what is found means nothing."""
    rows = {one: np.zeros(len(judged.utc), np.bool_) for one in judged.counters if one is not None}
    for number, one in enumerate(judged.counters):
        if one is not None:
            rows[one] |= judged.origin == number
    (first, _), *others = rows.items()
    found = _by(first, judged, before)
    for counter, which in others:
        other = _by(counter, judged, before)
        found = Increments(
            np.where(which, other.amount, found.amount),
            np.where(which, other.minutes, found.minutes),
            np.where(which, other.flags, found.flags),
            np.where(which, other.corrections, found.corrections),
        )
    return found


def _by(counter: Counter, judged: Judged, before: Before) -> Increments:
    usual: Micros = np.where(judged.interval > 0, judged.interval, before.elapsed)
    total = judged.measures["value"].value
    return increments(total, before.change, before.elapsed, judged.local, usual, counter)


def _ranges(judged: Judged, amounts: Floats, minutes: Floats, rules: RulesetHistory) -> Flags:
    known = Circumstances(judged.local, classes_of(judged.origins, judged.origin), minutes)
    found = flags_like(len(amounts), Flag.MISSING)
    for ruleset, rows in parted(rules, judged.utc):
        mask = np.zeros(len(amounts), np.bool_)
        mask[rows] = True
        part = known.take(mask)
        found[mask] = range_flags("rainfall", "value", amounts[mask], ruleset, part)
    return found


def _suspect(flags: Flags, which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Flags:
    return np.where(which & (flags == SUSPECT), SUSPECT, NOT_EVALUATED)
