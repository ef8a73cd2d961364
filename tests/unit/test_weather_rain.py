"""Rain: increments from counters, whatever the order and the gaps, and rules for what fell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.corrections import describe
from weather.limits import Step
from weather.qc.flags import Flag
from weather.qc.rain import amount_test, detector_test
from weather.qc.series import Past, neighbours
from weather.rain import DAILY, RUNNING, Counter, Increments, increments
from weather.ruleset import DEFAULT
from weather.time import parse_local

pytestmark = pytest.mark.requirement("B2", "B7")

MINUTE = 60_000_000
NAN = float("nan")


def counted(
    *readings: tuple[str, float], counter: Counter = DAILY, interval: int = MINUTE
) -> Increments:
    """Turn a series, by local time in October, into increments: sorted, as the stream sorts it."""
    wall = [parse_local(f"2018-10-{text}") for text, _ in readings]
    order = np.argsort(np.array(wall))
    at = np.array(wall, np.int64)[order]
    values = np.array([value for _, value in readings])[order]
    live = np.ones(len(at), np.bool_)
    found = neighbours(at, values, live, np.array([len(at)]), Past.nothing(1))
    return increments(values, found.change, found.elapsed, at, interval, counter)


def test_within_a_day_it_is_the_change() -> None:
    fell = counted(("18 10:00", 1.0), ("18 10:01", 1.5), ("18 10:02", 1.5))
    np.testing.assert_allclose(fell.amount, [NAN, 0.5, 0.0])
    assert fell.flags.tolist() == [2, 1, 1]
    assert describe(fell.corrections) == [None, "rain_from_counter", "rain_from_counter"]


def test_the_midnight_sample_belongs_to_the_day_that_ends() -> None:
    fell = counted(("18 23:59", 7.0), ("18 24:00", 7.5), ("19 00:01", 0.5), ("19 00:02", 0.5))
    np.testing.assert_allclose(fell.amount, [NAN, 0.5, 0.5, 0.0])
    assert fell.flags.tolist() == [2, 1, 1, 1]
    assert describe(fell.corrections)[2] == "rain_from_counter,rain_counter_reset"


def test_a_counter_may_start_anew_at_another_hour() -> None:
    nine = Counter(reset=9 * 60 * MINUTE)
    fell = counted(("18 09:00", 4.0), ("18 09:01", 0.5), ("19 00:01", 6.5), counter=nine)
    np.testing.assert_allclose(fell.amount, [NAN, 0.5, 6.0])
    assert fell.flags.tolist() == [2, 1, 1]


def test_a_gap_gives_one_amount_for_all_its_minutes() -> None:
    fell = counted(("18 10:00", 1.0), ("18 10:20", 3.0), ("18 10:21", NAN), ("18 10:22", 3.5))
    np.testing.assert_allclose(fell.amount, [NAN, 2.0, NAN, 0.5])
    np.testing.assert_allclose(fell.minutes, [NAN, 20, NAN, 2])
    assert fell.flags.tolist() == [2, 1, 9, 1]
    assert describe(fell.corrections)[1] == "rain_from_counter,rain_over_gap"


def test_behind_a_gap_over_the_reset_the_amount_is_a_lower_bound() -> None:
    fell = counted(("18 23:00", 5.0), ("19 01:00", 2.0))
    assert fell.amount[1] == 2.0
    assert "rain_lower_bound" in str(describe(fell.corrections)[1])
    assert fell.flags[1] == Flag.GOOD


def test_any_other_fall_is_a_lower_bound_and_suspect() -> None:
    fell = counted(("18 10:00", 5.0), ("18 10:01", 0.5))
    assert (fell.amount[1], fell.flags[1]) == (0.5, Flag.SUSPECT)
    assert "rain_lower_bound" in str(describe(fell.corrections)[1])


def test_a_counter_that_is_not_reset_does_not_rain_a_whole_day_again() -> None:
    fell = counted(("18 24:00", 50.0), ("19 00:01", 50.0), ("19 00:02", 0.0), ("19 00:03", 0.5))
    np.testing.assert_allclose(fell.amount, [NAN, 0.0, 0.0, 0.5])
    assert fell.flags.tolist() == [2, 3, 3, 1]


def test_a_dry_night_is_no_missed_reset() -> None:
    fell = counted(("18 24:00", 0.0), ("19 00:01", 0.0))
    assert (fell.amount[1], fell.flags[1]) == (0.0, Flag.GOOD)


def test_a_running_counter_has_no_days_and_a_scale_may_tremble() -> None:
    night = counted(("18 24:00", 900.0), ("19 00:01", 900.5), counter=RUNNING)
    assert (night.amount[1], night.flags[1]) == (0.5, Flag.GOOD)
    scale = counted(("18 10:00", 5.0), ("18 10:01", 4.9), counter=Counter(period=0, jitter=0.15))
    assert (scale.amount[1], scale.flags[1]) == (0.0, Flag.GOOD)


@given(
    st.lists(st.tuples(st.integers(1, 400), st.sampled_from([0.0, 0.5, 4.0, NAN])), max_size=30),
    st.permutations(range(30)),
)
def test_rain_is_the_same_in_whatever_order_it_came_and_none_is_counted_twice(
    steps: list[tuple[int, float]], order: list[int]
) -> None:
    readings, counter, minute, fallen = [], 0.0, 0, []
    for later, rain in steps:
        counter = counter if (minute + later - 1) // 1440 == (minute - 1) // 1440 else 0.0
        minute += later
        counter += 0.0 if np.isnan(rain) else rain
        fallen.append(0.0 if np.isnan(rain) else rain)
        text = f"{18 + minute // 1440} {minute % 1440 // 60:02}:{minute % 60:02}"
        readings.append((text, NAN if np.isnan(rain) else counter))
    fell = counted(*readings)
    assert not (fell.amount < 0).any()
    assert np.nansum(fell.amount) <= sum(fallen) + 1e-9
    assert not np.isin(fell.flags, (Flag.FAIL,)).any()
    shuffled = counted(*(readings[place] for place in order if place < len(readings)))
    np.testing.assert_array_equal(shuffled.amount, fell.amount)
    np.testing.assert_array_equal(shuffled.flags, fell.flags)


@pytest.mark.requirement("B6")
def test_more_than_can_fall_is_flagged_by_the_length_of_the_interval() -> None:
    limits = DEFAULT.limits_of("rainfall", "value").amounts
    amount = np.array([20.0, 20.1, 40.1, 100.0, 151.0, 423.0, -0.1, NAN, 5.0])
    minutes = np.array([1.0, 1, 1, 5, 60, 60, 1, 1, NAN])
    assert amount_test(amount, minutes, limits).tolist() == [1, 3, 4, 1, 3, 4, 4, 9, 2]
    assert amount_test(np.array([20.1, 99.0]), np.array([1 / 6, 2.0]), limits).tolist() == [3, 4]


@pytest.mark.requirement("B6")
@given(st.floats(1 / 60, 20_000), st.floats(1 / 60, 20_000))
def test_a_longer_interval_never_allows_less_rain(one: float, other: float) -> None:
    limits = DEFAULT.limits_of("rainfall", "value").amounts
    amounts = np.linspace(0, 2500, 300)
    shorter, longer = (
        amount_test(amounts, np.full(300, minutes), limits) for minutes in sorted((one, other))
    )
    assert (longer <= shorter).all()


def test_without_limits_or_a_detector_nothing_is_judged() -> None:
    assert amount_test(np.array([9e9]), np.array([1.0]), ()).tolist() == [2]
    assert amount_test(np.array([41.0]), np.array([600.0]), [Step(1, 20, 40)]).tolist() == [1]
    rain, wet = np.array([0.5, 0.5, 0.0, 0.0, NAN]), np.array([10.0, 0.0, 10.0, NAN, 0.0])
    assert detector_test(rain, wet).tolist() == [1, 3, 1, 2, 9]
