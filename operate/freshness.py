"""How fresh the tables are, each sensor held to its own rhythm.

Ten minutes are late for one that reports each minute, and nothing for one that reports each hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from sink.database import Connection
from stream_app.settings import StreamSettings

_NEWEST: Final = """
SELECT DISTINCT newest.parameter, newest.station_id, newest.sensor_id, newest.observed_at,
       known.cadence
FROM weather.latest AS newest LEFT JOIN weather.sensor_cadence AS known USING (sensor_id)
ORDER BY newest.parameter, newest.sensor_id
"""
_THERE: Final = "SELECT to_regclass('weather.latest') IS NOT NULL"
_UNKNOWN: Final = timedelta(days=1)
"""What is expected of a sensor whose rhythm is not known yet."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest reading of a sensor, and how often it reports; None: not known yet."""

    parameter: str
    station: str
    sensor: str
    observed_at: datetime
    cadence: timedelta | None


@dataclass(frozen=True, slots=True)
class Limits:
    """When a sensor is late: after so many cadences, and so many seconds."""

    cadences: float
    floor: timedelta

    @classmethod
    def of(cls, settings: StreamSettings) -> Limits:
        """Take those by which the stream calls a sensor silent."""
        floor = timedelta(seconds=settings.silence_floor_seconds)
        return cls(settings.silence_cadences, floor)

    def wait(self, cadence: timedelta | None) -> timedelta:
        """Say for how long nothing need come of a sensor that is well.

        >>> Limits(3.0, timedelta(minutes=5)).wait(timedelta(hours=1))
        datetime.timedelta(seconds=10800)
        """
        return max(self.cadences * cadence if cadence else _UNKNOWN, self.floor)

    def is_late(self, newest: Newest, now: datetime) -> bool:
        """Say whether a sensor should have been heard again by now."""
        return now - newest.observed_at > self.wait(newest.cadence)


def newest(connection: Connection) -> list[Newest]:
    """Give the newest reading of each sensor; none where there are no tables yet."""
    if connection.execute(_THERE).fetchone() != (True,):
        return []
    return [Newest(*row) for row in connection.execute(_NEWEST).fetchall()]


def by_parameter(found: Iterable[Newest], limits: Limits, now: datetime) -> list[dict[str, Any]]:
    """Sum up each parameter: how many of its sensors are late, how old its newest reading is."""
    of: dict[str, list[Newest]] = {}
    for one in found:
        of.setdefault(one.parameter, []).append(one)
    return [_summed(name, some, limits, now) for name, some in of.items()]


def sensors(
    found: Iterable[Newest], limits: Limits, now: datetime, *, everything: bool
) -> list[dict[str, Any]]:
    """Give the sensors that are late, or ``everything``."""
    told = ((one, limits.is_late(one, now)) for one in found)
    return [_sensor(one, late, now) for one, late in told if late or everything]


def _summed(name: str, some: Sequence[Newest], limits: Limits, now: datetime) -> dict[str, Any]:
    late = sum(limits.is_late(one, now) for one in some)
    last = max(one.observed_at for one in some)
    known = [one.cadence.total_seconds() for one in some if one.cadence]
    return {
        "parameter": name,
        "sensors": len(some),
        "late": late,
        "fresh": len(some) - late,
        "newest": last,
        "oldest_of_fresh": min(
            (one.observed_at for one in some if not limits.is_late(one, now)), default=None
        ),
        "age_seconds": round((now - last).total_seconds(), 1),
        "cadence_seconds": median(known) if known else None,
    }


def _sensor(one: Newest, late: bool, now: datetime) -> dict[str, Any]:
    return {
        "sensor": one.sensor,
        "station": one.station,
        "parameter": one.parameter,
        "newest": one.observed_at,
        "age_seconds": round((now - one.observed_at).total_seconds(), 1),
        "cadence_seconds": one.cadence.total_seconds() if one.cadence else None,
        "late": late,
    }
