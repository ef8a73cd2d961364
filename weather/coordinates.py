"""From any coordinate reference system to WGS84, longitude first, never out of bounds.

Two mistakes are silent and dear: swapped axes (Seoul lands in the sea of Japan) and a system taken
for its neighbour (Korea's 5186 for 5181: 100 km). The first is met by always putting x before y,
the second by a box in which all stations of a source must lie.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from weather.arrays import Bools, Floats

if TYPE_CHECKING:
    from pyproj import Transformer

WGS84: Final = "EPSG:4326"


class Box(NamedTuple):
    """A rectangle of degrees, edges included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: Floats, latitude: Floats) -> Bools:
        """Say which points lie inside."""
        across = (longitude >= self.west) & (longitude <= self.east)
        return across & (latitude >= self.south) & (latitude <= self.north)


WORLD: Final = Box(-180.0, -90.0, 180.0, 90.0)


def to_wgs84(x: Floats, y: Floats, crs: str, box: Box = WORLD) -> tuple[Floats, Floats]:
    """Convert easting and northing (or longitude and latitude) to WGS84 longitude and latitude.

    ``crs`` is what pyproj reads, such as ``EPSG:5186``. A NaN in x or y gives NaN in both.

    >>> lon, lat = to_wgs84(np.array([196978.73]), np.array([552429.20]), "EPSG:5186")
    >>> lon.round(4).tolist(), lat.round(4).tolist()
    ([126.9658], [37.5714])

    Raises:
        ValueError: the system is unknown, or a point lies outside the box; the message names it.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    unknown = np.isnan(x) | np.isnan(y)
    # PROJ takes NaN for infinity; the origin is as good a place as any to wait in.
    x_known, y_known = np.where(unknown, 0.0, x), np.where(unknown, 0.0, y)
    longitude, latitude = _transformed(x_known, y_known, crs)
    _check(x, y, crs, unknown | box.holds(longitude, latitude), box)
    return np.where(unknown, np.nan, longitude), np.where(unknown, np.nan, latitude)


def _check(x: Floats, y: Floats, crs: str, inside: Bools, box: Box) -> None:
    if inside.all():
        return
    first = int(np.flatnonzero(~inside)[0])
    problem = (
        f"x = {x.flat[first]}, y = {y.flat[first]} in {crs} lies outside "
        f"longitude {box.west} to {box.east}, latitude {box.south} to {box.north}: "
        "are x and y swapped, or is it another system?"
    )
    raise ValueError(problem)


def _transformed(x: Floats, y: Floats, crs: str) -> tuple[Floats, Floats]:
    if crs == WGS84:
        return x, y
    longitude, latitude = _transformer(crs).transform(x, y)
    return longitude, latitude


@cache  # building one takes 1.7 ms
def _transformer(crs: str) -> Transformer:
    # Here, since PROJ takes 10 MB, and most stations are given in WGS84 already.
    from pyproj import Transformer  # noqa: PLC0415
    from pyproj.exceptions import CRSError  # noqa: PLC0415

    try:
        return Transformer.from_crs(crs, WGS84, always_xy=True)
    except CRSError as error:
        problem = (
            f"unknown coordinate reference system {crs!r}: give an EPSG code such as EPSG:5186"
        )
        raise ValueError(problem) from error
