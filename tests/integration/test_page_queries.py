"""What the page asks the tables: the same on TimescaleDB and on plain PostgreSQL, by an index."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg.sql import Literal

from operate.page.quality import quality
from operate.page.ranges import Resolution
from operate.page.readings import MEASURES, question, series
from operate.page.stations import station, stations
from sink.database import Connection
from tests.table_rows import ask, fill, put, reading, scratch

pytestmark = pytest.mark.requirement("D11")

SINCE, UNTIL = datetime(2031, 5, 3, tzinfo=UTC), datetime(2031, 5, 3, 2, tzinfo=UTC)


@pytest.fixture(
    params=[
        pytest.param("stack", marks=pytest.mark.backend("embedded TimescaleDB")),
        pytest.param("postgres", marks=pytest.mark.backend("native PostgreSQL")),
    ]
)
def tables(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Give tables with two hours of a reading a minute of three sensors, and a failed one."""
    found = request.getfixturevalue(request.param)
    with scratch(getattr(found, "database_url", found)) as connection:
        fill(connection, "temperature", 3, "2031-05-03", 2)
        failed = {"value": None, "raw_value": 99.0, "flag": 4, "reason": "range,by_hand:x"}
        put(connection, reading("temperature", "T1", "2031-05-03 01:00:30", **failed))
        put(connection, reading("wind", "T1", "2031-05-03 01:00", speed=3.0, direction=90.0))
        connection.execute("CALL ops.learn_cadence()")
        yield connection


def ours(found: dict[str, Any]) -> list[str]:
    return [one["station_id"] for one in found["stations"] if one["station_id"].startswith("T")]


def test_stations_come_page_after_page_and_one_comes_alone(tables: Connection) -> None:
    first = stations(tables, "T", 2)
    assert (ours(first), first["next"]) == (["T0", "T1"], "T1")
    second = stations(tables, first["next"], 2)
    assert ours(second) == ["T2"]
    assert station(tables, "nobody") is None
    found = station(tables, "T1")
    assert found == first["stations"][1]
    (sensor,) = [one for one in found["sensors"] if one["parameter"] == "temperature"]
    assert (sensor["cadence_seconds"], sensor["observed_at"]) == (60.0, UNTIL)
    assert [one["measure"] for one in sensor["values"]] == ["temperature"]


def test_readings_are_raw_beside_clean_and_go_on_where_a_page_ends(tables: Connection) -> None:
    first = series(tables, "T1:temperature", "temperature", SINCE, UNTIL, 100)
    assert (first["resolution"], first["unit"], len(first["points"]["time"])) == (
        "readings", "degC", 100,
    )  # fmt: skip
    at = first["points"]["flag"].index(4)
    assert [first["points"][name][at] for name in ("value", "raw", "reason")] == [
        None, 99.0, "range,by_hand:x",
    ]  # fmt: skip
    rest = series(tables, "T1:temperature", "temperature", first["next"], UNTIL, 100)
    assert (len(rest["points"]["time"]), rest["next"]) == (21, None)
    assert rest["points"]["time"][0] > first["points"]["time"][-1]
    newest = series(tables, "T1:temperature", "temperature", None, None)
    assert newest["to"] == UNTIL


def test_a_long_span_is_told_in_aggregates(tables: Connection) -> None:
    until = SINCE + timedelta(days=300)
    found = series(tables, "T1:temperature", "temperature", SINCE, until)
    assert found["resolution"] == "hour"
    points = found["points"]
    assert (sum(points["readings"]), sum(points["failed"]), sum(points["suspect"])) == (121, 1, 1)
    gusts = series(tables, "T1:wind", "wind_direction", SINCE, SINCE + timedelta(days=9999))
    assert (gusts["resolution"], gusts["unit"]) == ("day", "degree")
    assert (gusts["points"]["value"], gusts["points"]["least"]) == ([90.0], [None])


def test_flags_are_counted_by_day_and_reasons_without_who_said_them(tables: Connection) -> None:
    found = quality(tables, date(2031, 5, 3), date(2031, 5, 3), ("temperature",))
    told = found["parameters"]["temperature"]
    assert told["days"] == {
        "day": [date(2031, 5, 3)], "readings": [361], "good": [357], "not_evaluated": [0],
        "suspect": [3], "failed": [1], "missing": [0],
    }  # fmt: skip
    reasons = {one["reason"]: one["readings"] for one in told["reasons"]}
    assert (reasons["range"], reasons["by_hand"]) == (1, 1)


def test_readings_are_found_by_the_primary_key(tables: Connection) -> None:
    given = {"sensor": "T1:temperature", "since": SINCE, "until": UNTIL, "limit": 10}
    asked = question(MEASURES["temperature"], Resolution.READINGS).as_string()
    literals = {name: Literal(value).as_string(tables) for name, value in given.items()}
    tables.execute("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row[0] for row in ask(tables, f"EXPLAIN {asked % literals}"))
    assert "sensor_id = 'T1:temperature'" in plan
    assert "Sort" not in plan
