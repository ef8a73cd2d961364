"""SIGKILL for the worker of each kind of job, twice: it ends as if nobody had been killed."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from confluent_kafka.admin import AdminClient
from psycopg.sql import SQL, Identifier

from devstack.sample import MAPPING
from devstack.sample.database import build
from devstack.stack import Stack
from operate.jobs import JobConfig, JobMetrics, Jobs
from operate.jobs.catalogue import KINDS, kind_of
from operate.jobs.fleet import take_back
from operate.jobs.perform import Performer
from operate.jobs.scheduler import BY_THE_CLOCK
from operate.jobs.supervisor import prepare
from operate.settings import Settings, load
from runtime.kafka_topics import ensure_topics
from schemas.codec import Decoder
from schemas.registry import Registry
from schemas.topics import PARAMETERS, raw_schema
from sink.database import Database
from tests.job_killer import (
    BEFORE_IT_IS_WRITTEN_DOWN,
    BEFORE_THE_ENGINE_KNOWS,
    IN_THE_MIDDLE,
    NOWHERE,
    Killer,
)
from tests.source_runs import keys_held
from tests.stream_verdicts import read_all
from tests.table_readings import put

pytestmark = [
    pytest.mark.requirement("D2", "D1", "E2"),
    pytest.mark.slow,
    pytest.mark.backend("native PostgreSQL + embedded Kafka and registry"),
]
IMPORTS = ("daily_import", "hourly_import", "historical_backfill")
OUTSIDE = "DELETE FROM weather_hourly WHERE observed_at < ? OR observed_at >= ?"
DUE = datetime(2013, 11, 5, 0, tzinfo=UTC)
NAMED = ("sensor_id", "source_key", "mapping_version")
UNJUDGED = 100_000_001
UNCOUNTED = JobConfig(validate_data=False)
CONFIGS = {
    "daily_import": UNCOUNTED,
    "hourly_import": UNCOUNTED,
    "historical_backfill": JobConfig(start="2013-11-02", end="2013-11-04", validate_data=False),
    "retention_cleanup": JobConfig(dry_run=False),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment with a source, tables, and workers that die."""

    sample: Path
    config: Path
    settings: Settings
    database: Database
    killer: Killer

    def done(self, job: str, *deaths: str) -> JobMetrics:
        """Do a job, with workers that die where it is said."""
        jobs, queue = Jobs(self.database), kind_of(job).queue
        run = jobs.run(job, CONFIGS.get(job), due=DUE)
        for die in deaths:
            pid, status = self.killer.work(self.config, queue, die)
            assert status == -9, f"{job} did not die {die}"
            assert take_back(self.database, self.settings.jobs, (pid,)) == [run]
        _, status = self.killer.work(self.config, queue, NOWHERE)
        assert status == 0
        return jobs.status(run)

    def in_source(self, since: str, until: str) -> tuple[int, dict[str, int]]:
        """Count the rows of a time, and the readings that they hold, by parameter."""
        part = self.sample.with_name("part.db")
        shutil.copyfile(self.sample, part)
        with closing(sqlite3.connect(part)) as source, source:
            source.execute(OUTSIDE, (since, until))
            rows = source.execute("SELECT count(*) FROM weather_hourly").fetchone()[0]
        return rows, keys_held(part, MAPPING)

    def in_topics(self) -> Counter[tuple[str, str, str, int]]:
        """Count the readings on the raw topics: parameter, sensor, row, version of the mapping."""
        topics, found = self.settings.topics, Counter[tuple[str, str, str, int]]()
        with closing(Registry(self.settings.registry)) as registry:
            for parameter in PARAMETERS:
                decode = Decoder(raw_schema(parameter), registry.schema_of)
                values = read_all(self.settings.kafka, topics.raw(parameter), topics.partitions)
                found.update(
                    (parameter, *(reading[name] for name in NAMED))
                    for reading in map(decode, values)
                )
        return found

    def in_tables(self) -> list[Any]:
        """Give every key in the tables."""
        query = "SELECT sensor_id, observed_at FROM weather.reading_all ORDER BY 1, 2"
        with self.database.transaction("reading") as connection:
            return connection.execute(query).fetchall()

    def fill(self) -> None:
        """Put readings into a table: of today, of last week, and of two years ago."""
        days = [DUE - timedelta(days=n) for n in (1, 2, 7, 8, 700, 701)]
        with self.database.transaction("filling") as connection:
            connection.execute("TRUNCATE weather.pressure")
            put(connection, "pressure", "JFK", days)


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    with Killer(tmp_path_factory.mktemp("killer") / "log") as made:
        yield made


@pytest.fixture(scope="module")
def place(
    stack: Stack, postgres_server: str, killer: Killer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Give one deployment to all tests of this file: each asks for what has grown."""
    folder = tmp_path_factory.mktemp("jobs")
    build(sample := folder / "aos.db")
    with closing(sqlite3.connect(sample)) as source, source:
        source.execute(OUTSIDE, ("2013-11-02", "2013-11-05"))
        source.execute("DELETE FROM aws_minute")
    name = f"kill{uuid.uuid4().hex[:10]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    document = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": name, "partitions": 2},
        "source": {"url": f"sqlite:///{sample}", "mapping": str(MAPPING), "page_rows": 50},
        "sink": {"database_url": postgres_server.rpartition("/")[0] + f"/{name}"},
        "jobs": {"poll_seconds": 0.05, "import_workers": 1},
    }
    config = folder / "aos.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    settings = load(config)
    ensure_topics(AdminClient(settings.kafka.client()), settings.topics.specs(), 1)
    with closing(Database(settings.sink)) as database:
        prepare(database, settings)
        yield Place(sample, config, settings, database, killer)


def said(found: JobMetrics) -> dict[str, Any]:
    """Give what a run says, but for what is of that run alone."""
    document = found.as_document()
    of_a_run = {"run", "attempt", "start", "end", "duration", "asked", "worker", "after"}
    return {name: value for name, value in document.items() if name not in of_a_run}


@pytest.mark.parametrize(
    ("job", "since", "until", "die"),
    [
        ("historical_backfill", "2013-11-02", "2013-11-04", BEFORE_IT_IS_WRITTEN_DOWN),
        ("daily_import", "2013-10-29", "2013-11-05", BEFORE_IT_IS_WRITTEN_DOWN),
        ("hourly_import", "2013-11-04 21:00:00", "2013-11-05", BEFORE_THE_ENGINE_KNOWS),
    ],
)
def test_an_import_that_is_killed_twice_publishes_every_reading_once(
    place: Place, job: str, since: str, until: str, die: str
) -> None:
    rows, held = place.in_source(since, until)
    before = place.in_topics()
    found = place.done(job, IN_THE_MIDDLE, die)
    assert (found.status, found.extracted, found.transformed, found.failed) == (
        "succeeded", rows, sum(held.values()), 0,
    )  # fmt: skip
    assert found.attempt == (2 if die == BEFORE_THE_ENGINE_KNOWS else 3)
    grown = place.in_topics() - before
    assert set(grown.values()) == {1}
    assert Counter(parameter for parameter, *_ in grown) == held
    assert {version for *_, version in grown} == {UNJUDGED}


def test_by_the_clock_an_hourly_import_reads_increments_where_no_source_does(place: Place) -> None:
    jobs, rows = Jobs(place.database), place.in_source("2013-01-01", "2014-01-01")[0]
    for reads, extracted in ((False, None), (True, rows)):
        run = jobs.run("hourly_import", due=DUE, who=BY_THE_CLOCK)
        chosen = place.settings.jobs.model_copy(update={"import_increments": reads})
        settings = place.settings.model_copy(update={"jobs": chosen})
        Performer(settings, threading.Event()).perform(run, None)
        assert (jobs.status(run).status, jobs.status(run).extracted) == ("succeeded", extracted)


@pytest.mark.parametrize("job", [kind for kind in KINDS if kind not in IMPORTS])
def test_a_job_that_is_killed_twice_ends_as_a_calm_one(place: Place, job: str) -> None:
    place.fill()
    killed = place.done(job, IN_THE_MIDDLE, BEFORE_IT_IS_WRITTEN_DOWN)
    left = place.in_tables()
    place.fill()
    calm = place.done(job)
    assert (killed.status, killed.attempt, calm.attempt) == ("succeeded", 3, 1)
    assert said(killed) == said(calm)
    assert place.in_tables() == left
