"""Whether a ruleset makes sense, before anything is judged by it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from weather.limits import FlatLine, Limits, Span, Step
from weather.ruleset import Ruleset

_MONTHS = range(1, 13)
_CLASSES = range(1, 6)
MOST_EQUAL = 255
"""Equal readings that are told apart: the stream remembers no more of a series."""


def check(ruleset: Ruleset) -> None:
    """Refuse a ruleset by which no sense can be judged.

    Raises:
        ValueError: something is wrong; the message names the measure and what it is.
    """
    problems = list(_problems(ruleset))
    if problems:
        problem = f"ruleset {ruleset.version}: {'; '.join(problems)}"
        raise ValueError(problem)


def _problems(ruleset: Ruleset) -> Iterator[str]:
    if not ruleset.version.strip():
        yield "it has no version"
    for (parameter, measure), limits in ruleset.limits.items():
        yield from _named(f"{parameter}.{measure}", limits)
    for one in ruleset.overrides:
        name = f"an override of {one.parameter}.{one.measure}"
        yield from _named(name, one.limits)
        if any(month not in _MONTHS for month in one.months):
            yield f"{name} names a month that is not 1 to 12"
        if any(each not in _CLASSES for each in one.classes):
            yield f"{name} names a class that is not 1 to 5"
        base = ruleset.limits.get((one.parameter, one.measure))
        if one.classes and base is not None and one.limits.buddies != base.buddies:
            yield f"{name} has neighbours for some classes: they are of all"


def _named(name: str, limits: Limits) -> Iterator[str]:
    return (f"{name}: {problem}" for problem in _of(limits))


def _of(limits: Limits) -> Iterator[str]:
    for span in (limits.fail, limits.suspect, *limits.climate):
        if span is not None and not _is_range(span):
            yield f"{span.low} to {span.high} is no range"
    if len(limits.climate) not in (0, len(_MONTHS)):
        yield f"a climate has 12 months, not {len(limits.climate)}"
    yield from _rising("steps", limits.steps)
    yield from _rising("amounts", limits.amounts)
    for pair in (limits.spike, limits.buddies):
        if pair is not None and not 0 <= pair.suspect <= pair.fail:
            yield "what fails must be more than what is suspect"
    yield from _times(limits)
    if limits.flat_line is not None:
        yield from _still(limits.flat_line)


def _times(limits: Limits) -> Iterator[str]:
    factor, under_way = limits.factor, limits.timeliness
    if factor is not None and not (factor.minutes > 0 and factor.suspect > 1):
        yield "a factor needs positive minutes, and must be more than 1"
    if under_way is not None and not (
        0 <= under_way.future_minutes < math.inf and under_way.late_minutes > 0
    ):
        yield "a reading may be under way for no less than no time"


def _still(flat: FlatLine) -> Iterator[str]:
    if not (
        0 < flat.suspect_minutes <= flat.fail_minutes and flat.resolution > 0 and flat.readings > 0
    ):
        yield "a flat line needs positive times, a resolution and a number of readings"
    if flat.readings > MOST_EQUAL:
        yield f"a flat line counts to {MOST_EQUAL} equal readings, not to {flat.readings}"


def _rising(name: str, steps: Sequence[Step]) -> Iterator[str]:
    if any(not before.minutes < after.minutes for before, after in pairwise(steps)):
        yield f"{name} do not stand in rising order of minutes"
    if any(not (one.minutes > 0 and 0 <= one.suspect <= one.fail) for one in steps):
        yield f"{name} need positive minutes, and what fails must be more than what is suspect"


def _is_range(span: Span) -> bool:
    return bool(np.isfinite(span).all()) and span.low <= span.high
