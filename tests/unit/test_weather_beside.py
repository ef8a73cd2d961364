"""Readings brought together: of one station and minute, and of stations around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weather.beside import beside, values_of
from weather.grid import cell_of, cells_around
from weather.limits import Buddies
from weather.qc.buddy import Places, buddy_test, buddy_tests, distance

pytestmark = pytest.mark.requirement("B6")

MINUTE = 60_000_000
READINGS = st.lists(st.tuples(st.integers(0, 2), st.integers(-200, 200)), max_size=12)


@given(READINGS, READINGS)
def test_the_newest_other_reading_of_station_and_minute_is_found(
    mine: list[tuple[int, int]], theirs: list[tuple[int, int]]
) -> None:
    station, at = (np.array([row[k] for row in mine], np.int64) for k in (0, 1))
    other, other_at = (np.array([row[k] for row in theirs], np.int64) for k in (0, 1))
    found = beside(station, at * 1_000_000, other, other_at * 1_000_000)
    for place, (who, second) in enumerate(mine):
        same = [
            (when, k)
            for k, (whose, when) in enumerate(theirs)
            if (whose, when // 60) == (who, second // 60)
        ]
        assert found[place] == (max(same)[1] if same else -1)


def test_where_there_is_no_other_there_is_no_value() -> None:
    np.testing.assert_array_equal(values_of(np.array([0, -1]), np.array([5.0])), [5.0, np.nan])
    np.testing.assert_array_equal(values_of(np.array([-1]), np.zeros(0)), [np.nan])


LATITUDES = st.floats(-89.9, 89.9)
LONGITUDES = st.floats(-180, 180)


@given(LATITUDES, LONGITUDES, st.floats(0, 2 * np.pi), st.floats(0, 1))
@example(latitude=-60.0, longitude=0.0, bearing=4.0, part=0.5)
def test_a_cell_is_told_of_all_that_is_near_enough_to_one_of_its_stations(
    latitude: float, longitude: float, bearing: float, part: float
) -> None:
    metres = 50_000.0
    reach = np.degrees(metres * part / 6_378_137.0)
    north = min(max(latitude + reach * np.cos(bearing), -90.0), 90.0)
    east = longitude + reach * np.sin(bearing) / max(np.cos(np.radians(latitude)), 1e-6)
    one = np.array([latitude]), np.array([longitude])
    other = np.array([north]), np.array([(east + 180) % 360 - 180])
    apart = distance(Places(*one, one[0]), Places(*other, one[0]))[0, 0]
    if apart <= metres:
        assert cell_of(*one, metres)[0] in cells_around(*other, metres)[0]
        assert cell_of(*other, metres)[0] in cells_around(*one, metres)[0]


@given(LATITUDES, LONGITUDES)
def test_a_place_is_told_to_its_own_cell_and_no_more_than_nine(
    latitude: float, longitude: float
) -> None:
    place = np.array([latitude]), np.array([longitude])
    around = cells_around(*place, 20_000.0)
    assert around.shape == (1, 9)
    assert cell_of(*place, 20_000.0)[0] in around[0]


def test_the_cells_of_a_country_are_many_and_those_of_a_pole_few() -> None:
    random = np.random.default_rng(3)
    korea = cell_of(random.uniform(34, 38, 2000), random.uniform(126, 129.5, 2000), 50_000.0)
    assert 30 < len(np.unique(korea)) < 150
    pole = cell_of(np.full(2000, 89.9), random.uniform(-180, 180, 2000), 50_000.0)
    assert len(np.unique(pole)) == 1


def test_times_are_judged_apart() -> None:
    limits = Buddies(50_000, 200, least=3, suspect=2, fail=4, least_spread=1)
    random = np.random.default_rng(5)
    places = Places(random.uniform(37, 37.3, 60), random.uniform(127, 127.3, 60), np.zeros(60))
    values, slot = random.normal(0, 3, 60), random.integers(0, 5, 60)
    usable = random.random(60) < 0.9
    flags = buddy_tests(slot, places, values, limits, usable)
    for one in range(5):
        rows = slot == one
        alone = buddy_test(places.take(rows), values[rows], limits, usable[rows])
        assert flags[rows].tolist() == alone.tolist()
    assert buddy_tests(slot[:0], places.take(slot > 9), values[:0], limits).tolist() == []
