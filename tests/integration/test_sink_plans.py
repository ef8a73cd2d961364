"""The plans of the questions that people and jobs ask: they hold the indexes in place.

A plan is judged by what it reads and by which index, never by its cost.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack.stack import Stack
from sink.database import Connection
from tests.table_rows import ask, fill, scratch

NEWEST = """
    SELECT * FROM weather.temperature WHERE sensor_id = 'T3:temperature'
    ORDER BY observed_at DESC LIMIT 1"""
OF_A_DAY = """
    SELECT * FROM weather.temperature WHERE sensor_id = 'T3:temperature'
    AND observed_at >= '1991-05-03' AND observed_at < '1991-05-04'"""
OF_A_STATION = """
    SELECT * FROM weather.temperature WHERE station_id = 'T3'
    ORDER BY observed_at DESC LIMIT 50"""
FLAGGED = """
    SELECT * FROM weather.temperature WHERE flag IN (3, 4)
    ORDER BY observed_at DESC LIMIT 50"""
ALL_OF_A_DAY = """
    SELECT * FROM weather.reading_all
    WHERE observed_at >= '1991-05-03' AND observed_at < '1991-05-04'"""
ALL_OF_A_SENSOR = """
    SELECT * FROM weather.reading_all WHERE sensor_id = 'T3:temperature'
    AND observed_at >= '1991-05-03' AND observed_at < '1991-05-04'"""
GAPS = "SELECT * FROM weather.gaps('1991-05-03', '1991-05-04')"
LATEST = "SELECT * FROM weather.latest WHERE sensor_id = 'T3:temperature'"
HOURS = """
    SELECT * FROM weather.temperature_hour WHERE sensor_id = 'T3:temperature'
    AND bucket >= '1991-05-03' AND bucket < '1991-05-04'"""
FLAGS_OF_DAYS = """
    SELECT day, suspect, failed FROM weather.temperature_day
    WHERE sensor_id = 'T3:temperature' AND day >= '1991-05-03'"""
LEDGER = """
    SELECT topic, sum(inserted) FROM ops.sink_batch WHERE consumer_group = 'g' AND topic = 't'
    AND started_at > now() - INTERVAL '1 hour' GROUP BY topic"""


@pytest.fixture
def hypertables(stack: Stack) -> Iterator[Connection]:
    """Give four chunks of readings, none of them compressed."""
    with scratch(stack.database_url) as connection:
        for start in ("1991-05-03", "1991-05-10", "1991-05-17", "1991-05-24"):
            fill(connection, "temperature", 4, start, 6)
        learn(connection)
        yield connection


@pytest.fixture
def table(postgres: str) -> Iterator[Connection]:
    """Give a plain table."""
    with scratch(postgres) as connection:
        fill(connection, "temperature", 6, "1991-05-03", 48)
        learn(connection)
        yield connection


def learn(connection: Connection) -> None:
    connection.execute("CALL ops.learn_cadence()")
    connection.execute("ANALYZE weather.sensor_cadence")


def plan(connection: Connection, query: str, options: str = "") -> str:
    return "\n".join(row[0] for row in ask(connection, f"EXPLAIN {options} {query}"))


def chunks(connection: Connection, query: str) -> set[str]:
    """Name the chunks of readings that a query would read."""
    query_of_all = "SELECT c::text FROM show_chunks('weather.temperature') AS c"
    known = {name.rpartition(".")[2] for (name,) in ask(connection, query_of_all)}
    text = plan(connection, query)
    return {name for name in known if name in text}


@pytest.mark.requirement("C6")
@pytest.mark.parametrize("query", [OF_A_DAY, ALL_OF_A_DAY, ALL_OF_A_SENSOR, GAPS])
def test_a_range_of_time_leaves_the_chunks_of_other_times_alone(
    hypertables: Connection, query: str
) -> None:
    assert len(chunks(hypertables, query)) == 1
    assert len(chunks(hypertables, "SELECT count(*) FROM weather.temperature")) >= 4


@pytest.mark.requirement("C6")
def test_the_newest_of_a_sensor_comes_from_an_index_and_the_newest_chunk_alone(
    hypertables: Connection,
) -> None:
    found = plan(hypertables, NEWEST, "(ANALYZE, TIMING OFF, SUMMARY OFF)")
    assert "ChunkAppend" in found
    assert "temperature_pkey" in found
    assert "Sort" not in found
    assert "never executed" in found


@pytest.mark.requirement("C6")
def test_the_latest_of_a_sensor_looks_into_no_other(hypertables: Connection) -> None:
    found = plan(hypertables, LATEST)
    assert "temperature_pkey" in found
    assert "Seq Scan on _hyper" not in found
    assert "(sensor_id = 'T3:temperature'::text)" in found


@pytest.mark.requirement("C6")
@pytest.mark.parametrize("query", [HOURS, FLAGS_OF_DAYS])
def test_aggregates_are_read_by_sensor_and_time(hypertables: Connection, query: str) -> None:
    hypertables.execute("SET LOCAL enable_seqscan = off")
    found = plan(hypertables, query)
    conditions = [line for line in found.splitlines() if "Index Cond" in line]
    assert "_hyper" in found
    assert all("sensor_id = 'T3:temperature'::text" in line for line in conditions)


@pytest.mark.requirement("C6")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (OF_A_DAY, "temperature_pkey"),
        (NEWEST, "temperature_pkey"),
        (OF_A_STATION, "temperature_station_id_observed_at_idx"),
        (FLAGGED, "temperature_flagged_idx"),
        (ALL_OF_A_SENSOR, "temperature_pkey"),
        (LATEST, "temperature_pkey"),
        (GAPS + " WHERE sensor_id = 'T3:temperature'", "temperature_pkey"),
        (HOURS, "temperature_pkey"),
        (LEDGER, "sink_batch_consumer_group_topic_started_at_idx"),
    ],
)
def test_a_question_of_users_or_jobs_has_its_index(
    table: Connection, query: str, index: str
) -> None:
    assert index in plan(table, query)


@pytest.mark.requirement("C6")
def test_a_time_of_all_stations_has_an_index_by_block_ranges(table: Connection) -> None:
    fill(table, "temperature", 150, "1991-06-03", 3)
    table.execute("SELECT brin_summarize_new_values('weather.temperature_time_idx')")
    query = """
        SELECT * FROM weather.temperature
        WHERE observed_at > '1991-06-03 01:00' AND observed_at <= '1991-06-03 01:10'"""
    assert "temperature_time_idx" in plan(table, query)
