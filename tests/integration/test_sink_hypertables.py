"""What TimescaleDB adds. The embedded one is shared by all tests, the stations are not."""

from __future__ import annotations

import pytest

from devstack.stack import Stack
from sink.columns import table
from tests.clean_records import clean
from tests.sinks import Rig


@pytest.fixture
def sink_database(stack: Stack) -> str:
    return stack.database_url


@pytest.mark.requirement("C1", "C3")
def test_hypertables_take_new_repeated_changed_and_deleted_readings(rig: Rig) -> None:
    station = rig.topics.namespace
    weeks = [clean("wind", 24 * 7 * n, station) for n in range(6)]
    rig.publisher.readings([*weeks, clean("rainfall", 0, station)])
    assert rig.load().counts.inserted == 7
    changed = [clean("wind", 0, station, revision=2, gust=1.0)]
    deleted = [clean("wind", 168, station, revision=2, op="delete")]
    rig.publisher.readings([*weeks, *changed, *deleted, clean("wind", 1, station)])
    counts = rig.load().counts
    assert (counts.inserted, counts.updated, counts.skipped, counts.deleted) == (1, 2, 6, 1)
    rows = rig.query(
        "SELECT gust, deleted_at FROM weather.wind WHERE station_id = %s ORDER BY observed_at",
        station,
    )
    assert (len(rows), rows[0]["gust"], rows[2]["deleted_at"] is not None) == (7, 1.0, True)


@pytest.mark.requirement("C1")
def test_every_reading_table_is_a_hypertable_whose_columns_are_those_of_the_contract(
    rig: Rig,
) -> None:
    rig.load()
    hypertables = rig.query(
        "SELECT hypertable_name, time_interval::text FROM timescaledb_information.dimensions"
        " WHERE hypertable_schema = 'weather'"
    )
    names = {"rainfall", "temperature", "humidity", "wind", "pressure"}
    assert {(h["hypertable_name"], h["time_interval"]) for h in hypertables} == {
        (name, "7 days") for name in names
    }
    for name in names:
        columns = rig.query(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'weather' AND table_name = %s",
            name,
        )
        found = {c["column_name"]: (c["data_type"], c["is_nullable"] == "YES") for c in columns}
        assert {
            c.name: (c.sql_type, c.nullable) for c in table(name).columns
        }.items() <= found.items()
        assert found.keys() - {*table(name).names} == {"created_at", "updated_at"}
