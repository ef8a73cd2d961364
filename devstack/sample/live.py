"""Goes on where the sample ends: new rows as of now, with the weather of the same hour of 2013."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from devstack.sample.readings import ARIZONA, HOURLY_MEASURES
from devstack.sample.tables import as_text

_NEW_YORK: Final = ZoneInfo("America/New_York")
_HOURLY_STATIONS: Final = ("EWR", "JFK", "LGA")
_YEAR: Final = 2013
_DAY: Final = "2018-10-18"
_SWING_SECONDS: Final = 600

_LAST_LIKE: Final = f"""
INSERT INTO weather_hourly (station_id, observed_at, {", ".join(HOURLY_MEASURES)}, modified_at)
SELECT station_id, :observed, temp + 0.5 * :swing, dewp, humid, wind_dir,
       wind_speed * (1 + 0.1 * :swing), wind_gust, precip, pressure + 0.2 * :swing, visib, :modified
FROM weather_hourly
WHERE station_id = :station AND observed_at <= :like AND wind_speed < 200
ORDER BY observed_at DESC
LIMIT 1
"""  # noqa: S608  # the names are ours

_SAME_MINUTE: Final = """
INSERT INTO aws_minute
    (station_id, element, sensor_no, observed_at, value, direction, gust, modified_at)
SELECT station_id, element, sensor_no, :observed, value, direction, gust, :modified
FROM aws_minute
WHERE station_id = 'UAT' AND observed_at = :like
ORDER BY id
"""


def insert_live(path: Path, now: datetime | None = None) -> int:
    """Add what each station reports now (aware; default: this moment), and give the number of rows.

    The stations of New York report the hour of 2013 that had the same date, with a slow swing on
    temperature, wind and pressure; Tucson the same minute of its one day. A row is observed
    now, to the second, and modified now.
    """
    at = (now or datetime.now(UTC)).astimezone(UTC)
    with closing(sqlite3.connect(path, timeout=30)) as sample, sample:
        added = sum(_hourly(sample, station, at) for station in _HOURLY_STATIONS)
        return added + _minutely(sample, at)


def _hourly(sample: sqlite3.Connection, station: str, at: datetime) -> int:
    wall = at.astimezone(_NEW_YORK)
    row = {
        "station": station,
        "observed": as_text(wall.replace(microsecond=0)),
        "like": max(f"{_YEAR}-{wall:%m-%d %H}:00:00.000000", f"{_YEAR}-01-01 01:00:00.000000"),
        "swing": math.sin(2 * math.pi * (at.timestamp() % _SWING_SECONDS) / _SWING_SECONDS),
        "modified": as_text(at),
    }
    return sample.execute(_LAST_LIKE, row).rowcount


def _minutely(sample: sqlite3.Connection, at: datetime) -> int:
    wall = at.astimezone(ARIZONA)
    like = f"{_DAY} {wall:%H:%M}:00.000000"
    row = {"observed": as_text(wall.replace(microsecond=0)), "like": like, "modified": as_text(at)}
    return sample.execute(_SAME_MINUTE, row).rowcount
