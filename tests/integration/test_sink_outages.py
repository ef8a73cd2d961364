"""What the sink does when the database is full, read-only, cut off, or away for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.sql import SQL, Identifier

from devstack.state import free_port
from runtime.errors import Configuration
from tests.clean_records import clean
from tests.sinks import Background, Rig
from tests.tcp_proxy import Proxy
from tests.waiting import eventually

_BRISK = {"batch_seconds": 0.05, "batch_rows": 100}
_RAISE = """
CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = 'as if'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON weather.wind FOR EACH ROW EXECUTE FUNCTION public.fail()
"""


@pytest.fixture
def sink(rig: Rig) -> Iterator[Background]:
    """Run a sink that has loaded ten readings."""
    with rig.in_background(**_BRISK) as running:
        rig.publisher.readings([clean("wind", n) for n in range(10)])
        running.progress.wait_for(records=10)
        yield running


def _publish_and_fail(rig: Rig, sink: Background, state: str) -> None:
    rig.publisher.readings([clean("wind", n) for n in range(10, 20)])
    eventually(lambda: sum(state in problem for problem in sink.progress.problems) >= 4)
    assert len(rig.readings("wind")) == 10


def _recovers(rig: Rig, sink: Background) -> None:
    sink.progress.wait_for(records=20)
    assert sink.error is None
    assert len(rig.readings("wind")) == 20
    assert rig.dead_letters() == []


@pytest.mark.requirement("D3", "D4")
@pytest.mark.parametrize("state", ["53100", "40001", "40P01"])
def test_a_full_disk_or_a_conflict_is_waited_out(rig: Rig, sink: Background, state: str) -> None:
    """The server says so through a trigger: a disk cannot be filled here."""
    rig.query(_RAISE.format(state))
    _publish_and_fail(rig, sink, state)
    rig.query("DROP TRIGGER fail ON weather.wind")
    _recovers(rig, sink)


@pytest.mark.requirement("D3", "D4")
def test_a_standby_that_is_read_only_after_a_failover_is_waited_out(
    rig: Rig, sink: Background
) -> None:
    _set(rig, "default_transaction_read_only = on")
    _drop_connections(rig)
    _publish_and_fail(rig, sink, "25006")
    _set(rig, "default_transaction_read_only = off")
    _drop_connections(rig)
    _recovers(rig, sink)


@pytest.mark.requirement("D3", "D4")
def test_a_server_without_room_for_another_connection_is_waited_out(rig: Rig) -> None:
    rig.load()
    changes = {**_BRISK, "database_url": _as_writer(rig), "migrate_at_start": False}
    with rig.in_background(**changes) as sink:
        rig.publisher.readings([clean("wind", n) for n in range(10)])
        sink.progress.wait_for(records=10)
        limit = SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        rig.query(limit.format(_writer(rig), 0))
        _drop_connections(rig)
        _publish_and_fail(rig, sink, "too many connections for role")
        rig.query(limit.format(_writer(rig), -1))
        _recovers(rig, sink)


@pytest.mark.requirement("C2", "D3")
def test_a_connection_that_is_cut_in_the_middle_of_a_copy_leaves_nothing_behind(rig: Rig) -> None:
    readings = [clean("wind", n) for n in range(600)]
    rig.load()  # makes the tables
    port = urlsplit(rig.database_url).port
    with Proxy(port or 0, "cut") as proxy:
        url = rig.database_url.replace(f":{port}/", f":{proxy.port}/")
        with rig.in_background(database_url=url, batch_seconds=0.05) as sink:
            eventually(lambda: proxy.connections)
            rig.query(_CUT_IN_COPY)
            rig.publisher.readings(readings)
            eventually(lambda: rig.query(_COPYING))
            proxy.fail()
            sink.progress.wait_for(problems=1)
            assert rig.readings("wind") == []
            rig.query("DROP TRIGGER hold ON weather.wind")
            proxy.mend()
            sink.progress.wait_for(records=600)
    assert sink.error is None
    assert len(rig.readings("wind")) == 600
    assert rig.dead_letters() == []


_CUT_IN_COPY = """
CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(CASE WHEN NEW.source_key = '300' THEN 1 ELSE 0 END); RETURN NEW; END $$;
CREATE TRIGGER hold BEFORE INSERT ON weather.wind FOR EACH ROW EXECUTE FUNCTION public.hold()
"""
_COPYING = "SELECT 1 FROM pg_stat_progress_copy WHERE tuples_processed > 100"


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("DROP TABLE weather.wind CASCADE", "aos db migrate"),
        ("REVOKE INSERT ON weather.wind FROM {}", "grant the right"),
    ],
)
def test_a_missing_table_or_right_stops_the_sink_and_tells_the_mend(
    rig: Rig, harm: str, said: str
) -> None:
    rig.load()
    login = _as_writer(rig)
    rig.query(SQL(harm).format(_writer(rig)))
    rig.publisher.readings([clean("wind", n) for n in range(3)])
    with pytest.raises(Configuration, match=said):
        rig.load(database_url=login, migrate_at_start=False)
    assert rig.dead_letters() == []


@pytest.mark.requirement("C2", "D3", "D10")
def test_a_database_away_for_longer_than_a_poll_may_take_costs_no_membership(rig: Rig) -> None:
    rig.load()
    port = urlsplit(rig.database_url).port
    changes = {
        **_BRISK,
        "session_timeout_seconds": 6,
        "poll_interval_seconds": 6,
        "revoke_seconds": 1,
        "connect_timeout_seconds": 2,
        "metrics_port": (metrics := free_port()),
    }
    with Proxy(port or 0, "cut") as proxy:
        url = rig.database_url.replace(f":{port}/", f":{proxy.port}/")
        with rig.in_background(database_url=url, **changes) as sink:
            rig.publisher.readings([clean("wind", n) for n in range(10)])
            sink.progress.wait_for(records=10)
            epochs = _epochs(rig)
            proxy.fail()
            for start in range(10, 2010, 500):
                rig.publisher.readings([clean("wind", n) for n in range(start, start + 500)])
            threading.Event().wait(8)
            eventually(lambda: _metrics(metrics)["aos_sink_database_circuit"] == 2)
            held = 2000 - _metrics(metrics)["aos_sink_lag_records"]
            assert held <= 3 * _BRISK["batch_rows"], "more was taken than two batches and a third"
            proxy.mend()
            sink.progress.wait_for(records=2010)
            eventually(lambda: _metrics(metrics)["aos_sink_database_circuit"] == 0)
            assert _epochs(rig) == epochs, "it was thrown out, and claimed its partitions again"
    assert sink.error is None
    assert sink.progress.problems
    assert len(rig.readings("wind")) == 2010
    assert rig.dead_letters() == []


def _epochs(rig: Rig) -> list[dict[str, object]]:
    return rig.query("SELECT topic, partition, epoch FROM ops.sink_offset ORDER BY 1, 2")


def _metrics(port: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    found = text_string_to_metric_families(text)
    return {sample.name: sample.value for family in found for sample in family.samples}


def _set(rig: Rig, setting: str) -> None:
    with closing(psycopg.connect(rig.database_url, autocommit=True)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        name = Identifier(connection.info.dbname)
        connection.execute(SQL("ALTER DATABASE {} SET " + setting).format(name))


def _writer(rig: Rig) -> Identifier:
    return Identifier(f"{rig.topics.namespace}_writer")


def _as_writer(rig: Rig) -> str:
    """Make a role that may only load, and give the URL under which it logs in."""
    rig.query(SQL("CREATE ROLE {} LOGIN PASSWORD 's3cret'").format(_writer(rig)))
    for schema in map(Identifier, ("weather", "ops")):
        rig.query(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, _writer(rig)))
        rights = SQL("GRANT ALL ON ALL TABLES IN SCHEMA {} TO {}")
        rig.query(rights.format(schema, _writer(rig)))
    url = urlsplit(rig.database_url)
    login = f"{rig.topics.namespace}_writer:s3cret@{url.hostname}:{url.port}"
    return url._replace(netloc=login).geturl()


def _drop_connections(rig: Rig) -> None:
    rig.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'aos-sink' AND datname = current_database()"
    )
