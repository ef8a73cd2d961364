"""The compiled walk along series finds what the science finds, which walks over all at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream_app.window import nearby_kernels as kernels
from stream_app.window.entries import ENTRY, Entries
from stream_app.window.kinds import KINDS, SPEED
from stream_app.window.nearby import nearby
from weather.qc import digits
from weather.qc.digits import MOST, STEPS
from weather.qc.series import Neighbours, Past, neighbours

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
_KINDS = st.integers(0, len(KINDS) - 1)
_SERIES = st.lists(st.tuples(_READINGS, _PASTS), min_size=1, max_size=6)
Series = list[tuple[list[Reading], Any]]
NOTHING: Any = (False, 0.0, False, 0, 0, [0] * 6)


class Laid(NamedTuple):
    """Series of one kind, side by side."""

    kind: int
    entries: Entries
    lengths: NDArray[np.int64]
    before: Past


def laid(kind: int, series: Series) -> Laid:
    """Lay series out."""
    readings = [one for readings, _ in series for one in readings]
    entries = np.zeros(len(readings), ENTRY)
    entries["at"] = [
        60_000_000 * at
        for readings, _ in series
        for at in np.cumsum([one.minutes for one in readings], dtype=np.int64).tolist()
    ]
    entries["value"] = [one.value for one in readings]
    entries["marks"] = [one.live for one in readings]
    lengths = np.array([len(readings) for readings, _ in series], np.int64)
    return Laid(kind, entries, lengths, past_of(kind, [past for _, past in series]))


def past_of(kind: int, pasts: list[Any]) -> Past:
    """Make the past of each series: something, or nothing."""
    held: list[Any] = [column.copy() for column in Past.nothing(len(pasts))]
    steps = STEPS.get(KINDS[kind][:2])
    for place, (known, value, broken, length, grain, runs) in enumerate(pasts):
        if known and not np.isnan(value):
            counted = runs[: len(steps.sizes)] if steps else []
            packed = sum(run << (4 * bit) for bit, run in enumerate(counted))
            made = -60_000_000, value, broken, -7_000_000, length, grain, packed
            for column, one in zip(held, made, strict=True):
                column[place] = one
    return Past(*held)


def by_the_science(kind: int, entries: Entries, lengths: Any, before: Past) -> Neighbours:
    """Look around by arrays, and at the digits."""
    alive, values = (entries["marks"] & 1) != 0, entries["value"]
    found = neighbours(entries["at"], values, alive, lengths, before)
    steps = STEPS.get(KINDS[kind][:2])
    if steps is None:
        return found
    return digits.counted(found, values, alive & ~np.isnan(values), lengths, before.runs, steps)


def columns_of(found: Neighbours) -> dict[str, list[Any]]:
    """Give everything that was found, NaN as a word."""
    names = ("change", "elapsed", "rise", "fall", "to_behind", "resolution", "odd")
    columns = {name: getattr(found, name) for name in names} | found.past._asdict()
    return {
        name: [repr(float(one)) if isinstance(one, float) else int(one) for one in column.tolist()]
        for name, column in columns.items()
    }


@settings(max_examples=300)
@given(kind=_KINDS, series=_SERIES)
def test_the_walk_finds_what_the_science_finds(kind: int, series: Series) -> None:
    assert columns_of(nearby(*laid(kind, series))) == columns_of(
        by_the_science(*laid(kind, series))
    )


@settings(max_examples=50)
@given(kind=_KINDS, series=_SERIES)
def test_it_does_as_it_was_written(kind: int, series: Series) -> None:
    compiled = columns_of(nearby(*laid(kind, series)))
    walk: Any = kernels.look_around
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "look_around", walk.py_func)
        assert columns_of(nearby(*laid(kind, series))) == compiled


def test_digits_are_counted_over_a_long_series() -> None:
    knots = [Reading(1, round(k * 1852 / 3600, 4), True) for k in range(1, 21)]
    strange = Reading(1, 9.77, True)
    assert nearby(*laid(SPEED, [([*knots, strange], NOTHING)])).odd.tolist() == [False] * 20 + [
        True
    ]


def test_a_series_without_readings_disturbs_no_other() -> None:
    some = [Reading(1, 4.0, True)] * 3
    alone = nearby(*laid(2, [(some, NOTHING)]))
    beside = nearby(*laid(2, [([], NOTHING), (some, NOTHING), ([], NOTHING)]))
    assert columns_of(beside) == columns_of(alone)
    assert alone.past.length.tolist() == [1, 2, 3]
