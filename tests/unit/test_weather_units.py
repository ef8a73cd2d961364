"""Parameters, measures and units: the figures of the domain reference, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.parameters import PARAMETERS, Quantity, measure_of, parameter_of
from weather.units import from_standard, known_units, to_standard

pytestmark = pytest.mark.requirement("B3", "E1")

EVERY_UNIT = [
    (parameter.name, measure.name, unit)
    for parameter in PARAMETERS.values()
    for measure in parameter.measures
    for unit in known_units(parameter.name, measure.name)
]


@pytest.mark.parametrize(
    ("parameter", "measure", "unit", "given_value", "standard"),
    [
        ("temperature", "value", "degF", 39.02, 3.9),
        ("temperature", "value", "degF", -40.0, -40.0),
        ("temperature", "value", "K", 273.15, 0.0),
        ("wind", "speed", "kt", 1.0, 0.514444444),
        ("wind", "speed", "mph", 1048.36058, 468.659114),
        ("wind", "gust", "km/h", 36.0, 10.0),
        ("wind", "direction", "sector16", 4.0, 90.0),
        ("wind", "direction", "sector16", 16.0, 360.0),
        ("wind", "direction", "mil", 6400.0, 360.0),
        ("pressure", "value", "inHg", 29.92, 1013.207469),
        ("pressure", "value", "mmHg", 760.0, 1013.250164),
        ("pressure", "value", "Pa", 101325.0, 1013.25),
        ("pressure", "value", "kPa", 101.325, 1013.25),
        ("pressure", "value", "mbar", 927.935, 927.935),
        ("rainfall", "value", "in", 1.0, 25.4),
        ("rainfall", "value", "cm", 1.0, 10.0),
        ("rainfall", "value", "0.1mm", 5.0, 0.5),
        ("humidity", "value", "%", 59.37, 59.37),
    ],
)
def test_a_value_in_any_unit_becomes_its_standard_unit(
    parameter: str, measure: str, unit: str, given_value: float, standard: float
) -> None:
    assert to_standard(np.array([given_value]), parameter, measure, unit)[0] == pytest.approx(
        standard, abs=1e-6
    )


@pytest.mark.parametrize(("parameter", "measure", "unit"), EVERY_UNIT)
@given(values=st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_every_unit_goes_there_and_back(
    parameter: str, measure: str, unit: str, values: list[float]
) -> None:
    array = np.array(values, dtype=np.float64)
    back = from_standard(to_standard(array, parameter, measure, unit), parameter, measure, unit)
    np.testing.assert_allclose(back, array, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("parameter", "measure", "unit"), EVERY_UNIT)
def test_a_missing_value_stays_missing_in_every_unit(
    parameter: str, measure: str, unit: str
) -> None:
    assert np.isnan(to_standard(np.array([np.nan]), parameter, measure, unit)).all()


def test_the_standard_unit_comes_first_and_changes_no_bit() -> None:
    values = np.array([0.1, -0.0, 1e300])
    for parameter in PARAMETERS.values():
        for measure in parameter.measures:
            assert known_units(parameter.name, measure.name)[0] == measure.unit
            assert to_standard(values, parameter.name, measure.name, measure.unit) is values


def test_an_unknown_unit_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ValueError, match=r"'mph' for temperature.value: known are degC, degF, K"):
        to_standard(np.zeros(1), "temperature", "value", "mph")


def test_an_unknown_parameter_or_measure_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"'snow': known are rainfall, temperature, humidity, wind, pressure"
    ):
        parameter_of("snow")
    with pytest.raises(ValueError, match=r"'value' of wind: known are speed, direction, gust"):
        measure_of("wind", "value")


def test_wind_is_three_measures_of_which_speed_is_the_main_one() -> None:
    wind = parameter_of("wind")
    assert [m.name for m in wind.measures] == ["speed", "direction", "gust"]
    assert (wind.main.name, wind.main.quantity, wind.main.unit) == ("speed", Quantity.SPEED, "m/s")
