"""Cleaning with corrections switched off, conventions of direction, limits by circumstance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.circumstances import Circumstances, range_flags
from weather.clean import Calibration, Given, clean
from weather.corrections import ALL, Correction, describe
from weather.korea import KOREA
from weather.limits import Span
from weather.ruleset import DEFAULT, Override
from weather.time import parse_local

pytestmark = pytest.mark.requirement("B2", "B7", "B11")

NAN = float("nan")
SPEEDS = np.array([0.0, 3.0, 3.0])
WIND = {
    "speed": Given(SPEEDS, "m/s"),
    "direction": Given(np.array([0.0, 0.0, 990.0]), "degree", variable=(990.0,)),
}


def local(text: str, n: int) -> np.ndarray:
    return np.full(n, parse_local(text), np.int64)


def test_a_code_for_a_variable_wind_is_no_direction_and_the_wind_is_good() -> None:
    done = clean("wind", WIND)
    np.testing.assert_array_equal(done.measures["direction"].value, [NAN, 360.0, NAN])
    assert done.flag.tolist() == [1, 1, 1]
    assert describe(done.corrections) == [
        "calm_direction_cleared",
        "north_as_360",
        "variable_direction_cleared",
    ]


@pytest.mark.parametrize("off", list(Correction))
def test_each_correction_can_be_switched_off_alone(off: Correction) -> None:
    humidity = {"value": Given(np.array([101.0, -9.9]), "%", (-9.9,))}
    calibration = Calibration(offset=0.5)
    done = [
        clean("wind", WIND, allowed=ALL & ~off),
        clean("humidity", humidity, calibration, allowed=ALL & ~off),
    ]
    made = np.bitwise_or.reduce(np.concatenate([one.corrections for one in done]))
    cleaning = [one for one in Correction if not one.name.startswith("RAIN")]
    assert [one for one in cleaning if made & one] == [one for one in cleaning if one != off]


def test_with_all_switched_off_values_stand_as_measured_and_are_judged_so() -> None:
    done = clean("wind", WIND, Calibration(scale=2.0), allowed=Correction(0))
    np.testing.assert_array_equal(done.measures["direction"].value, [0.0, 0.0, NAN])
    np.testing.assert_array_equal(done.measures["speed"].value, SPEEDS)
    assert done.flag.tolist() == [1, 1, 4]
    assert describe(done.corrections) == [None] * 3
    humid = clean(
        "humidity", {"value": Given(np.array([101.0, 104.0]), "%")}, allowed=Correction(0)
    )
    assert humid.measures["value"].value.tolist() == [101.0, 104.0]
    assert humid.flag.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("unit", "points", "degrees"),
    [
        ("sector16", [4.0, 8.0, 16.0, 0.0], [90.0, 180.0, 360.0, 360.0]),
        ("10degree", [9.0, 18.0, 36.0, 0.0], [90.0, 180.0, 360.0, 360.0]),
        ("mil", [1600.0, 3200.0, 6400.0, 0.0], [90.0, 180.0, 360.0, 360.0]),
    ],
)
def test_the_points_of_the_compass_become_degrees(
    unit: str, points: list[float], degrees: list[float]
) -> None:
    wind = {"speed": Given(np.full(4, 2.0), "m/s"), "direction": Given(np.array(points), unit)}
    assert clean("wind", wind).measures["direction"].value.tolist() == pytest.approx(degrees)


@pytest.mark.requirement("B6")
def test_a_korean_summer_is_judged_by_its_month_where_that_is_known() -> None:
    cold = {"value": Given(np.array([4.9, 5.0]), "degC")}
    july = Circumstances(observed_local=local("2018-07-01 12:00", 2))
    done = clean("temperature", cold, ruleset=KOREA, known=july)
    assert (done.flag.tolist(), done.measures["value"].value.tolist()) == ([3, 1], [4.9, 5.0])
    assert clean("temperature", cold, ruleset=KOREA).flag.tolist() == [1, 1]


@pytest.mark.requirement("B6")
def test_more_rain_than_can_fall_in_its_minutes_fails_and_a_daily_total_does_not() -> None:
    rain = {"value": Given(np.array([41.0, 21.0, 5.0, NAN]), "mm")}
    minutely = Circumstances(minutes=np.ones(4))
    assert clean("rainfall", rain, known=minutely).flag.tolist() == [4, 3, 1, 9]
    assert clean("rainfall", rain).flag.tolist() == [1, 1, 1, 9]


@pytest.mark.requirement("B6")
def test_an_override_stands_for_its_class_and_month_only() -> None:
    narrow = replace(DEFAULT.limits_of("temperature", "value"), suspect=Span(0.0, 10.0))
    winter = Override("temperature", "value", narrow, classes=(5,), months=(1,))
    rules = replace(DEFAULT, version="lab", overrides=(winter,))
    values, classes = np.array([20.0, 20.0, NAN, 99.0]), np.array([5, 1, 5, 1])
    january = Circumstances(local("2018-01-01 12:00", 4), classes)
    july = Circumstances(local("2018-07-01 12:00", 4), classes)
    assert range_flags("temperature", "value", values, rules, january).tolist() == [3, 1, 9, 4]
    assert range_flags("temperature", "value", values, rules, july).tolist() == [1, 1, 9, 4]
    assert range_flags("temperature", "value", values, rules).tolist() == [1, 1, 9, 4]


@given(st.lists(st.sampled_from([NAN, -9.9, 0.0, 99.0, 101.0, 104.0, 200.0]), max_size=10))
def test_nothing_is_said_to_be_corrected_that_is_switched_off(values: list[float]) -> None:
    column = {"value": Given(np.array(values, np.float64), "%", (-9.9,))}
    allowed = Correction.SENTINEL_REMOVED
    done = clean("humidity", column, Calibration(1.1, -0.3), allowed=allowed)
    assert not (done.corrections & ~int(allowed)).any()
    assert (done.corrections > 0).tolist() == [value == -9.9 for value in values]
