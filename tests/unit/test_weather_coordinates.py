"""Coordinates: the check pairs of the domain reference, and the mistakes that must not pass."""

from __future__ import annotations

import numpy as np
import pytest

from weather.coordinates import Box, to_wgs84

pytestmark = pytest.mark.requirement("B3", "E1")

KOREA = Box(124.0, 33.0, 132.0, 39.0)
METRE = 1.2e-5  # a degree of longitude at Seoul is 88 km

SEOUL = [
    ("EPSG:5186", 196978.73, 552429.20, METRE),
    ("EPSG:5181", 196978.73, 452429.20, METRE),
    ("EPSG:5179", 952826.84, 1952581.77, METRE),
    ("EPSG:2097", 197164.42, 452123.95, METRE),
    ("EPSG:5174", 196909.11, 452124.04, METRE),
    ("EPSG:4162", 126.9679, 37.5686, 1e-4),  # given to four digits only
    ("EPSG:4326", 126.9658, 37.5714, METRE),
]


@pytest.mark.parametrize(("crs", "x", "y", "tolerance"), SEOUL)
def test_seoul_is_in_seoul_whatever_the_system(
    crs: str, x: float, y: float, tolerance: float
) -> None:
    longitude, latitude = to_wgs84(np.array([x]), np.array([y]), crs, KOREA)
    assert longitude[0] == pytest.approx(126.9658, abs=tolerance)
    assert latitude[0] == pytest.approx(37.5714, abs=tolerance)


def test_swapped_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="are x and y swapped"):
        to_wgs84(
            np.array([552429.20]), np.array([196978.73]), "EPSG:5186", Box(126.0, 37.0, 128.0, 38.0)
        )
    with pytest.raises(ValueError, match=r"lies outside longitude -180.0 to 180.0"):
        to_wgs84(np.array([37.5714]), np.array([126.9658]), "EPSG:4326")


def test_a_point_that_no_projection_reaches_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x = 1e\+30"):
        to_wgs84(np.array([200000.0, 1e30]), np.array([600000.0, 0.0]), "EPSG:5186")


def test_a_station_without_coordinates_has_none_and_troubles_no_other() -> None:
    longitude, latitude = to_wgs84(
        np.array([np.nan, 126.9658]), np.array([37.0, 37.5714]), "EPSG:4326", KOREA
    )
    assert np.isnan([longitude[0], latitude[0]]).all()
    assert (longitude[1], latitude[1]) == pytest.approx((126.9658, 37.5714))


def test_an_unknown_system_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'EPSG:1': give an EPSG code such as EPSG:5186"):
        to_wgs84(np.zeros(1), np.zeros(1), "EPSG:1")


def test_the_edges_of_a_box_lie_inside() -> None:
    longitude, _ = to_wgs84(np.array([180.0, -180.0]), np.array([90.0, -90.0]), "EPSG:4326")
    assert longitude.tolist() == [180.0, -180.0]
