"""What TimescaleDB keeps doing by itself: jobs that are there, run, and follow the settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from devstack.stack import Stack
from schemas.topics import PARAMETERS
from sink import policies
from sink.database import Connection
from sink.settings import SinkSettings
from tests.clean_records import clean
from tests.sinks import Rig
from tests.table_rows import ask, put, reading, scratch
from tests.waiting import eventually

WIDTHS = ("10min", "hour", "day")


@pytest.fixture
def tables(stack: Stack) -> Iterator[Connection]:
    with scratch(stack.database_url) as connection:
        yield connection


@pytest.fixture
def sink_database(stack: Stack) -> str:
    return stack.database_url


@pytest.mark.requirement("C1")
def test_the_policies_are_jobs_of_timescaledb(tables: Connection) -> None:
    found = ask(
        tables,
        "SELECT proc_name, hypertable_schema || '.' || hypertable_name,"
        " config ->> 'compress_after', config ->> 'drop_after'"
        " FROM timescaledb_information.jobs"
        " WHERE hypertable_schema IN ('weather', 'rollup', 'ops')",
    )
    compression = {("policy_compression", f"weather.{p}", "30 days", None) for p in PARAMETERS}
    refresh = {
        ("policy_refresh_continuous_aggregate", f"rollup.{p}_{width}", None, None)
        for p in PARAMETERS
        for width in WIDTHS
    }
    assert {*found} == {
        *compression,
        *refresh,
        ("policy_retention", "ops.sink_batch", None, "30 days"),
    }
    learning = "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'learn_cadence'"
    assert ask(tables, learning) == [(2,)]


@pytest.mark.requirement("C1")
def test_aggregates_are_continuous_and_compression_is_by_sensor_and_time(
    tables: Connection,
) -> None:
    query = (
        "SELECT view_name, materialized_only FROM timescaledb_information.continuous_aggregates"
        " WHERE view_schema = 'rollup'"
    )
    assert {*ask(tables, query)} == {(f"{p}_{w}", False) for p in PARAMETERS for w in WIDTHS}
    settings = (
        "SELECT hypertable::text, segmentby, orderby"
        " FROM timescaledb_information.hypertable_columnstore_settings"
        " WHERE hypertable::text LIKE 'weather.%%'"
    )
    assert {*ask(tables, settings)} == {
        (f"weather.{p}", "sensor_id", "observed_at DESC") for p in PARAMETERS
    }


@pytest.mark.requirement("C1")
def test_changed_settings_change_the_policies_and_nothing_else(stack: Stack) -> None:
    from_now_on = SinkSettings(chunk_days=1, compress_after_days=None, keep_days=400, ledger_days=5)
    with scratch(stack.database_url) as connection:
        statements = policies.pending(connection, from_now_on)
        for statement in statements:
            connection.execute(statement)
        assert policies.pending(connection, from_now_on) == []
        kept = "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = %s"
        assert ask(connection, kept, "policy_compression") == [(0,)]
        dropped = (
            "SELECT DISTINCT config ->> 'drop_after' FROM timescaledb_information.jobs"
            " WHERE proc_name = 'policy_retention' AND hypertable_schema = 'weather'"
        )
        assert ask(connection, dropped) == [("400 days",)]
        since = (
            "SELECT DISTINCT config ->> 'start_offset' FROM timescaledb_information.jobs"
            " WHERE proc_name = 'policy_refresh_continuous_aggregate'"
        )
        assert ask(connection, since) == [("399 days",)]
        width = (
            "SELECT DISTINCT time_interval FROM timescaledb_information.dimensions"
            " WHERE hypertable_schema = 'weather'"
        )
        assert ask(connection, width) == [(timedelta(days=1),)]


@pytest.mark.requirement("C1", "C6")
def test_a_refresh_takes_late_changed_and_deleted_readings_in(stack: Stack, namespace: str) -> None:
    at = ["1971-02-03 00:01", "1971-02-03 00:02", "1971-02-03 00:03"]
    first, second, late = (reading("pressure", namespace, t, value=1000.0) for t in at)
    query = "SELECT value_sum, readings FROM weather.pressure_hour WHERE station_id = %s"
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        put(connection, first, second)
        _refresh(connection)
        assert ask(connection, query, namespace) == [(2000.0, 2)]
        put(connection, late)
        connection.execute(
            "UPDATE weather.pressure SET deleted_at = now() WHERE station_id = %s"
            " AND observed_at = '1971-02-03 00:01Z'",
            (namespace,),
        )
        connection.execute(
            "UPDATE weather.pressure SET value = 990 WHERE station_id = %s"
            " AND observed_at = '1971-02-03 00:02Z'",
            (namespace,),
        )
        _refresh(connection)
        assert ask(connection, query, namespace) == [(1990.0, 2)]


def _refresh(connection: Connection) -> None:
    """Run the job as the ticker does."""
    job = (
        "SELECT job_id FROM timescaledb_information.jobs"
        " WHERE hypertable_name = 'pressure_hour' AND hypertable_schema = 'rollup'"
    )
    ((job_id,),) = ask(connection, job)
    connection.execute(SQL("CALL run_job({})").format(job_id))


@pytest.mark.requirement("C1", "C3")
def test_late_readings_are_loaded_into_compressed_chunks(rig: Rig) -> None:
    station = rig.topics.namespace
    long_ago = -200_000  # hours: in 1990, in chunks that no other test has
    known = [clean("humidity", long_ago + n, station) for n in range(48)]
    rig.publisher.readings(known)
    rig.load()
    compress = (
        "SELECT count(compress_chunk(c, if_not_compressed => true)) AS n FROM show_chunks("
        "'weather.humidity', newer_than => '1990-01-01'::timestamptz,"
        " older_than => '1991-01-01'::timestamptz) AS c"
    )
    (compressed,) = rig.query(compress)
    assert compressed["n"] > 0
    rig.publisher.readings([clean("humidity", long_ago + 48 + n, station) for n in range(5)])
    assert rig.load().counts.inserted == 5
    changed = clean("humidity", long_ago, station, revision=2, value=50.0)
    deleted = clean("humidity", long_ago + 1, station, revision=2, op="delete")
    fresh = clean("humidity", long_ago + 60, station)
    rig.publisher.readings([*known, changed, deleted, fresh])
    counts = rig.load().counts
    assert (counts.inserted, counts.updated, counts.deleted, counts.skipped) == (1, 2, 1, 48)
    rows = rig.query(
        "SELECT count(*) AS all, count(deleted_at) AS deleted, max(value) AS most"
        " FROM weather.humidity WHERE station_id = %s",
        station,
    )
    assert rows == [{"all": 54, "deleted": 1, "most": 50.0}]


@pytest.mark.requirement("C1")
def test_a_ticker_runs_the_jobs_of_the_embedded_database(stack: Stack, namespace: str) -> None:
    place, name = Identifier(namespace), f"{namespace}.tick"
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {0} CREATE TABLE ticks (job integer)").format(place))
        connection.execute(
            SQL(
                "CREATE PROCEDURE {0}.tick(job_id integer, config jsonb) LANGUAGE sql"
                " BEGIN ATOMIC INSERT INTO {0}.ticks VALUES (job_id); END"
            ).format(place)
        )
        ((job,),) = ask(connection, "SELECT add_job(%s, INTERVAL '1 second')", name)
        try:
            count = SQL("SELECT count(*) FROM {}.ticks").format(place)
            eventually(lambda: connection.execute(count).fetchall()[0][0] >= 2)
        finally:
            connection.execute("SELECT delete_job(%s)", (job,))
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(place))
