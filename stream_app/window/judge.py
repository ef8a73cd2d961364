"""Judging a layout: the tests of each kind over its slice of the entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from stream_app.rulesets.parts import parted
from stream_app.window.entries import Entries, copied, live, put_past
from stream_app.window.incoming import ranked
from stream_app.window.kinds import KINDS, Kind
from stream_app.window.layout import Layout
from stream_app.window.nearby import nearby
from stream_app.window.rings import Rows
from stream_app.window.siting import Classes
from weather.arrays import Bools, Flags, Floats, Micros
from weather.limits import Limits
from weather.qc.flags import Flag, flags_like
from weather.qc.in_time import judge_in_time
from weather.qc.series import Neighbours, Past
from weather.ruleset import Ruleset, months_of
from weather.ruleset_history import RulesetHistory

WINDOW = ("step", "spike", "flat_line")


def judge(layout: Layout, ruleset: Ruleset, classes: Classes | None = None) -> Entries:
    """Give the layout's entries with their past and the flags of the tests in time.

    ``classes`` are those of their stations, (n,); None where no limits depend on them.
    """
    judged = copied(layout.entries)
    series = dict(kind_slices(layout, np.ones(len(layout.rows), np.int64)))
    for kind, part in kind_slices(layout):
        own, entries = series[kind], judged[part]
        past: list[Any] = [column[own] for column in layout.before]
        near = nearby(kind, entries, layout.lengths[own], Past(*past))
        sited = None if classes is None else classes[part]
        put_past(entries, near.past, _flags(kind, entries, near, ruleset, sited))
    return judged


def _flags(
    kind: int, entries: Entries, near: Neighbours, ruleset: Ruleset, classes: Classes | None
) -> dict[str, Flags]:
    """Judge entries of one kind in time: flags of the tests that it has, and of all of WINDOW."""
    at, values = entries["at"].copy(), entries["value"].copy()  # each by itself, for the cache
    flags = {name: flags_like(len(entries), Flag.NOT_EVALUATED) for name in WINDOW}
    # A direction is there only while the wind blows: without one, nothing is missing.
    unjudged = ~live(entries) if KINDS[kind].step else ~live(entries) | np.isnan(values)
    for name, made in _tests(KINDS[kind], at, values, near, ruleset, classes).items():
        if getattr(KINDS[kind], name) is not None:
            made[unjudged] = Flag.NOT_EVALUATED
            flags[name] = made
    return flags


def _tests(
    kind: Kind,
    at: Micros,
    values: Floats,
    found: Neighbours,
    ruleset: Ruleset,
    classes: Classes | None,
) -> dict[str, Flags]:
    """Judge by the limits that hold for each reading."""
    cases = limits_at(kind, at, ruleset, classes)
    if len(cases) == 1:
        return judge_in_time(at, values, found, cases[0][0])
    flags = {name: flags_like(len(at), Flag.NOT_EVALUATED) for name in WINDOW}
    for limits, rows in cases:
        made = judge_in_time(at[rows], values[rows], found.take(rows), limits)
        for name, verdicts in made.items():
            if name not in flags:
                flags[name] = flags_like(len(at), Flag.NOT_EVALUATED)
            flags[name][rows] = verdicts
    return flags


def limits_at(
    kind: Kind, at: Micros, ruleset: Ruleset, classes: Classes | None
) -> Sequence[tuple[Limits, Bools | slice]]:
    """Give each limits of class and month that hold at some of the times, and at which.

    The month is that of UTC, as the window knows no local clock.
    """
    named = kind.parameter, kind.measure
    if not ruleset.depends(*named):
        return [(ruleset.limits_of(*named), slice(None))]
    sited = np.zeros(len(at), np.int64) if classes is None else classes
    return ruleset.cases(*named, sited, months_of(at))


def judge_by(layout: Layout, rules: RulesetHistory, classes: Classes | None = None) -> Entries:
    """Judge each entry by the ruleset of its time."""
    (ruleset, _), *others = parted(rules, layout.entries["at"])
    judged = judge(layout, ruleset, classes)
    for other, rows in others:
        judged[rows] = judge(layout, other, classes)[rows]
    return judged


def spiked(rules: RulesetHistory) -> Bools:
    """Say of each kind whether any ruleset looks for spikes, in any month."""
    return np.array(
        [any(limits.spike is not None for limits in _limits_of(kind, rules)) for kind in KINDS]
    )


def _limits_of(kind: Kind, rules: RulesetHistory) -> Iterator[Limits]:
    named = kind.parameter, kind.measure
    for ruleset in rules.rulesets:
        yield ruleset.limits_of(*named)
        yield from (o.limits for o in ruleset.overrides if (o.parameter, o.measure) == named)


def kind_slices(layout: Layout, lengths: Rows | None = None) -> Iterator[tuple[int, slice]]:
    """Give each kind that there is, and where its entries stand, or what else its series have."""
    ends = np.append(0, np.cumsum(layout.lengths if lengths is None else lengths))
    firsts = ranked(np.arange(len(KINDS) + 1), np.zeros(len(KINDS) + 1, np.int64))
    bounds = ends[np.searchsorted(layout.rank, firsts)].tolist()
    for kind, (start, stop) in enumerate(pairwise(bounds)):
        if start < stop:
            yield kind, slice(start, stop)
