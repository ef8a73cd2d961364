"""In which system the positions of stations are written, and whether their axes are swapped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from producers.inspect.facts import Facts
from producers.inspect.guesses import Guess
from producers.inspect.plain import as_text
from schemas.mapping_parts import UNSET
from weather.angles import degrees
from weather.arrays import Floats
from weather.coordinates import Box, to_wgs84

_KOREA: Final = Box(124.0, 33.0, 132.0, 39.0)
_KOREAN: Final = ("EPSG:5186", "EPSG:5181", "EPSG:5179", "EPSG:5174")
_MOST_LATITUDE, _MOST_LONGITUDE = 90.0, 180.0


def are_swapped(lon: Facts, lat: Facts) -> bool:
    """Say whether latitudes go beyond 90 degrees where longitudes do not."""
    x, y = lon.measured, lat.measured
    if not len(x) or not len(y):
        return False
    return bool(_MOST_LATITUDE < np.abs(y).max() <= _MOST_LONGITUDE >= np.abs(x).max() * 2)


def unreadable_position(lon: Facts, lat: Facts) -> str | None:
    """Give a position that is neither a number nor an angle, if there is one."""
    words = (text for facts in (lon, lat) for text in facts.words)
    return next((text for text in words if not _is_angle(text)), None)


def crs_of(lon: Facts, lat: Facts) -> Guess:
    """Guess the coordinate reference system of positions."""
    if not lon.present or not lat.present:
        return Guess("EPSG:4326", 0.6, "no positions yet; degrees are usual")
    if lon.words or lat.words:
        return Guess("EPSG:4326", 0.85, "positions are angles written as text; WGS 84 is supposed")
    both = np.isfinite(lon.floats) & np.isfinite(lat.floats)
    if not both.any():
        return Guess("EPSG:4326", 0.6, "no positions yet; degrees are usual")
    x, y = lon.floats[both], lat.floats[both]
    if np.abs(x).max() <= _MOST_LONGITUDE and np.abs(y).max() <= _MOST_LATITUDE:
        return Guess("EPSG:4326", 0.9, "positions are degrees; WGS 84 is supposed")
    return _projected(x, y)


def _projected(x: Floats, y: Floats) -> Guess:
    fits = [crs for crs in _KOREAN if _in_korea(x, y, crs)]
    if len(fits) == 1:
        return Guess(fits[0], 0.6, "of the systems used in Korea only this one puts all there")
    turned = not fits and any(_in_korea(y, x, crs) for crs in _KOREAN)
    which = f"{_listed(fits)} would all put them in Korea" if fits else "no usual one fits"
    doubt = "; with x and y swapped one would" if turned else ""
    return Guess(UNSET, 0.0, f"positions are no degrees; {which}{doubt}")


def _in_korea(x: Floats, y: Floats, crs: str) -> bool:
    try:
        to_wgs84(x, y, crs, _KOREA)
    except ValueError:
        return False
    return True


def _is_angle(text: str) -> bool:
    try:
        return abs(degrees(as_text(text))) <= _MOST_LONGITUDE
    except ValueError:
        return False


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
