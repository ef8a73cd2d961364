"""The digits test: what counts in the steps of one unit does not come in another unnoticed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.windows import Reading, Stream, expected
from weather.arrays import Floats
from weather.qc.digits import MOST, MOST_STEPS, STEPS, Steps, counted
from weather.qc.series import Neighbours, Past, neighbours

KNOT = 1852 / 3600
WIND = STEPS["wind", "speed"]
RAIN = STEPS["rainfall", "value"]
MANY = np.array([3, 7, 4, 9, 6, 5, 8, 11, 13, 10, 12, 7, 5, 6, 2, 3])


def looked_at(
    values: Floats, steps: Steps = WIND, cuts: tuple[int, ...] = ()
) -> tuple[list[bool], list[int]]:
    """Look at one series, in pieces; give which values are odd, and the runs after each."""
    odd, runs, past = [], [], Past.nothing(1)
    for part in np.split(np.asarray(values, np.float64), cuts):
        found = _looked(part, past, steps)
        odd += found.odd.tolist()
        runs += found.past.runs.tolist()
        last: list[Any] = [column[-1:] for column in found.past]
        past = Past(*last) if len(part) else past
    return odd, runs


def _looked(part: Floats, past: Past, steps: Steps) -> Neighbours:
    there, lengths = np.ones(len(part), np.bool_), np.array([len(part)])
    found = neighbours(np.arange(len(part)), part, there, lengths, past)
    return counted(found, part, ~np.isnan(part), lengths, past.runs, steps)


@pytest.mark.requirement("B6", "E6")
@pytest.mark.parametrize("factor", [1.0, 1 / 0.44704, 3.6, 0.1])
def test_knots_that_come_as_something_else_are_odd_from_their_first_on(factor: float) -> None:
    told = np.append(MANY * KNOT, [7 * KNOT * (factor if factor != 1.0 else 1 / KNOT)])
    odd, _ = looked_at(told)
    assert odd == [False] * len(MANY) + [True]


@pytest.mark.parametrize("step", [0.1, 0.01, KNOT, 0.44704, 1 / 3.6])
def test_a_sensor_that_keeps_its_step_is_never_odd(step: float) -> None:
    told: Floats = np.random.default_rng(1).integers(0, 60, 400) * np.float64(step)
    assert not any(looked_at(told)[0])


def test_values_on_no_step_teach_nothing() -> None:
    told = np.random.default_rng(1).normal(10.0, 3.0, 400)
    odd, runs = looked_at(told)
    assert not any(odd)
    assert max(runs) < 1 << 4 * MOST_STEPS


@pytest.mark.parametrize("factor", [5, 10])
def test_amounts_that_are_all_too_large_are_odd_from_the_fourth_on(factor: int) -> None:
    usual = 0.254 * np.array([1, 3, 2, 1, 4, 2, 1, 3, 2])
    odd, _ = looked_at(np.append(usual, factor * usual), RAIN)
    assert odd[: len(usual) + 3] == [False] * (len(usual) + 3)
    assert any(odd[len(usual) + 3 :])


def test_nought_and_what_stays_tell_nothing() -> None:
    odd, _ = looked_at(np.array([*MANY * KNOT, 0.0, 0.0, np.nan, 3 * KNOT]))
    assert not any(odd)
    few = np.repeat([3 * KNOT, 0.0, 4 * KNOT], 9)
    assert looked_at(np.append(few, 1.23))[0] == [False] * 28


@given(
    told=st.lists(
        st.one_of(
            st.integers(0, 30).map(lambda n: n * KNOT),
            st.integers(0, 300).map(lambda n: n / 10),
            st.just(float("nan")),
            st.floats(0, 30),
        ),
        min_size=1,
        max_size=40,
    ),
    data=st.data(),
)
def test_it_is_the_same_wherever_a_series_is_cut(told: list[float], data: st.DataObject) -> None:
    values = np.array(told)
    cuts = tuple(sorted(data.draw(st.sets(st.integers(1, len(told)), max_size=6))))
    assert looked_at(values, cuts=cuts) == looked_at(values) == _one_by_one(values)


def _one_by_one(values: Floats) -> tuple[list[bool], list[int]]:
    """Judge as the page tells it, value by value."""
    odd, runs, last = [], [], np.nan
    run = [0] * len(WIND.sizes)
    for value in values.tolist():
        left = False
        if not np.isnan(value):
            if value not in (0.0, last):
                on = [
                    abs(round(value / s) * s - value) <= 2e-3 * s + 2e-6 * value for s in WIND.sizes
                ]
                left = any(r == MOST and not o for r, o in zip(run, on, strict=True))
                run = [min(r + 1, MOST) if o else 0 for r, o in zip(run, on, strict=True)]
            last = value
        odd.append(left)
        runs.append(sum(r << 4 * place for place, r in enumerate(run)))
    return odd, runs


@pytest.mark.requirement("B6", "D4")
def test_the_stream_finds_the_onset_whatever_comes_last() -> None:
    told = [*(MANY * KNOT).tolist(), 12.3, 11.8]
    winds = [Reading("wind", "A", m, value, offset=m) for m, value in enumerate(told)]
    wanted = expected(winds)
    assert [flags["flag_speed_step"] for _, flags in wanted.values()] == [2] + [1] * 15 + [3, 1]
    for late in permutations(range(11, len(told)), 2):
        stream = Stream()
        stream.take([one for one in winds if one.minute not in late])
        for minute in late:
            stream.take([winds[minute]])
        assert stream.flags() == wanted
