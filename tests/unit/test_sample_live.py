"""Live rows: what a station of the sample reports at any moment of any year."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devstack.sample import build, insert_live

pytestmark = pytest.mark.requirement("E2")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sample") / "aos.db"
    build(place)
    return place


def added(path: Path, table: str, columns: str, now: datetime) -> list[Any]:
    """Insert live rows and give those of one table."""
    with closing(sqlite3.connect(path)) as reader:
        (last,) = reader.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608
        insert_live(path, now)
        new = f"SELECT {columns} FROM {table} WHERE id > ? ORDER BY id"  # noqa: S608
        return reader.execute(new, [last]).fetchall()


def test_every_station_reports_in_its_own_local_time(path: Path) -> None:
    now = datetime(2026, 7, 1, 16, 30, 5, 250_000, tzinfo=UTC)
    hourly = added(path, "weather_hourly", "station_id, observed_at, modified_at", now)
    assert hourly == [
        (station, "2026-07-01 12:30:05.000000", "2026-07-01 16:30:05.250000")
        for station in ("EWR", "JFK", "LGA")
    ]
    minutely = added(path, "aws_minute", "element, sensor_no, observed_at", now)
    assert minutely == [
        (element, number, "2026-07-01 09:30:05.000000")
        for element, number in [("TA", 1), ("TA", 2), ("HM", 1), ("PA", 1), ("WS", 1)]
    ]


def test_what_it_reports_is_near_what_was_measured_at_that_hour_of_2013(path: Path) -> None:
    now = datetime(2027, 1, 1, 6, 0, tzinfo=UTC)
    (newark, *_) = added(path, "weather_hourly", "temp, humid, wind_dir, pressure", now)
    assert newark == (pytest.approx(39.02, abs=0.5), 59.37, 270.0, pytest.approx(1012.0, abs=0.2))


@pytest.mark.parametrize(
    "now",
    [
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),  # no such day in 2013
        datetime(2026, 12, 31, 23, 59, tzinfo=UTC),  # the data end on the 30th
        datetime(2027, 1, 1, 5, 0, tzinfo=UTC),  # midnight in New York: they begin an hour later
        datetime(2027, 2, 12, 8, 0, tzinfo=UTC),  # the hour of the one bad wind
    ],
)
def test_there_is_plausible_weather_at_any_moment(path: Path, now: datetime) -> None:
    rows = added(path, "weather_hourly", "temp, wind_speed", now)
    assert len(rows) == 3
    assert all(-20 < temperature < 110 and 0 <= speed < 60 for temperature, speed in rows)


def test_a_reader_in_the_middle_of_its_page_does_not_stop_the_live_rows(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM aws_minute").fetchone()
        assert insert_live(path) == 8
        assert reader.execute("SELECT count(*) FROM aws_minute").fetchone() == before
