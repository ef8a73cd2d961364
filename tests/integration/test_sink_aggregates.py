"""Aggregates, the newest and the gaps: the same on TimescaleDB and on plain PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.codec import Record
from sink.database import Connection
from tests.table_rows import ask, put, reading, scratch

MISSING = {"value": None, "flag": 9, "flag_range": 9}


@pytest.fixture(
    params=[
        pytest.param("stack", marks=pytest.mark.backend("embedded TimescaleDB")),
        pytest.param("postgres", marks=pytest.mark.backend("native PostgreSQL")),
    ]
)
def tables(request: pytest.FixtureRequest) -> Iterator[Connection]:
    found = request.getfixturevalue(request.param)
    with scratch(getattr(found, "database_url", found)) as connection:
        yield connection


def minutes(start: str, number: int, **changes: Any) -> list[Record]:
    """Give a temperature a minute: the first ends at ``start`` plus one minute."""
    day, hour = start.split()
    first = int(hour[:2]) * 60 + int(hour[3:])
    times = [f"{day} {m // 60:02d}:{m % 60:02d}" for m in range(first + 1, first + number + 1)]
    return [reading("temperature", "S", t, value=20.0, **changes) for t in times]


def learn(connection: Connection) -> None:
    """Do what the job does."""
    connection.execute("CALL ops.learn_cadence()")


@pytest.mark.requirement("C1", "C6")
def test_a_window_holds_its_end_and_not_its_start(tables: Connection) -> None:
    put(tables, *minutes("2020-01-01 00:00", 20, flag=1))
    found = ask(
        tables,
        "SELECT interval_start, interval_end, readings, value_sum FROM weather.temperature_10min"
        " WHERE sensor_id = 'S:temperature' ORDER BY bucket",
    )
    assert [(f"{start:%H:%M}", f"{end:%H:%M}", *rest) for start, end, *rest in found] == [
        ("00:00", "00:10", 10, 200.0),
        ("00:10", "00:20", 10, 200.0),
    ]


@pytest.mark.requirement("C6")
@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Asia/Seoul", "15:00"),
        ("America/Phoenix", "07:00"),
        ("Asia/Kolkata", "18:30"),
        ("Asia/Kathmandu", "18:15"),
    ],
)
def test_midnight_belongs_to_the_day_before_on_the_clock_of_each_station(
    tables: Connection, zone: str, midnight: str
) -> None:
    just_after = midnight[:3] + f"{int(midnight[3:]) + 1:02d}"
    put(tables, reading("rainfall", "S", f"2020-01-05 {midnight}", zone, value=1.0))
    put(tables, reading("rainfall", "S", f"2020-01-05 {just_after}", zone, value=2.0))
    found = ask(
        tables,
        "SELECT day, value_sum, interval_end FROM weather.rainfall_day"
        " WHERE sensor_id = 'S:rainfall' ORDER BY day",
    )
    (first, second), ends = [row[:2] for row in found], [f"{row[2]:%H:%M}" for row in found]
    assert (first[1], second[1], second[0] - first[0]) == (1.0, 2.0, timedelta(days=1))
    assert ends == [midnight, midnight]


@pytest.mark.requirement("C6")
@pytest.mark.parametrize(
    ("midnight", "hours"),
    [("2013-03-10 05:00", 23), ("2013-03-11 04:00", 24), ("2013-11-03 04:00", 25)],
)
def test_a_day_of_summer_time_is_complete_with_its_own_number_of_hours(
    tables: Connection, midnight: str, hours: int
) -> None:
    start = datetime.fromisoformat(midnight)
    times = [str(start + timedelta(hours=n)) for n in range(1, hours + 1)]
    zone = "America/New_York"
    put(tables, *(reading("temperature", "S", at, zone, minutes=60) for at in times))
    found = ask(
        tables,
        "SELECT day, readings, expected, completeness FROM weather.temperature_day"
        " WHERE sensor_id = 'S:temperature'",
    )
    assert found == [(start.date(), hours, float(hours), 1.0)]


@pytest.mark.requirement("C6")
@pytest.mark.parametrize(("present", "is_complete"), [(48, True), (47, False)])
def test_an_hour_is_complete_from_80_percent_of_its_readings_on(
    tables: Connection, present: int, is_complete: bool
) -> None:
    absent = [{**r, **MISSING} for r in minutes("2020-01-01 00:00", 60)[present:]]
    put(tables, *minutes("2020-01-01 00:00", present), *absent)
    learn(tables)
    found = ask(
        tables,
        "SELECT value_count, readings, missing, expected, completeness, is_complete"
        " FROM weather.temperature_hour WHERE sensor_id = 'S:temperature'",
    )
    missing = 60 - present
    assert found == [(present, 60, missing, 60.0, pytest.approx(present / 60), is_complete)]


def test_a_momentary_value_without_a_cadence_tells_of_no_completeness(tables: Connection) -> None:
    put(tables, reading("temperature", "S", "2020-01-01 00:10", minutes=0))
    columns = "expected, completeness, is_complete"
    query = f"SELECT {columns} FROM weather.temperature_hour WHERE sensor_id = 'S:temperature'"  # noqa: S608
    assert ask(tables, query) == [(None, None, None)]


@pytest.mark.requirement("C6")
def test_deleted_readings_and_failed_values_do_not_count(tables: Connection) -> None:
    one, two, three, four = minutes("2020-01-01 00:00", 4)
    one["value"] = 10.0
    two["op"] = "delete"
    three |= {"flag": 4, "value": 99.0}
    four |= {"flag": 3, "value": 12.0}
    put(tables, one, two, three, four)
    for width in ("10min", "hour", "day"):
        found = ask(
            tables,
            "SELECT value_mean, value_min, value_max, value_sum, value_count, readings,"  # noqa: S608
            f" good, suspect, failed FROM weather.temperature_{width}"
            " WHERE sensor_id = 'S:temperature'",
        )
        assert found == [(11.0, 10.0, 12.0, 22.0, 2, 3, 1, 1, 1)]


@pytest.mark.requirement("C6")
def test_wind_has_a_scalar_mean_speed_and_a_vector_mean(tables: Connection) -> None:
    given = [(2.0, 350.0), (3.0, 10.0), (2.0, 355.0), (3.0, 5.0)]
    for minute, (speed, direction) in enumerate(given, 1):
        at = f"2020-01-01 00:0{minute}"
        put(tables, reading("wind", "S", at, speed=speed, direction=direction, gust=speed + 4))
    query = (
        "SELECT speed_mean, speed_max, gust_max, vector_speed, vector_direction"
        " FROM weather.wind_10min WHERE sensor_id = 'S:wind'"
    )
    vector = (pytest.approx(2.477, abs=5e-4), pytest.approx(1.51, abs=5e-3))
    assert ask(tables, query) == [(2.5, 3.0, 7.0, *vector)]


@pytest.mark.parametrize(
    ("given", "vector"),
    [
        ([(4.0, 360.0), (0.0, None)], (2.0, 360.0, 2)),
        ([(0.0, None)], (0.0, None, 1)),
        ([(4.0, 90.0), (5.0, None)], (4.0, 90.0, 1)),
        ([(3.0, 90.0), (3.0, 270.0)], (0.0, None, 2)),
        ([(3.0, None)], (None, None, 0)),
    ],
    ids=["calm weighs nothing", "calm alone", "variable is no vector", "opposite", "variable"],
)
def test_the_vector_mean_of_calm_and_variable_wind(
    tables: Connection,
    given: list[tuple[float, float | None]],
    vector: tuple[float | None, float | None, int],
) -> None:
    for minute, (speed, direction) in enumerate(given, 1):
        at = f"2020-01-01 00:0{minute}"
        put(tables, reading("wind", "S", at, speed=speed, direction=direction))
    columns = "vector_speed, vector_direction, vector_count"
    query = f"SELECT {columns} FROM weather.wind_day WHERE sensor_id = 'S:wind'"  # noqa: S608
    assert ask(tables, query) == [vector]


def test_a_gust_that_failed_takes_no_speed_with_it(tables: Connection) -> None:
    failed: dict[str, Any] = {"flag": 4, "gust": None, "flag_gust_range": 4}
    put(tables, reading("wind", "S", "2020-01-01 00:01", speed=5.0, **failed))
    query = "SELECT speed_count, gust_max, failed FROM weather.wind_hour WHERE sensor_id = 'S:wind'"
    assert ask(tables, query) == [(1, None, 1)]


@pytest.mark.requirement("C6")
def test_the_latest_of_a_sensor_is_its_newest_that_was_not_deleted(tables: Connection) -> None:
    *_, last, gone = readings = minutes("2020-01-01 00:00", 5)
    gone["op"] = "delete"
    last["value"] = 21.5
    put(tables, *readings, *(reading("wind", "S", f"2020-01-01 00:0{n}") for n in range(1, 5)))
    learn(tables)
    query = "SELECT measure, to_char(observed_at, 'MI'), value, unit FROM weather.latest"
    found = ask(tables, f"{query} WHERE station_id = 'S' ORDER BY measure")
    assert found == [
        ("temperature", "04", 21.5, "degC"),
        ("wind_direction", "04", 270.0, "degree"),
        ("wind_gust", "04", None, "m/s"),
        ("wind_speed", "04", 5.5, "m/s"),
    ]


@pytest.mark.requirement("C6")
def test_a_gap_is_named_with_its_ends_and_what_is_absent(tables: Connection) -> None:
    readings = minutes("2020-01-01 00:00", 30)
    readings[12] |= MISSING
    put(tables, *readings[:10], *readings[12:20], *readings[21:])
    learn(tables)
    query = (
        "SELECT to_char(last_before, 'MI'), to_char(first_after, 'MI'), absent FROM"
        " weather.gaps('2020-01-01', '2020-01-02') WHERE sensor_id = 'S:temperature' ORDER BY 1"
    )
    assert ask(tables, query) == [("10", "14", 3), ("20", "22", 1)]
    count = "SELECT count(*) FROM weather.gap WHERE sensor_id = 'S:temperature'"
    assert ask(tables, count) == [(2,)]
