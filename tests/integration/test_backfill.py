"""The backfill on a real broker: resumable, restricted, and beside the source without doubles."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack.sample import MAPPING
from devstack.sample.database import build
from producers.backfill.daily import look_back
from producers.reading.times import observed
from producers.settings import SourceSettings
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import PARAMETERS, Topics
from tests.source_runs import Deployment
from tests.stage_process import BackfillProcess, StageProcess
from tests.stream_verdicts import Progress
from tests.table_contents import contents
from tests.waiting import eventually

YEARS = ("--years", "2013,2018")
FORTNIGHT = "DELETE FROM weather_hourly WHERE observed_at NOT BETWEEN '2013-10-28' AND '2013-11-12'"


@pytest.fixture
def deployments(
    kafka: KafkaSettings, registry_settings: RegistrySettings, namespace: str
) -> Iterator[tuple[Deployment, Deployment]]:
    with ExitStack() as opened:
        yield tuple(  # type: ignore[misc]
            opened.enter_context(
                closing(
                    Deployment(
                        kafka,
                        registry_settings,
                        Topics(namespace=f"{namespace}-{number}", partitions=2),
                    )
                )
            )
            for number in range(2)
        )


@pytest.fixture
def deployment(deployments: tuple[Deployment, Deployment]) -> Deployment:
    return deployments[0]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Make a sample of two weeks, with the night on which an hour comes twice."""
    build(path := tmp_path / "aos.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(FORTNIGHT)
    return path


def source(sample: Path, **changes: Any) -> dict[str, Any]:
    return {"url": f"sqlite:///{sample}", "mapping": MAPPING, "page_rows": 100, **changes}


def found(deployment: Deployment, parameter: str) -> Counter[tuple[str, str]]:
    """Count the readings of a parameter by sensor and source key."""
    return Counter((r["sensor_id"], r["source_key"]) for r in deployment.raw(parameter))


@pytest.fixture
def databases(postgres: str, postgres_server: str, namespace: str) -> tuple[str, str]:
    other = f"{namespace}_beside"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{other}"')
    return postgres, postgres.rpartition("/")[0] + f"/{other}"


def load(deployment: Deployment, database: str, folder: Path) -> None:
    """Judge all that is published, and load it to its end."""
    world = deployment.kafka, deployment.registry, deployment.topics
    progress = Progress(deployment.kafka, deployment.topics)
    with StageProcess("stream", {"instance": "one"}, *world, folder / "stream"):
        eventually(progress.done, seconds=90)
    sink = {"database_url": database, "instance_id": "one"}
    with StageProcess("sink", sink, *world, folder / "sink", once=True) as process:
        assert process.wait() == 0, process.log


@pytest.mark.requirement("A7", "E3")
def test_beside_the_source_a_backfill_leaves_the_tables_as_without_it(
    deployments: tuple[Deployment, Deployment],
    databases: tuple[str, str],
    sample: Path,
    tmp_path: Path,
) -> None:
    alone, beside = deployments
    alone.run(sample, MAPPING)
    world = beside.kafka, beside.registry, beside.topics
    with (
        BackfillProcess(beside, source(sample), tmp_path / "backfill", *YEARS) as backfill,
        StageProcess("source", source(sample), *world, tmp_path / "source", once=True) as reader,
    ):
        assert reader.wait() == 0, reader.log
        assert backfill.wait() == 0, backfill.log
    for parameter in PARAMETERS:
        records = beside.raw(parameter)
        twice = Counter((r["sensor_id"], r["source_key"]) for r in records)
        assert set(twice.values()) == {2}
        assert twice.keys() == found(alone, parameter).keys()
        rows = [(r["source_table"], r["source_key"], r["sensor_id"]) for r in records]
        versions = [r["source_version"] for r in records]
        assert len(set(zip(rows, versions, strict=True))) == len(set(rows))
    for deployment, database in zip(deployments, databases, strict=True):
        (folder := tmp_path / deployment.topics.namespace).mkdir()
        load(deployment, database, folder)
    held = [contents(database) for database in databases]
    assert held[1] == held[0]
    assert all(rows == keys > 0 for rows, keys, _ in held[0].values())


@pytest.mark.requirement("A7")
def test_a_job_that_is_done_does_nothing_until_it_is_asked_to_do_it_again(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    for number, (arguments, state, times) in enumerate(
        [((), "done", 1), ((), "done before", 1), (("--again",), "done", 2)]
    ):
        folder = tmp_path / str(number)
        wanted = ("--from", "2013-11-01", "--to", "2013-11-03", *arguments)
        with BackfillProcess(deployment, source(sample), folder, *wanted) as process:
            assert process.wait() == 0, process.log
        assert process.last["state"] == state
        assert set(found(deployment, "wind").values()) == {times}


@pytest.mark.requirement("A7", "D10")
def test_a_job_that_is_stopped_says_how_to_go_on_and_goes_on_by_its_name(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    slowly = (*YEARS, "--rows-per-second", "500", "--parameter", "temperature")
    with BackfillProcess(deployment, source(sample), tmp_path / "one", *slowly) as process:
        eventually(lambda: deployment.rows("sample") > 0)
        assert process.stop() == 1
    assert process.last["state"] == "unfinished"
    job = process.last["job"]
    assert f"aos backfill --job {job}" in process.log.splitlines()[-1]
    done = deployment.rows("sample")
    with BackfillProcess(deployment, source(sample), tmp_path / "two", "--job", job) as process:
        assert process.wait() == 0, process.log
    assert sum(table["rows"] for table in process.last["tables"]) > done
    assert set(found(deployment, "temperature").values()) == {1}
    assert found(deployment, "wind") == Counter()


@pytest.mark.requirement("D1")
def test_a_daily_look_back_publishes_the_days_before_once_a_day(
    deployment: Deployment, sample: Path
) -> None:
    chosen = source(sample, reread_days=2, schedule_zone="America/New_York")
    settings = SourceSettings.model_validate(chosen)
    world = settings, deployment.kafka, deployment.registry, deployment.topics
    for moment, days in [("03T04:30", 2), ("03T09:00", 2), ("04T05:30", 3)]:
        due = datetime.fromisoformat(f"2013-11-{moment}:00+00:00")
        look_back(*world, threading.Event(), due)
        published = {r["observed_local"] // 86_400_000_000 for r in deployment.raw("wind")}
        assert len(published) == days
    times = Counter(r["observed_local"] for r in deployment.raw("wind"))
    second_of_november = observed("2013-11-02 12:00")[0]
    assert (times[second_of_november], times[observed("2013-11-03 12:00")[0]]) == (6, 3)


@pytest.mark.requirement("A8")
def test_a_table_that_cannot_be_read_is_named_and_the_other_one_is_done(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "mapping.yaml"
    broken.write_text(MAPPING.read_text(encoding="utf-8").replace("aws_minute", "aws_second"))
    wrong = source(sample, mapping=broken)
    with BackfillProcess(deployment, wrong, tmp_path / "run", *YEARS) as process:
        assert process.wait() == 1
    hourly, second = process.last["tables"]
    assert (hourly["table"], hourly["chunks_done"]) == ("weather_hourly", hourly["chunks"])
    assert "no table aws_second" in second["errors"][0]
    assert set(found(deployment, "rainfall").values()) == {1}
    assert deployment.metadata()
    assert list(deployment.mappings()) == ["sample:1"]
