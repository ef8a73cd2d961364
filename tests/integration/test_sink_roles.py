"""The migrator owns, the writer loads, the reader asks: on a native PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from operate.jobs import JobConfig
from operate.jobs import jobs as opened_jobs
from operate.jobs.engine import install
from operate.jobs.settings import Queue
from operate.jobs.worker import run as work_on
from operate.settings import Settings
from runtime.errors import Configuration
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from sink import roles, upkeep
from sink.database import Connection, Database
from sink.roles import Roles
from sink.settings import SinkSettings
from tests.clean_records import clean
from tests.sinks import Rig
from tests.table_rows import put, reading

As = Callable[[str], str]


@pytest.fixture
def chosen(topics: Topics) -> Roles:
    return Roles.of(SinkSettings(), topics)


@pytest.fixture
def url_of(postgres: str, chosen: Roles) -> As:
    """Make the roles as an administrator would, migrate, and give the URL of each."""

    def url(role: str) -> str:
        scheme, _, rest = postgres.partition("//")
        return f"{scheme}//{role}:{role}@{rest.rpartition('@')[2]}"

    with psycopg.connect(postgres, autocommit=True) as administrator:
        for statement in roles.missing(administrator, chosen):
            administrator.execute(statement)
        assert roles.missing(administrator, chosen) == []
        for role in (chosen.migrator, chosen.writer, chosen.reader):
            password = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), role)
            administrator.execute(password)
    with opened(url(chosen.migrator)) as (database, settings):
        upkeep.bring_up_to_date(database, settings, chosen)
        assert upkeep.plan(database, settings, chosen) == []
    return url


@contextmanager
def opened(url: str) -> Iterator[tuple[Database, SinkSettings]]:
    settings = SinkSettings(database_url=url)
    with closing(Database(settings)) as database:
        yield database, settings


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def refused(connection: Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


@pytest.mark.requirement("C1")
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE weather.wind",
        "DELETE FROM weather.wind",
        "TRUNCATE weather.wind",
        "ALTER TABLE weather.wind ADD COLUMN more text",
        "CREATE TABLE weather.more ()",
        "CREATE SCHEMA more",
        "DELETE FROM ops.sink_batch",
        "UPDATE ops.migration SET checksum = ''",
        "CALL ops.make_rollups(false)",
        "CALL ops.learn_cadence()",
    ],
)
def test_the_writer_can_neither_drop_nor_delete_nor_alter(
    url_of: As, chosen: Roles, statement: str
) -> None:
    with connected(url_of(chosen.writer)) as connection:
        assert refused(connection, statement)


@pytest.mark.requirement("C1")
def test_the_reader_reads_everything_and_writes_nothing(url_of: As, chosen: Roles) -> None:
    with connected(url_of(chosen.writer)) as connection:
        put(connection, reading("wind", "S", "2020-01-01 00:01"))
    with connected(url_of(chosen.reader)) as connection:
        everything = connection.execute(
            "SELECT format('%I.%I', nspname, relname) FROM pg_class"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname IN ('weather', 'ops') AND relkind IN ('r', 'v')"
        ).fetchall()
        assert len(everything) > 25
        assert not [t for (t,) in everything if refused(connection, f"SELECT * FROM {t}")]  # noqa: S608
        assert connection.execute("SELECT count(*) FROM weather.reading_all").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM weather.wind_day").fetchone() == (1,)
        for statement in (
            "UPDATE weather.wind SET gust = 1",
            "INSERT INTO weather.sensor_cadence VALUES ('s', 'wind', '1 hour', 1)",
            "DELETE FROM ops.sink_offset",
            "DROP VIEW weather.reading_all",
            "CREATE TEMPORARY TABLE mine ()",
        ):
            assert refused(connection, statement), statement


@pytest.mark.requirement("D2", "D1")
def test_jobs_run_as_the_writer_who_may_count_old_readings_and_not_drop_them(
    url_of: As, chosen: Roles
) -> None:
    with opened(url_of(chosen.migrator)) as (database, _):
        install(database, chosen)
    jobs = {"poll_seconds": 0.1, "retention_dry_run": False}
    sink = {"database_url": url_of(chosen.writer), "migrate_at_start": False}
    settings = Settings.model_validate({"sink": sink, "jobs": jobs})
    with opened_jobs(settings) as asking:
        counts = asking.run("retention_cleanup", JobConfig(dry_run=True))
        checks = asking.run("quality_check")
        drops = asking.run("retention_cleanup")
        for queue in (Queue.MAINTENANCE, Queue.QUALITY):
            work_on(settings, queue, stay=False, halt=threading.Event())
        found = [asking.status(run) for run in (counts, checks, drops)]
    assert [one.status for one in found] == ["succeeded", "succeeded", "failed"]
    assert found[2].errors[0]["category"] == "Configuration"


@pytest.mark.requirement("C1")
def test_the_sink_runs_as_the_writer(
    url_of: As,
    chosen: Roles,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
) -> None:
    with closing(Rig(kafka, registry_settings, topics, url_of(chosen.writer))) as rig:
        rig.publisher.readings([clean("wind", 0), clean("wind", 0, revision=2)])
        assert rig.load(migrate_at_start=False).counts.inserted == 1
        rig.publisher.readings([clean("wind", 0, revision=3)])
        assert rig.load(migrate_at_start=False).counts.updated == 1
        with pytest.raises(Configuration):
            rig.load(migrate_at_start=True)
