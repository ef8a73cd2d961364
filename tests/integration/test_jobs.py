"""Jobs on a native PostgreSQL: asked for, done once, tried again, waited for, cancelled."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from operate.jobs import JobConfig, Jobs
from operate.jobs.catalogue import Kind
from operate.jobs.fleet import depths, take_back
from operate.jobs.perform import EndedError, Performer
from operate.jobs.settings import Queue, QueueSettings
from operate.jobs.supervisor import prepare
from operate.jobs.work import Outcome, Work
from operate.jobs.worker import run as work_on
from operate.settings import Settings
from runtime.errors import Configuration, Fenced, System, Transient
from sink.database import Database
from tests.waiting import eventually

pytestmark = [
    pytest.mark.requirement("D2"),
    pytest.mark.slow,
    pytest.mark.backend("native PostgreSQL"),
]
DUE = datetime(2013, 11, 3, 5, tzinfo=UTC)
EMPTY = """
TRUNCATE ops.job_run, ops.job_schedule, jobs.procrastinate_jobs, jobs.procrastinate_workers CASCADE
"""
Body = Callable[[Work], Outcome]


@pytest.fixture(scope="module")
def settings(postgres_server: str) -> Settings:
    """Give settings of a database of this file's own: migrated once, emptied for each test."""
    name = Identifier(made := f"jobs_{uuid.uuid4().hex[:10]}")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(name))
    quick = QueueSettings(retry_seconds=0.0)
    given = {
        "sink": {"database_url": postgres_server.rpartition("/")[0] + f"/{made}"},
        "jobs": {
            "poll_seconds": 0.05,
            "heartbeat_seconds": 0.2,
            "stalled_seconds": 1.0,
            "queues": dict.fromkeys(Queue, quick),
        },
    }
    settings = Settings.model_validate(given)
    with closing(Database(settings.sink)) as database:
        prepare(database, settings)
    return settings


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings.sink)) as made:
        with made.transaction("emptying") as connection:
            connection.execute(EMPTY)
        yield made


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


@pytest.fixture
def body(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Body], None]:
    """Let a job do something else than its own work."""
    others: dict[str, Body] = {}
    real = Kind.work
    monkeypatch.setattr(Kind, "work", lambda kind: others.get(kind.name) or real(kind))

    def put(name: str, other: Body) -> None:
        others[name] = other

    return put


def done(_work: Work) -> Outcome:
    return Outcome({"done": True})


def drain(settings: Settings, queue: Queue = Queue.QUALITY) -> None:
    """Work on a queue until nothing waits in it."""
    work_on(settings, queue, stay=False, halt=threading.Event())


def test_a_job_is_done_and_tells_what_it_counted(
    settings: Settings, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    def work(asked: Work) -> Outcome:
        asked.metrics.extracted, asked.metrics.failed, asked.metrics.score = 8, 2, 0.5
        return Outcome({"stations": asked.config.stations})

    body("quality_check", work)
    run = jobs.run("quality_check", JobConfig(name="mine", stations=("JFK",)))
    assert jobs.status(run).status == "queued"
    assert [one.run for one in jobs.active()] == [run]
    drain(settings)
    found = jobs.status(run)
    assert (found.status, found.name, found.attempt) == ("succeeded", "mine", 1)
    assert (found.success_rate, found.score, found.percent) == (0.75, 0.5, 100.0)
    assert found.duration is not None
    assert found.result == {"stations": ["JFK"]}
    assert jobs.active() == []


@pytest.mark.parametrize(
    ("error", "attempts", "status"),
    [
        (Transient("away"), 4, "failed"),
        (System("full"), 2, "failed"),
        (Configuration("wrong"), 1, "failed"),
        (KeyError("a bug"), 1, "failed"),
    ],
)
@pytest.mark.requirement("D12", "D3")
def test_the_category_of_an_error_says_how_often_a_job_is_tried_again(
    settings: Settings,
    jobs: Jobs,
    body: Callable[[str, Body], None],
    error: Exception,
    attempts: int,
    status: str,
) -> None:
    def work(asked: Work) -> Outcome:
        asked.metrics.extracted = 7
        raise error

    body("quality_check", work)
    run = jobs.run("quality_check")
    drain(settings)
    found = jobs.status(run)
    assert (found.status, found.attempt, found.extracted) == (status, attempts, 7)
    assert len(found.errors) == attempts


def test_what_is_left_is_tried_again_unless_the_job_says_otherwise(
    settings: Settings, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    tries: list[int] = []

    def work(asked: Work) -> Outcome:
        tries.append(asked.run_id)
        return Outcome({}, () if tries.count(asked.run_id) == 2 else ("table t: away",))

    body("quality_check", work)
    patient = jobs.run("quality_check")
    hasty = jobs.run("quality_check", JobConfig(retry_failed=False))
    drain(settings)
    assert (jobs.status(patient).status, jobs.status(patient).attempt) == ("succeeded", 2)
    assert (jobs.status(hasty).status, jobs.status(hasty).attempt) == ("failed", 1)
    assert "table t: away" in jobs.status(hasty).errors[0]["message"]


def test_the_urgent_goes_first_and_no_queue_waits_for_another(
    settings: Settings, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    order: list[str] = []

    def work(asked: Work) -> Outcome:
        order.append(asked.config.name)
        return Outcome()

    for name in ("quality_check", "quality_report", "reconcile"):
        body(name, work)
    jobs.run("reconcile", JobConfig(name="of another queue"))
    jobs.run("quality_report", JobConfig(name="later"))
    jobs.run("quality_check", JobConfig(name="soon"))
    jobs.run("quality_report", JobConfig(name="at once"), priority=99)
    drain(settings)
    assert order == ["at once", "soon", "later"]
    drain(settings, Queue.MAINTENANCE)
    assert order[3:] == ["of another queue"]


def test_a_job_waits_for_others_and_is_cancelled_when_one_of_them_fails(
    settings: Settings, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    body("quality_check", done)
    body("quality_report", done)
    first, second = jobs.run("quality_check"), jobs.run("reconcile")
    both = jobs.run("quality_report", after=(first, second))
    drain(settings)
    assert jobs.status(both).status == "waiting"
    body("reconcile", done)
    drain(settings, Queue.MAINTENANCE)
    assert jobs.status(both).status == "queued"
    drain(settings)
    assert jobs.status(both).status == "succeeded"

    def fails(_work: Work) -> Outcome:
        problem = "no"
        raise Configuration(problem)

    body("quality_check", fails)
    bad = jobs.run("quality_check")
    behind = jobs.run("quality_report", after=(bad,))
    far_behind = jobs.run("reconcile", after=(behind,))
    drain(settings)
    assert [jobs.status(run).status for run in (behind, far_behind)] == ["cancelled"] * 2
    with pytest.raises(Configuration, match="this run has failed"):
        jobs.run("quality_report", after=(bad,))


def test_a_run_is_cancelled_while_it_waits_and_while_it_is_at_work(
    settings: Settings, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    waits = jobs.run("quality_check")
    assert jobs.cancel(waits) == "cancelled"
    told: list[str] = []

    def work(asked: Work) -> Outcome:
        told.append(jobs.cancel(asked.run_id))
        assert asked.stop.wait(60)
        return Outcome(left=("all of it",))

    body("quality_check", work)
    at_work = jobs.run("quality_check")
    drain(settings)
    assert told == ["running"]
    assert [jobs.status(run).status for run in (waits, at_work)] == ["cancelled"] * 2
    assert jobs.cancel(at_work) == "cancelled"


def test_a_worker_that_is_to_end_leaves_its_job_to_the_next(
    settings: Settings, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    halt = threading.Event()

    def work(asked: Work) -> Outcome:
        halt.set()
        assert asked.stop.wait(60)
        return Outcome(left=("the rest",))

    body("quality_check", work)
    run = jobs.run("quality_check")
    work_on(settings, Queue.QUALITY, stay=True, halt=halt)
    assert (jobs.status(run).status, jobs.status(run).errors) == ("queued", ())
    body("quality_check", done)

    def is_over() -> bool:
        drain(settings)
        return jobs.status(run).is_over

    eventually(is_over)
    assert (jobs.status(run).status, jobs.status(run).attempt) == ("succeeded", 2)


def test_an_attempt_that_was_given_up_can_say_nothing_more(
    settings: Settings, database: Database, jobs: Jobs, body: Callable[[str, Body], None]
) -> None:
    def work(asked: Work) -> Outcome:
        if jobs.status(asked.run_id).attempt == 1:
            with pytest.raises(EndedError):
                Performer(settings, threading.Event()).perform(asked.run_id, 99)
        else:
            problem = "the second attempt says so"
            raise Configuration(problem)
        return Outcome({"whose": "the first"})

    body("quality_check", work)
    run = jobs.run("quality_check")
    with pytest.raises(Fenced):
        Performer(settings, threading.Event()).perform(run, 98)
    assert jobs.status(run).status == "failed"
    assert jobs.status(run).result == {}


def test_the_job_of_a_silent_worker_begins_again_until_it_is_given_up(
    settings: Settings, database: Database, jobs: Jobs
) -> None:
    run = jobs.run("quality_check")
    take = (
        "SET LOCAL search_path = jobs; SELECT procrastinate_fetch_job_v2(NULL, worker_id)"
        " FROM procrastinate_register_worker_v1();"
        "UPDATE procrastinate_workers SET last_heartbeat = now() - INTERVAL '1 hour'"
    )
    for kill in range(settings.jobs.most_kills + 1):
        with database.transaction("playing a worker that dies") as connection:
            connection.execute(take)
            assert depths(connection)[Queue.QUALITY].working == 1
        assert take_back(database, settings.jobs) == ([run] if kill < 5 else [])
    found = jobs.status(run)
    assert found.status == "failed"
    assert "its worker was gone" in found.errors[-1]["message"]
