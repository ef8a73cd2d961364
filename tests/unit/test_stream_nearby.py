"""The compiled walk along series finds what the science finds, which walks over all at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.window import nearby_kernels as kernels
from stream_app.window.entries import ENTRY
from stream_app.window.incoming import ranked
from stream_app.window.kinds import KINDS
from stream_app.window.layout import Layout
from stream_app.window.nearby import nearby
from weather.qc import digits
from weather.qc.digits import MOST, STEPS
from weather.qc.series import NEVER, Neighbours, Past, neighbours

pytestmark = pytest.mark.requirement("B3", "B4")

_VALUES = st.one_of(
    st.sampled_from([np.nan, 0.0, 1.0, 1.0, 0.5, 20.5, 20.55, 5.144, 9.72, 2.54, -3.0]),
    st.integers(-40, 40).map(lambda tenths: tenths / 10),
    st.floats(-1e9, 1e9),
)


class Reading(NamedTuple):
    """One reading of a series; a minute later than the one before, or more."""

    minutes: int
    value: float
    live: bool


_READINGS = st.lists(
    st.builds(Reading, st.integers(1, 9), _VALUES, st.sampled_from([True, True, True, False])),
    max_size=40,
)
_PASTS = st.tuples(
    st.booleans(),
    _VALUES,
    st.booleans(),
    st.integers(0, 300),
    st.integers(0, 40),
    st.lists(st.integers(0, MOST), min_size=6, max_size=6),
)
_SERIES = st.lists(
    st.tuples(st.integers(0, len(KINDS) - 1), _READINGS, _PASTS), min_size=1, max_size=6
)


def layout_of(series: list[tuple[int, list[Reading], Any]]) -> Layout:
    """Lay series out, sorted by kind."""
    series = sorted(series, key=lambda one: one[0])
    n = sum(len(readings) for _, readings, _ in series)
    entries = np.zeros(n, ENTRY)
    entries["at"] = [
        60_000_000 * at
        for _, readings, _ in series
        for at in np.cumsum([one.minutes for one in readings], dtype=np.int64).tolist()
    ]
    entries["value"] = [one.value for _, readings, _ in series for one in readings]
    entries["marks"] = [one.live for _, readings, _ in series for one in readings]
    rows = np.arange(len(series))
    kinds = np.array([kind for kind, _, _ in series])
    lengths = np.array([len(readings) for _, readings, _ in series])
    before = past_of([(kind, *past) for kind, _, past in series])
    nowhere = np.full(n, -1)
    rank = ranked(kinds, rows)
    return Layout(entries, nowhere, nowhere, rows, rank, lengths, before, rows * 0, whole=False)


def past_of(pasts: list[Any]) -> Past:
    """Make the past of each series: something, or nothing."""
    held: list[Any] = [column.copy() for column in Past.nothing(len(pasts))]
    past = Past(*held)
    for place, (kind, known, value, broken, length, grain, runs) in enumerate(pasts):
        if known and not np.isnan(value):
            steps = STEPS.get(KINDS[kind][:2])
            counted = runs[: len(steps.sizes)] if steps else []
            packed = sum(run << (4 * bit) for bit, run in enumerate(counted))
            made = -60_000_000, value, broken, -7_000_000, length, grain, packed
            for column, one in zip(past, made, strict=True):
                column[place] = one
    return past


def by_the_science(layout: Layout) -> Neighbours:
    """Look around by arrays, and at the digits of each series."""
    entries = layout.entries
    alive = (entries["marks"] & 1) != 0
    found = neighbours(entries["at"], entries["value"], alive, layout.lengths, layout.before)
    ends = np.cumsum(layout.lengths)
    for row, (end, length) in enumerate(zip(ends.tolist(), layout.lengths.tolist(), strict=True)):
        part, steps = slice(end - length, end), STEPS.get(KINDS[int(layout.rank[row]) >> 40][:2])
        if steps is None:
            continue
        values, before = entries["value"][part], layout.before.runs[row : row + 1]
        usable = alive[part] & ~np.isnan(values)
        near = digits.counted(found.take(part), values, usable, np.array([length]), before, steps)
        found.odd[part], found.past.runs[part] = near.odd, near.past.runs
    return found


def columns_of(found: Neighbours) -> dict[str, list[Any]]:
    """Give everything that was found, NaN as a word."""
    names = ("change", "elapsed", "rise", "fall", "to_behind", "resolution", "odd")
    columns = {name: getattr(found, name) for name in names} | found.past._asdict()
    return {
        name: [repr(float(one)) if isinstance(one, float) else int(one) for one in column.tolist()]
        for name, column in columns.items()
    }


@settings(max_examples=300)
@given(series=_SERIES)
def test_the_walk_finds_what_the_science_finds(
    series: list[tuple[int, list[Reading], Any]],
) -> None:
    layout = layout_of(series)
    assert columns_of(nearby(layout, layout.entries)) == columns_of(by_the_science(layout))


@settings(max_examples=50)
@given(series=_SERIES)
def test_it_does_as_it_was_written(series: list[tuple[int, list[Reading], Any]]) -> None:
    layout = layout_of(series)
    compiled = columns_of(nearby(layout, layout.entries))
    walk: Any = kernels.look_around
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "look_around", walk.py_func)
        assert columns_of(nearby(layout, layout.entries)) == compiled


def test_digits_are_counted_over_a_long_series() -> None:
    knots = [Reading(1, round(k * 1852 / 3600, 4), True) for k in range(1, 21)]
    strange = Reading(1, 9.77, True)
    layout = layout_of([(4, [*knots, strange], (False, 0.0, False, 0, 0, [0] * 6))])
    assert nearby(layout, layout.entries).odd.tolist() == [False] * 20 + [True]


def test_a_series_without_readings_disturbs_no_other() -> None:
    nothing: Any = (False, 0.0, False, 0, 0, [0] * 6)
    alone = layout_of([(2, [Reading(1, 4.0, True)] * 3, nothing)])
    beside = layout_of(
        [(1, [], nothing), (2, [Reading(1, 4.0, True)] * 3, nothing), (3, [], nothing)]
    )
    assert columns_of(nearby(beside, beside.entries)) == columns_of(nearby(alone, alone.entries))
    assert nearby(alone, alone.entries).past.at.min() > NEVER
