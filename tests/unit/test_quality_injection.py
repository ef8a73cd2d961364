"""Faults put into series: where they are said to be, as large as said, and the same again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather import injection
from weather.injection import NONE, Faulty

HOUR = 3_600_000_000
AT = np.arange(400) * HOUR
VALUES = np.round(10 + 5 * np.sin(np.arange(400) / 24 * 2 * np.pi), 1)
STARTS = np.array([50, 150, 300])
LENGTH = 12

MAKERS: dict[str, Callable[[], Faulty]] = {
    "spike": lambda: injection.spike(AT, VALUES, STARTS, 9.0, seed=1),
    "drift": lambda: injection.drift(AT, VALUES, STARTS, LENGTH, 2.0, seed=1),
    "stuck": lambda: injection.stuck(AT, VALUES, STARTS, LENGTH),
    "unit": lambda: injection.rescaled(AT, VALUES, STARTS, LENGTH, 1.8, 32.0),
    "sentinel": lambda: injection.leaked(AT, VALUES, STARTS, -9999.0),
    "swap": lambda: injection.swapped(AT, VALUES, VALUES + 40, STARTS, LENGTH),
    "clock": lambda: injection.shifted(AT, VALUES, STARTS, LENGTH, HOUR),
}


@pytest.mark.requirement("E3")
@pytest.mark.parametrize("fault", MAKERS)
def test_a_fault_touches_its_own_readings_and_no_other(fault: str) -> None:
    faulty = MAKERS[fault]()
    healthy = faulty.event == NONE
    assert sorted(set(faulty.event.tolist())) == [NONE, 0, 1, 2]
    assert np.flatnonzero(np.diff(faulty.event, prepend=NONE) > 0).tolist() == STARTS.tolist()
    np.testing.assert_array_equal(faulty.values[healthy], VALUES[healthy])
    np.testing.assert_array_equal(faulty.at[healthy], AT[healthy])
    changed = (faulty.values != VALUES) | (faulty.at != AT)
    assert all(changed[faulty.event == number].any() for number in range(3))


@pytest.mark.parametrize("fault", MAKERS)
def test_the_same_seed_makes_the_same_faults(fault: str) -> None:
    one, other = MAKERS[fault](), MAKERS[fault]()
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.at, other.at)


def test_faults_are_as_large_as_they_are_said_to_be() -> None:
    assert np.abs(MAKERS["spike"]().values - VALUES)[STARTS] == pytest.approx([9.0] * 3)
    drifted = np.abs(MAKERS["drift"]().values - VALUES)
    assert drifted[STARTS + LENGTH - 1] == pytest.approx([2.0 * LENGTH / 24] * 3)
    assert MAKERS["stuck"]().values[60] == VALUES[50]


@pytest.mark.parametrize("fault", MAKERS)
def test_a_series_without_a_place_for_faults_stays_as_it_is(fault: str) -> None:
    nowhere = np.zeros(0, np.int64)
    made = {
        "spike": lambda: injection.spike(AT, VALUES, nowhere, 9.0, seed=1),
        "drift": lambda: injection.drift(AT, VALUES, nowhere, LENGTH, 2.0, seed=1),
        "stuck": lambda: injection.stuck(AT, VALUES, nowhere, LENGTH),
        "unit": lambda: injection.rescaled(AT, VALUES, nowhere, LENGTH, 1.8, 32.0),
        "sentinel": lambda: injection.leaked(AT, VALUES, nowhere, -9999.0),
        "swap": lambda: injection.swapped(AT, VALUES, VALUES, nowhere, LENGTH),
        "clock": lambda: injection.shifted(AT, VALUES, nowhere, LENGTH, HOUR),
    }[fault]()
    np.testing.assert_array_equal(made.values, VALUES)
    np.testing.assert_array_equal(made.at, AT)


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 50), st.data())
def test_places_are_healthy_and_far_enough_apart(
    length: int, apart: int, most: int, data: st.DataObject
) -> None:
    healthy = np.random.default_rng(data.draw(st.integers(0, 99))).random(500) < 0.97
    found = injection.places(healthy, length, apart, most, seed=3)
    assert len(found) <= most
    assert all(healthy[start : start + length].all() for start in found.tolist())
    assert (np.diff(found) >= length + apart).all()


@given(st.lists(st.floats(0, 20), min_size=6, max_size=40), st.integers(1, 5))
def test_a_counter_tells_the_amounts_that_it_was_made_of(amounts: list[float], days: int) -> None:
    day = np.arange(len(amounts)) * days // len(amounts)
    counter = injection.accumulated(np.array(amounts), day)
    opens = np.append(True, day[1:] != day[:-1])
    told = np.where(opens, counter, np.diff(counter, prepend=0.0))
    np.testing.assert_allclose(told, amounts, atol=1e-9)
