"""A station's minute, the arrival of readings, neighbours: tests across more than one series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.limits import Timeliness
from weather.qc.arrival import duplicate_test, duplicates, timeliness_test
from weather.qc.buddy import Places, buddy_test
from weather.qc.consistency import parched, wet
from weather.qc.flags import Flag
from weather.qc.station import (
    NEVER_EXPIRES,
    calibration_test,
    contradicts,
    dew_point_test,
    health_test,
    sea_level_test,
)
from weather.ruleset import DEFAULT

pytestmark = pytest.mark.requirement("B6")

NAN = float("nan")
SECOND = 1_000_000
BUDDIES = DEFAULT.limits_of("temperature", "value").buddies


def test_a_dew_point_may_stand_a_rounding_above_the_temperature_and_no_more() -> None:
    dew = np.array([10.0, 10.1, 10.11, NAN])
    flags = dew_point_test(np.full(4, 10.0), dew)
    assert flags.tolist() == [1, 1, 4, 2]
    assert contradicts(flags).tolist() == [False, False, True, False]


def test_a_sea_level_pressure_follows_from_the_station_or_both_are_suspect() -> None:
    station, air = np.full(4, 1000.0), (np.full(4, 15.0), np.array([60.0, 60, 60, NAN]))
    told = np.array([1010.2, 1011.19, 1011.2, 1010.2])
    assert sea_level_test(station, told, *air, 86.0).tolist() == [1, 1, 3, 2]


def test_rain_and_air_too_dry_for_it_are_told_and_what_is_missing_is_neither() -> None:
    assert wet(np.array([0.0, 0.1, NAN])).tolist() == [False, True, False]
    assert parched(np.array([9.9, 10.0, NAN])).tolist() == [True, False, False]


def test_only_the_bit_of_the_sensor_itself_counts() -> None:
    bits = np.array([0b000, 0b100, 0b011, -1])
    assert health_test(bits, 0b100).tolist() == [1, 4, 1, 2]


def test_a_calibration_holds_until_the_moment_at_which_it_expires() -> None:
    at = np.array([99, 100, 100])
    expires = np.array([100, 100, NEVER_EXPIRES])
    assert calibration_test(at, expires).tolist() == [1, 3, 1]


def test_a_reading_from_the_future_is_suspect_and_a_late_one_only_where_that_is_asked() -> None:
    observed = np.array([300, 301, -86_400]) * SECOND
    arrived = np.zeros(3, np.int64)
    assert timeliness_test(observed, arrived).flags.tolist() == [1, 3, 1]
    late = timeliness_test(observed, arrived, Timeliness(late_minutes=60))
    assert late.late is not None
    assert (late.flags.tolist(), late.late.tolist()) == ([1, 3, 3], [False, False, True])


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([NAN, 1.0, 2.0])),
        max_size=25,
    )
)
def test_duplicates_are_found_as_by_comparing_each_with_each(
    rows: list[tuple[int, int, float]],
) -> None:
    sensor, at, values = (
        (np.array(column) for column in zip(*rows, strict=True))
        if rows
        else (np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    )
    found = duplicates(sensor, at, values)
    texts = [repr(row) for row in rows]
    for place, (mine, when, _) in enumerate(rows):
        beside = [texts[k] for k, row in enumerate(rows) if row[:2] == (mine, when)]
        assert found.repeated[place] == (texts[place] in texts[:place])
        assert found.conflicting[place] == (len(set(beside)) > 1)
    assert duplicate_test(found).tolist() == [3 if one else 1 for one in found.conflicting]


def stations(n: int, apart: float = 0.05, elevation: float = 0.0) -> Places:
    return Places(37 + np.arange(n) * apart, np.full(n, 127.0), np.full(n, elevation))


def test_where_stations_are_far_or_of_another_height_nobody_is_judged() -> None:
    values = np.array([20.0, 20, 20, 20, 20, 20, 99])
    assert buddy_test(stations(7), values, BUDDIES).tolist() == [1, 1, 1, 1, 1, 1, 4]
    assert buddy_test(stations(7, apart=2.0), values, BUDDIES).tolist() == [2] * 7
    assert buddy_test(stations(7), values, None).tolist() == [2] * 7
    stacked = stations(7)._replace(elevation=np.arange(7) * 500.0)
    assert buddy_test(stacked, values, BUDDIES).tolist() == [2] * 7


def test_a_mountain_is_colder_by_its_height() -> None:
    limits = BUDDIES._replace(elevation=2000.0) if BUDDIES else None
    places = stations(7)._replace(elevation=np.array([0.0, 0, 0, 0, 0, 0, 1500]))
    values = np.array([20.0, 20, 20, 20, 20, 20, 20 - 0.0065 * 1500])
    assert buddy_test(places, values, limits).tolist() == [1] * 7


def test_what_is_missing_unplaced_or_failed_elsewhere_is_nobodys_neighbour() -> None:
    values = np.array([20.0, 20, 20, 20, 20, 20, 60, 60, NAN])
    usable = np.array([True] * 6 + [False, True, True])
    places = stations(9)
    places.latitude[7] = NAN
    assert buddy_test(places, values, BUDDIES, usable).tolist() == [1, 1, 1, 1, 1, 1, 4, 2, 9]


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_the_order_of_stations_changes_no_flag(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    places = Places(*random.uniform((36, 126, 0), (37, 127, 300), (n, 3)).T)
    values = random.normal(10, 5, n)
    order = random.permutation(n)
    flags = buddy_test(places, values, BUDDIES)
    shuffled = buddy_test(Places(*(c[order] for c in places)), values[order], BUDDIES)
    assert shuffled.tolist() == flags[order].tolist()


def test_a_network_of_a_thousand_stations_is_judged_part_by_part() -> None:
    random = np.random.default_rng(7)
    places = Places(*random.uniform((34, 126, 0), (38, 129, 150), (1000, 3)).T)
    values = 20 - 0.0065 * places.elevation + random.normal(0, 0.5, 1000)
    values[500] += 30
    flags = buddy_test(places, values, BUDDIES)
    assert np.flatnonzero(flags == Flag.FAIL).tolist() == [500]
    assert np.mean(flags == Flag.GOOD) > 0.9
