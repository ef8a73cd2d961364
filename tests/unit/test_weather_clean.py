"""Cleaning: what becomes of a value, of a whole reading, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from weather.clean import Calibration, Given, Readings, clean
from weather.corrections import describe
from weather.ruleset import DEFAULT, Limits, Ruleset, Span

pytestmark = pytest.mark.requirement("B2", "B5", "B7")

NAN = np.nan


def wind(speed: float, direction: float = NAN, gust: float = NAN) -> dict[str, Given]:
    """Give one wind reading in m/s and degrees."""
    return {
        "speed": Given(np.array([speed]), "m/s"),
        "direction": Given(np.array([direction]), "degree"),
        "gust": Given(np.array([gust]), "m/s"),
    }


def one(parameter: str, value: float, unit: str, *sentinels: float) -> Readings:
    return clean(parameter, {"value": Given(np.array([value]), unit, sentinels)})


def said(readings: Readings) -> str | None:
    return describe(readings.corrections)[0]


def test_a_good_value_is_converted_and_nothing_is_said_about_it() -> None:
    done = one("temperature", 39.02, "degF")
    measured = done.measures["value"]
    assert (measured.raw_value[0], measured.value[0]) == pytest.approx((3.9, 3.9))
    assert (done.flag.tolist(), measured.flag_range.tolist(), said(done)) == ([1], [1], None)


def test_a_missing_value_is_flagged_9_and_has_no_value() -> None:
    done = one("pressure", NAN, "hPa")
    assert np.isnan([done.measures["value"].raw_value, done.measures["value"].value]).all()
    assert (done.flag.tolist(), said(done)) == ([9], None)


@pytest.mark.parametrize("given_value", [-9999.9, float(np.float32(-9999.9))])
def test_a_sentinel_is_missing_even_from_a_column_of_single_precision(given_value: float) -> None:
    done = one("temperature", given_value, "degC", -7999.0, -9999.9)
    assert np.isnan(done.measures["value"].raw_value).all()
    assert (done.flag.tolist(), said(done)) == ([9], "sentinel_removed")


def test_a_sentinel_is_that_of_its_field_only_and_looked_for_before_conversion() -> None:
    assert one("temperature", -9.9, "degC").flag.tolist() == [1]
    assert one("temperature", 99.0, "degF", 99.0).flag.tolist() == [9]
    assert one("temperature", 99.001, "degF", 99.0).flag.tolist() == [1]


def test_a_failed_value_keeps_its_raw_value_and_loses_the_cleaned_one() -> None:
    done = clean("wind", {"speed": Given(np.array([1048.36058]), "mph")})
    speed = done.measures["speed"]
    assert speed.raw_value[0] == pytest.approx(468.659, abs=1e-3)
    assert np.isnan(speed.value[0])
    assert (speed.flag_range.tolist(), done.flag.tolist()) == ([4], [4])


def test_a_calibration_applies_in_the_standard_unit_and_leaves_the_raw_value() -> None:
    calibration = Calibration(np.array([1.0, 1.0, NAN]), np.array([0.0, -0.3, NAN]))
    done = clean("temperature", {"value": Given(np.full(3, 68.0), "degF")}, calibration)
    assert done.measures["value"].raw_value.tolist() == pytest.approx([20.0, 20.0, 20.0])
    assert done.measures["value"].value.tolist() == pytest.approx([20.0, 19.7, 20.0])
    assert describe(done.corrections) == [None, "calibration_applied", None]


def test_the_calibrated_value_is_the_one_that_is_judged() -> None:
    given_value = {"value": Given(np.array([59.9]), "degC")}
    assert clean("temperature", given_value, Calibration(offset=0.2)).flag.tolist() == [4]


def test_an_anemometer_calibration_is_for_speed_and_gust_not_for_direction() -> None:
    done = clean("wind", wind(4.0, 90.0, 6.0), Calibration(scale=1.5))
    assert [done.measures[m].value[0] for m in ("speed", "direction", "gust")] == [6.0, 90.0, 9.0]


def test_calm_has_no_direction_by_the_speed_as_measured() -> None:
    done = clean("wind", wind(0.0, 0.0), Calibration(offset=0.25))
    assert np.isnan(done.measures["direction"].value[0])
    assert done.measures["direction"].raw_value[0] == 0.0
    assert (done.flag.tolist(), said(done)) == ([1], "calibration_applied,calm_direction_cleared")


def test_north_is_360_when_there_is_wind() -> None:
    done = clean("wind", wind(3.0, 0.0))
    assert (done.measures["direction"].value[0], said(done)) == (360.0, "north_as_360")
    assert said(clean("wind", wind(3.0, 360.0))) is None


def test_a_direction_without_wind_and_a_zero_without_speed_are_left_as_they_are() -> None:
    assert clean("wind", wind(0.0, 90.0)).measures["direction"].value[0] == 90.0
    assert clean("wind", wind(NAN, 0.0)).measures["direction"].value[0] == 0.0


@pytest.mark.parametrize(
    ("reading", "flag"),
    [
        (wind(3.0, 90.0, 5.0), 1),
        (wind(3.0, 90.0, NAN), 1),
        (wind(3.0, NAN, 5.0), 1),
        (wind(3.0, NAN, NAN), 1),
        (wind(NAN, 90.0, 5.0), 9),
        (wind(NAN, NAN, NAN), 9),
        (wind(3.0, 999.0, 5.0), 4),
        (wind(3.0, 90.0, 200.0), 4),
        (wind(-1.0, 90.0, 5.0), 4),
        (wind(NAN, 999.0, 5.0), 9),
    ],
)
def test_speed_decides_whether_a_wind_is_there_and_the_worst_measure_how_good_it_is(
    reading: dict[str, Given], flag: int
) -> None:
    assert clean("wind", reading).flag.tolist() == [flag]


def test_a_measure_that_fails_takes_no_other_with_it() -> None:
    done = clean("wind", wind(3.0, 90.0, 200.0))
    assert [done.measures[m].value[0] for m in ("speed", "direction")] == [3.0, 90.0]
    assert np.isnan(done.measures["gust"].value[0])


@pytest.mark.parametrize(
    ("humidity", "value", "flag", "correction"),
    [
        (100.0, 100.0, 1, None),
        (100.5, 100.0, 1, "clamped_to_100"),
        (102.0, 100.0, 1, "clamped_to_100"),
        (104.0, 100.0, 3, "clamped_to_100"),
        (105.1, NAN, 4, None),
        (-0.1, NAN, 4, None),
    ],
)
def test_humidity_over_100_is_clamped_as_far_as_sensors_may_err(
    humidity: float, value: float, flag: int, correction: str | None
) -> None:
    done = one("humidity", humidity, "%")
    np.testing.assert_array_equal(done.measures["value"].value, [value])
    assert (done.measures["value"].raw_value[0], done.flag.tolist(), said(done)) == (
        humidity,
        [flag],
        correction,
    )


def test_another_ruleset_judges_otherwise() -> None:
    strict = Ruleset("strict", {**DEFAULT.limits, ("pressure", "value"): Limits(Span(980, 1040))})
    given_value = {"value": Given(np.array([975.0]), "hPa")}
    assert clean("pressure", given_value).flag.tolist() == [1]
    assert clean("pressure", given_value, ruleset=strict).flag.tolist() == [4]


def test_an_unknown_measure_and_a_missing_main_measure_are_refused() -> None:
    with pytest.raises(ValueError, match=r"wind is given \['gust'\]: it needs 'speed'"):
        clean("wind", {"gust": Given(np.zeros(1), "m/s")})
    with pytest.raises(ValueError, match=r"it needs 'value'"):
        clean("rainfall", {"value": Given(np.zeros(1), "mm"), "sum": Given(np.zeros(1), "mm")})


@given(
    hnp.arrays(
        np.float64, st.integers(0, 20), elements=st.floats(allow_infinity=True, allow_nan=True)
    )
)
def test_whatever_is_given_a_cleaned_value_lies_within_the_limits_and_no_input_changes(
    values: np.ndarray,
) -> None:
    before = values.copy()
    done = clean("pressure", {"value": Given(values, "kPa", (0.0,))}).measures["value"]
    kept = done.value[~np.isnan(done.value)]
    assert ((kept >= 500) & (kept <= 1100)).all()
    np.testing.assert_array_equal(values, before)
    np.testing.assert_array_equal(np.isnan(done.value), done.flag_range != 1)


@given(hnp.arrays(np.float64, 12, elements=st.floats(-100, 200)), st.integers(0, 12))
def test_the_same_readings_in_two_batches_come_out_the_same(values: np.ndarray, cut: int) -> None:
    def run(part: np.ndarray) -> np.ndarray:
        done = clean(
            "temperature", {"value": Given(part, "degF", (99.0,))}, Calibration(1.01, -0.3)
        )
        return np.stack([done.measures["value"].value, done.flag, done.corrections])

    np.testing.assert_array_equal(run(values), np.hstack([run(values[:cut]), run(values[cut:])]))
