"""Judging a layout by the hourly samples of its series, and finding those that leave the rings.

It comes behind all other tests in time, and by what these have found: what is suspect is nobody's
sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.scratch import empty
from stream_app.rulesets.parts import parted
from stream_app.window import hours_kernels as kernels
from stream_app.window.entries import Entries, joined, put, taken, words
from stream_app.window.judge import kind_slices, limits_at
from stream_app.window.kinds import DIRECTION, KINDS, RAINFALL
from stream_app.window.layout import Layout
from stream_app.window.rings import K, Rings, Rows
from stream_app.window.siting import Classes
from weather.arrays import Floats, Micros
from weather.limits import Limits
from weather.qc.hours import SECOND, long_steps
from weather.qc.series import resolution
from weather.ruleset_history import RulesetHistory

_MINUTE: Final = 60 * SECOND
_GRAINS: Final = 64
_SIZES: Final = np.nan_to_num(resolution(np.arange(_GRAINS)), nan=0.0)
_WITHOUT: Final = frozenset({RAINFALL, DIRECTION})
"""What has no samples: amounts are judged by themselves, and directions go round in a circle."""


class Sampled(NamedTuple):
    """Entries that are samples of their hours and leave the rings, by the rows of these."""

    rows: Rows
    entries: Entries


def look_at_hours(
    rings: Rings,
    layout: Layout,
    judged: Entries,
    rules: RulesetHistory,
    classes: Classes | None = None,
) -> Sampled:
    """Raise step flags in place to what hourly samples say; give the samples that leave."""
    found = [Sampled(layout.rows[:0], judged[:0])]
    series = dict(kind_slices(layout, np.ones(len(layout.rows), np.int64)))
    for kind, part in kind_slices(layout):
        if kind not in _WITHOUT:
            sited = None if classes is None else classes[part]
            limited = _limited(kind, judged["at"][part], rules, sited)
            found.append(_walked(rings, layout, series[kind], judged[part], limited))
    rows, entries = zip(*found, strict=True)
    return Sampled(np.concatenate(rows), joined(entries))


def _walked(
    rings: Rings, layout: Layout, own: slice, entries: Entries, limited: _Limited
) -> Sampled:
    """Walk along the series of one kind; ``entries`` are theirs."""
    rows, kept = layout.rows[own], layout.kept[own]
    oldest = (rings.head[rows] - rings.count[rows] + 1) % K
    series = np.stack([layout.lengths[own], kept, rows * K, oldest], axis=1)
    found = empty(3 * (len(entries) + int(kept.sum())), np.int64).reshape(3, -1)
    found[kernels.CASE, : len(entries)] = limited.case
    known, samples = words(rings.entries), rings.samples.of(rows)
    count = kernels.look_at_hours(words(entries), series, known, *samples, limited.steps, found)
    one, number = found[kernels.ROW, :count], found[kernels.ENTRY, :count]
    inside = number < 0
    sampled = taken(entries, np.where(inside, 0, number))
    put(sampled, np.flatnonzero(inside), taken(rings.entries, -2 - number[inside]))
    return Sampled(rows[one], sampled)


class _Limited(NamedTuple):
    """The limits of n entries: which row of ``steps`` holds for each; as the walk wants them."""

    case: NDArray[np.int64]
    steps: Floats


def _limited(kind: int, at: Micros, rules: RulesetHistory, classes: Classes | None) -> _Limited:
    case, limits = np.ones(len(at), np.int64), list[Limits]()
    for ruleset, rows in parted(rules, at):
        mine, sited = case[rows], None if classes is None else classes[rows]
        for one, which in limits_at(KINDS[kind], at[rows], ruleset, sited):
            limits.append(one)
            mine[which] = len(limits)
        case[rows] = mine
    return _Limited(case, _matrix(limits))


def _matrix(limits: Sequence[Limits]) -> Floats:
    steps = [long_steps(one.steps) for one in limits]
    width = max(_GRAINS, kernels.FIRST_STEP + 3 * max(map(len, steps)))
    matrix = np.zeros((1 + len(steps), width))
    matrix[0, :_GRAINS] = _SIZES
    for row, some in zip(matrix[1:], steps, strict=True):
        row[kernels.COUNT] = len(some)
        row[kernels.LEAST] = min((step.suspect for step in some), default=np.inf)
        for place, step in enumerate(some):
            at = kernels.FIRST_STEP + 3 * place
            row[at : at + 3] = step.minutes * _MINUTE, step.suspect, step.fail
    return matrix
