"""Jobs by every way there is: HTTP, command line, Python; by workers that come and go by need."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from devstack.stack import Stack
from operate.alerts import routes as alert_routes
from operate.api.context import Context
from operate.api.errors import handle_errors
from operate.cli import app as cli
from operate.jobs import JobConfig, Jobs, daily_update, historical_backfill, run_job, status
from operate.jobs import routes as job_routes
from operate.jobs.fleet import Fleet
from operate.jobs.metrics import JobGauges
from operate.jobs.settings import Queue
from operate.jobs.supervisor import prepare
from operate.jobs.worker import run as work_on
from operate.settings import Settings, load
from runtime.errors import Configuration
from sink.database import Database
from tests.table_readings import put
from tests.waiting import eventually

pytestmark = [pytest.mark.requirement("D2a", "D2"), pytest.mark.slow]
OLD = datetime(1990, 7, 1, tzinfo=UTC)
LONG_AGO = datetime(1995, 1, 1, tzinfo=UTC)


def written(url: str, folder: Path) -> Path:
    path = folder / "aos.yaml"
    jobs = {"poll_seconds": 0.1, "heartbeat_seconds": 0.5, "retention_dry_run": False}
    document = {"sink": {"database_url": url}, "jobs": jobs}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture
def config(postgres: str, tmp_path: Path) -> Path:
    return written(postgres, tmp_path)


@pytest.fixture
def database(config: Path) -> Iterator[Database]:
    settings = load(config)
    with closing(Database(settings.sink)) as made:
        prepare(made, settings)
        yield made


def drain(settings: Settings) -> None:
    work_on(settings, Queue.MAINTENANCE, stay=False, halt=threading.Event())


@pytest.fixture
def client(config: Path, database: Database) -> TestClient:
    context = Context.__new__(Context)
    object.__setattr__(context, "settings", load(config))
    app = FastAPI()
    handle_errors(app)
    for room in (job_routes, alert_routes):
        app.include_router(room.router(context), prefix="/api/v1")
    return TestClient(app)


def test_a_job_is_asked_for_seen_and_cancelled_over_http(client: TestClient, config: Path) -> None:
    names = {job["job"]: job for job in client.get("/api/v1/jobs").json()}
    assert names["retention_cleanup"]["cron"] == "0 2 * * 0"
    given = {"job": "retention_cleanup", "config": {"name": "mine", "dry_run": True}, "who": "me"}
    asked = client.post("/api/v1/jobs/runs", json=given)
    assert asked.status_code == 201
    first = asked.json()["run"]
    second = client.post("/api/v1/jobs/runs", json={**given, "after": [first]}).json()["run"]
    assert client.delete(f"/api/v1/jobs/runs/{second}").json()["status"] == "cancelled"
    drain(load(config))
    found = client.get(f"/api/v1/jobs/runs/{first}").json()
    assert (found["status"], found["name"], found["who"]) == ("succeeded", "mine", "me")
    assert set(found) >= {
        *("start", "end", "stage", "status", "extracted", "transformed", "loaded", "failed"),
        *("score", "errors", "success_rate", "duration"),
    }
    runs = client.get("/api/v1/jobs/runs", params={"job": "retention_cleanup"}).json()
    assert [run["run"] for run in runs] == [second, first]
    assert client.get("/api/v1/jobs/runs", params={"active": True}).json() == []
    queues = client.get("/api/v1/jobs/workers").json()["queues"]
    assert {row["queue"] for row in queues} == set(Queue)
    assert client.get("/api/v1/alerts").json() == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"job": "tea"}, "there is no such job"),
    ({"job": "reconcile", "config": {"statoins": []}}, "no job has such a field"),
    ({"job": "reconcile", "config": {"quality_threshold": 7}}, "quality_threshold"),
    ({"job": "reconcile", "after": [7]}, "there is no such run"),
]


def test_what_is_asked_for_wrongly_is_refused_with_its_mend(client: TestClient) -> None:
    for given, told in WRONG:
        answer = client.post("/api/v1/jobs/runs", json=given)
        assert answer.status_code == 400
        assert told in answer.json()["message"]
    assert client.get("/api/v1/jobs/runs/7").status_code == 404


def test_the_command_line_asks_waits_and_tells(config: Path, database: Database) -> None:
    def aos(*words: str) -> Any:
        return CliRunner().invoke(cli, ["jobs", *words, "--config", str(config)])

    assert "retention_cleanup" in aos("list").stdout
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            drain(load(config))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        told = aos("run", "retention_cleanup", "--dry-run", "--wait", "--json")
        refused = aos("run", "retention_cleanup", "--days-back", "3", "--wait")
    finally:
        stop.set()
        worker.join()
    assert told.exit_code == 0
    assert json.loads(told.stdout)["status"] == "succeeded"
    assert refused.exit_code == 1
    assert "readings have to be kept for 365 days" in refused.stdout
    assert json.loads(aos("history", "--json").stdout)[0]["status"] == "failed"
    assert "succeeded" in aos("show", "1").stdout
    assert json.loads(aos("cancel", "1", "--json").stdout) == [{"run": 1, "status": "succeeded"}]
    assert "nobody works" in aos("workers").stdout
    assert aos("run", "historical_backfill", "--from", "2013-01-01").exit_code == 2


def test_the_same_from_python(config: Path, database: Database) -> None:
    settings = load(config)
    run = run_job("reconcile", JobConfig(repair=True), settings=settings)
    assert status(run, settings).config == {"repair": True}
    daily = status(daily_update(stations=["JFK"], settings=settings), settings)
    assert (daily.job, daily.config) == ("daily_import", {"stations": ["JFK"], "days_back": 7})
    with pytest.raises(Configuration, match="--to"):
        historical_backfill(start="2013-02-01", end="2013-01-01", settings=settings)
    back = historical_backfill(years="2013", settings=settings)
    assert status(back, settings).queue == "ingestion"
    gauges = {
        (family.name, *sample.labels.values()): sample.value
        for family in JobGauges(settings.sink, settings.jobs).collect()
        for sample in family.samples
    }
    assert gauges["aos_jobs_ready_runs", "ingestion"] == 2
    assert gauges["aos_jobs_period_seconds", "reconcile"] == 86_400


@pytest.mark.requirement("D12")
def test_workers_come_when_jobs_wait_and_go_when_none_does(
    config: Path, database: Database
) -> None:
    settings, jobs = load(config), Jobs(database)
    fleet = Fleet(database, settings.jobs, config)
    with ExitStack() as beside:
        beside.callback(fleet.stop)
        fleet.look()
        assert fleet.size == 0
        runs = [jobs.run("retention_cleanup", JobConfig(dry_run=True)) for _ in range(2)]
        fleet.look()
        assert fleet.size == 1, "one at a time"

        def are_over() -> bool:
            fleet.look()
            return all(jobs.status(run).is_over for run in runs)

        eventually(are_over)
        eventually(lambda: (fleet.look(), fleet.size == 0)[1])
    assert [jobs.status(run).status for run in runs] == ["succeeded"] * 2


@pytest.mark.requirement("D1", "E5")
def test_whole_chunks_that_are_old_are_dropped_on_the_embedded_database(
    stack: Stack, namespace: str, tmp_path: Path
) -> None:
    settings = load(written(stack.database_url, tmp_path))
    old = [OLD + timedelta(hours=n) for n in range(3)]
    with closing(Database(settings.sink)) as database:
        prepare(database, settings)
        with database.transaction("loading") as connection:
            put(connection, "pressure", namespace, [*old, LONG_AGO])
        jobs = Jobs(database)
        dry = jobs.run("retention_cleanup", JobConfig(dry_run=True), due=LONG_AGO)
        real = jobs.run("retention_cleanup", due=LONG_AGO, after=(dry,))
        drain(settings)
        with database.transaction("reading") as connection:
            query = "SELECT observed_at FROM weather.pressure WHERE station_id = %s"
            left = connection.execute(query, (namespace,)).fetchall()
        told, done = jobs.status(dry), jobs.status(real)
    assert (told.status, done.status) == ("succeeded", "succeeded")
    assert told.result is not None
    assert done.result is not None
    assert told.result["readings"] == done.result["readings"]
    assert (told.extracted, told.loaded, done.loaded) == (3, 0, 3)
    assert left == [(LONG_AGO,)]
