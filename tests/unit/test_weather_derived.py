"""Derived values: the reference's checks, the edges of the formulas, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weather.derived import (
    dew_point,
    direction_of,
    humidity_of,
    sea_level_pressure,
    vector_mean,
    wind_components,
)

pytestmark = pytest.mark.requirement("B2", "E3")

NAN = float("nan")


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_the_reference_checks_hold() -> None:
    assert dew_point(one(25.0), one(50.0))[0] == pytest.approx(13.8516, abs=5e-5)
    reduced = sea_level_pressure(one(1000.0), one(15.0), one(60.0), 86.0)[0]
    assert reduced == pytest.approx(1010.195, abs=5e-4)
    direction, speed = vector_mean(np.array([2.0, 3, 2, 3]), np.array([350.0, 10, 355, 5]))
    assert (round(direction, 2), round(speed, 3)) == (1.51, 2.477)


@given(temperature=st.floats(-40, 50), humidity=st.floats(1, 100))
def test_the_dew_point_is_never_above_the_temperature_and_leads_back(
    temperature: float, humidity: float
) -> None:
    dew = dew_point(one(temperature), one(humidity))
    assert dew[0] <= temperature + 1e-9
    assert humidity_of(one(temperature), dew)[0] == pytest.approx(humidity, rel=1e-9)


def test_saturated_air_has_its_temperature_as_dew_point_and_dry_air_none() -> None:
    dew = dew_point(np.full(4, 10.0), np.array([100.0, 104.0, 0.0, NAN]))
    np.testing.assert_allclose(dew, [10.0, 10.0, NAN, NAN])


@example(0.0, 5e-324)
@given(st.floats(), st.floats())
def test_whatever_the_sensors_read_no_error_and_no_warning_comes_of_it(a: float, b: float) -> None:
    for derived in (dew_point(one(a), one(b)), sea_level_pressure(one(1000.0), one(a), one(b), 9)):
        assert derived.shape == (1,)
        assert not np.isfinite(derived[0]) or derived[0] > -273.15


def test_at_sea_level_nothing_is_reduced_and_higher_up_more_is_added() -> None:
    heights = np.array([0.0, 86.0, 1000.0, NAN])
    still = np.full(4, 900.0), np.full(4, 15.0), np.full(4, 60.0)
    reduced = sea_level_pressure(*still, heights)
    assert reduced[0] == 900.0
    assert 900.0 < reduced[1] < reduced[2]
    assert np.isnan(reduced[3])


@given(speed=st.floats(0.1, 75), direction=st.floats(0.001, 360))
def test_components_lead_back_to_speed_and_direction(speed: float, direction: float) -> None:
    east, north = wind_components(one(speed), one(direction))
    assert np.hypot(east, north)[0] == pytest.approx(speed)
    back = direction_of(east, north)[0]
    assert 0 < back <= 360
    assert np.cos(np.radians(back - direction)) == pytest.approx(1.0)


def test_a_north_wind_comes_from_360_and_a_calm_from_nowhere() -> None:
    east, north = wind_components(np.array([3.0, 3.0, 0.0, 3.0]), np.array([360.0, 0.0, 90.0, NAN]))
    np.testing.assert_allclose(north, [-3.0, -3.0, 0.0, NAN])
    np.testing.assert_array_equal(direction_of(one(0.0), one(-3.0)), [360.0])
    assert np.isnan(direction_of(east[2:3], north[2:3])).all()


def test_a_mean_leaves_out_variable_winds_and_counts_calms() -> None:
    direction, speed = vector_mean(np.array([4.0, 0.0, 9.0]), np.array([90.0, NAN, NAN]))
    assert (direction, speed) == pytest.approx((90.0, 2.0))
    assert np.isnan(vector_mean(np.array([NAN]), np.array([90.0]))).all()
    assert np.isnan(vector_mean(np.zeros(0), np.zeros(0))).all()


def test_winds_that_cancel_leave_no_direction() -> None:
    direction, speed = vector_mean(np.array([0.0, 0.0]), np.array([NAN, 10.0]))
    assert np.isnan(direction)
    assert speed == 0.0
