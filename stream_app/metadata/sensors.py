"""Sensor metadata in the form that the join needs: which interval holds at an observation time.

Built once from a record of ``aos.meta.sensor.v1``, so that joining a reading is one bisection.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataQuality
from schemas.codec import Record
from weather.arrays import Micros
from weather.coordinates import to_wgs84
from weather.qc.station import NEVER_EXPIRES


class Told(NamedTuple):
    """What a clean reading says of the place of its sensor; metres, degrees of WGS84."""

    wigos_id: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    elevation: float | None = None
    height: float | None = None
    metadata_version: str | None = None
    calibration_version: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """What was true of a sensor in one validity interval; metres, degrees of WGS84.

    ``told`` goes onto the clean reading as it is. ``expires`` (UTC microseconds) is the first
    moment at which its calibration no longer holds, :data:`NEVER_CALIBRATED` where it has none.
    ``station_class`` is 1 to 5, 0 where it is not known.
    """

    valid_to: float
    told: Told
    scale: float
    offset: float
    expires: int
    station_class: int = 0

    @property
    def fields(self) -> dict[str, Any]:
        """What goes onto the clean reading, by field."""
        return self.told._asdict()

    @property
    def lapsed(self) -> bool:
        """Whether its instrument was calibrated once, and is no more."""
        return self.told.calibration_version is None and self.expires != NEVER_CALIBRATED


FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1
NEVER_CALIBRATED: Final = FIRST
"""When a calibration expires that nobody knows of."""

UNKNOWN = Placement(
    valid_to=math.inf,
    told=Told(),
    scale=math.nan,
    offset=math.nan,
    expires=NEVER_CALIBRATED,
)
"""Placement of a reading that no metadata applies to."""


class Span(NamedTuple):
    """A placement, and the times (UTC microseconds) from which and before which it holds."""

    placement: Placement
    since: int
    until: int


ALWAYS_UNKNOWN: Final = Span(UNKNOWN, FIRST, LAST)
"""What is known of a sensor without metadata."""


class Sensor:
    """All validity intervals of one sensor."""

    __slots__ = ("_placements", "_starts")

    def __init__(self, record: Record) -> None:
        intervals = record["intervals"]
        self._starts = _once(tuple(_once(interval["valid_from"]) for interval in intervals))
        self._placements = tuple(
            _placement(interval, record["wigos_id"], expires)
            for interval, expires in zip(intervals, _expiries(intervals), strict=True)
        )

    def at(self, observed_at: int) -> Placement:
        """Give what held at a time (UTC microseconds); :data:`UNKNOWN` where nothing did."""
        return self.span(observed_at).placement

    def classes(self, observed_at: Micros) -> NDArray[np.int64]:
        """Give the class of its station at each time, 0 where it is not known; shape (n,)."""
        found = np.searchsorted(np.array(self._starts, np.int64), observed_at, side="right")
        each = [UNKNOWN, *self._placements]
        held = observed_at < np.array([one.valid_to for one in each])[found]
        classes = np.array([one.station_class for one in each], np.int64)
        return np.where(held, classes[found], 0)

    def spans(self) -> Iterator[Span]:
        """Give all that ever held, one behind the other, from the first of times to the last."""
        at = FIRST
        while at < LAST:
            span = self.span(at)
            yield span
            at = span.until

    def span(self, observed_at: int) -> Span:
        """Give what held at a time (UTC microseconds), and from when until when it did."""
        found = bisect_right(self._starts, observed_at)
        since = self._starts[found - 1] if found else FIRST
        until = self._starts[found] if found < len(self._starts) else LAST
        if not found:
            return Span(UNKNOWN, since, until)
        placement = self._placements[found - 1]
        if observed_at >= placement.valid_to:
            return Span(UNKNOWN, int(placement.valid_to), until)
        return Span(placement, since, int(min(placement.valid_to, until)))


def _expiries(intervals: Sequence[Record]) -> Iterator[int]:
    """Say of each interval when its calibration expires.

    One without a calibration goes on with that which its instrument had before.
    """
    expires, instrument = NEVER_CALIBRATED, None
    for interval in intervals:
        bearing = interval["model"], interval["serial"]
        if interval["calibration_version"] is not None:
            due = interval["calibration_due"]
            expires = int(NEVER_EXPIRES) if due is None else due
        elif bearing != instrument:
            expires = NEVER_CALIBRATED
        instrument = bearing
        yield expires


def _placement(interval: Record, wigos_id: str | None, expires: int) -> Placement:
    longitude, latitude = _wgs84(interval)
    place = wigos_id, latitude, longitude, interval["elevation"], interval["height"]
    versions = interval["metadata_version"], interval["calibration_version"]
    told = Told(*map(_once, place), *map(_once, versions))
    end = math.inf if interval["valid_to"] is None else interval["valid_to"]
    siting = interval.get("station_class") or 0
    scale, offset = _once(interval["scale"]), _once(interval["offset"])
    return Placement(end, told, scale, offset, _once(expires), siting)


@lru_cache(maxsize=4096, typed=True)
def _once(value: Any) -> Any:
    """Give one copy of a value that thousands of sensors share."""
    return value


def _wgs84(interval: Record) -> tuple[float | None, float | None]:
    if interval["x"] is None or interval["y"] is None:
        return None, None
    point = np.array([interval["x"]]), np.array([interval["y"]])
    try:
        longitude, latitude = to_wgs84(*point, interval["crs"])
    except ValueError as error:
        raise DataQuality(str(error), reason="bad_coordinates") from error
    return float(longitude[0]), float(latitude[0])
