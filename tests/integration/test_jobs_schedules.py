"""Schedules and triggers on a native PostgreSQL: each moment and each event starts one job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from operate.jobs import Jobs
from operate.jobs.scheduler import Scheduler
from operate.jobs.settings import JobsSettings, Trigger
from operate.jobs.supervisor import prepare
from operate.jobs.triggers import LowScores, Silences, start
from operate.settings import Settings
from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.codec import Encoder
from schemas.registry import Registry, RegistrySettings, subject_of
from schemas.topics import Topics
from sink.database import Database
from tests.table_readings import put
from tests.waiting import eventually

pytestmark = [pytest.mark.requirement("D1"), pytest.mark.slow]
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def settings(postgres: str) -> Settings:
    return Settings.model_validate({"sink": {"database_url": postgres}})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings.sink)) as made:
        prepare(made, settings)
        yield made


class Clock:
    """A time that is set; the schedulers ask for it."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


def runs(database: Database) -> list[tuple[str, str]]:
    """Give job and local moment of every run, in the order of their moments."""
    with database.transaction("reading runs") as connection:
        rows = connection.execute("SELECT job, due_at FROM ops.job_run ORDER BY due_at, job")
        return [(job, due.astimezone(NEW_YORK).strftime("%a %d %H:%M")) for job, due in rows]


@pytest.mark.parametrize(
    ("monday", "hours", "retention"),
    [
        (datetime(2013, 3, 4, tzinfo=NEW_YORK), 167, "Sun 10 03:00"),
        (datetime(2013, 10, 28, tzinfo=NEW_YORK), 169, "Sun 03 02:00"),
    ],
    ids=["clocks forward", "clocks back"],
)
@pytest.mark.requirement("E2")
def test_two_schedulers_start_each_job_of_a_week_once(
    settings: Settings, database: Database, monday: datetime, hours: int, retention: str
) -> None:
    given = JobsSettings(zone="America/New_York")
    clock = Clock(monday.astimezone(UTC) - timedelta(minutes=20))
    end = (monday + timedelta(days=7)).astimezone(UTC)
    with closing(Database(settings.sink)) as other, ThreadPoolExecutor(2) as pool:
        pair = [Scheduler(each, given, clock) for each in (database, other)]
        while clock.now < end:
            list(pool.map(Scheduler.look, pair))
            clock.now += timedelta(minutes=30)
    found = runs(database)
    assert len(set(found)) == len(found) - (hours == 169), "only 01:05 comes twice"
    counted = Counter(job for job, _ in found)
    assert counted == {
        "daily_import": 7,
        "hourly_import": hours,
        "reconcile": 7,
        "quality_report": 1,
        "train_anomaly_model": 1,
        "retention_cleanup": 1,
    }
    assert [at[-5:] for job, at in found if job == "daily_import"] == ["00:00"] * 7
    assert [at[-5:] for job, at in found if job == "reconcile"] == ["03:00"] * 7
    assert ("retention_cleanup", retention) in found
    assert ("quality_report", f"Mon {monday:%d} 06:00") in found


def test_what_was_missed_is_made_up_for_as_each_schedule_says(
    settings: Settings, database: Database
) -> None:
    daily = {"job": "quality_check", "cron": "0 0 * * *"}
    given = {name: {**daily, "missed": name} for name in ("last", "all", "skip")}
    built_in = dict.fromkeys(JobsSettings().schedules)
    chosen = JobsSettings.model_validate({"schedules": {**built_in, **given}})
    clock = Clock(datetime(2020, 1, 1, 12, tzinfo=UTC))
    assert Scheduler(database, chosen, clock).look() == []
    clock.now += timedelta(days=3)
    assert len(Scheduler(database, chosen, clock).look()) == 1 + 3
    assert Scheduler(database, chosen, clock).look() == []
    clock.now = datetime(2020, 1, 5, 0, 9, tzinfo=UTC)
    assert len(Scheduler(database, chosen, clock).look()) == 3


def test_a_clock_that_is_set_back_starts_nothing_twice(
    settings: Settings, database: Database
) -> None:
    clock = Clock(datetime(2020, 1, 1, 12, tzinfo=UTC))
    Scheduler(database, settings.jobs, clock).look()
    clock.now += timedelta(hours=1, minutes=10)
    assert len(Scheduler(database, settings.jobs, clock).look()) == 1
    clock.now -= timedelta(hours=1)
    ahead = Scheduler(database, settings.jobs, clock)
    assert ahead.look() == []
    clock.now += timedelta(hours=1)
    assert ahead.look() == []


def test_a_schedule_may_be_followed_by_others(settings: Settings, database: Database) -> None:
    check = {"job": "quality_check", "cron": "0 * * * *", "then": ["quality_report"]}
    built_in = dict.fromkeys(JobsSettings().schedules)
    chosen = JobsSettings.model_validate({"schedules": {**built_in, "check": check}})
    clock = Clock(datetime(2020, 1, 1, 12, 30, tzinfo=UTC))
    Scheduler(database, chosen, clock).look()
    clock.now += timedelta(hours=1)
    first, second = Scheduler(database, chosen, clock).look()
    assert Jobs(database).status(second).after == (first,)
    assert Jobs(database).status(second).status == "waiting"


@pytest.mark.requirement("D12")
def test_an_event_starts_one_job_and_a_flood_of_them_a_few(database: Database) -> None:
    trigger = Trigger(on="silence", most_per_hour=3)

    def started(station: str, event: str) -> int | None:
        with database.transaction("an event") as connection:
            return start(connection, "silent", trigger, station, event)

    first = started("JFK", "JFK:wind:1")
    assert first is not None
    assert started("JFK", "JFK:wind:1") is None, "the same event"
    assert started("JFK", "JFK:pressure:1") is None, "the same station, of late"
    others = [started(station, f"{station}:wind:1") for station in ("LGA", "EWR", "BOS", "DCA")]
    assert sum(other is not None for other in others) == 2, "no more than three an hour"
    assert Jobs(database).status(first).config == {"stations": ["JFK"]}


@pytest.mark.requirement("D12", "B8")
def test_a_station_with_a_low_score_has_its_quality_checked(
    settings: Settings, database: Database
) -> None:
    now = datetime(2020, 1, 1, 12, tzinfo=UTC)
    hour = [now - timedelta(minutes=10 * n) for n in range(5)]
    with database.transaction("loading") as connection:
        put(connection, "pressure", "GOOD", hour)
        put(connection, "pressure", "BAD", hour, flag=3, score=0.5)
        put(connection, "wind", "ONCE", hour[:2], flag=4, score=0.0)
    clock = [0.0]
    low = LowScores(database, settings.jobs, 0.7, lambda: clock[0])
    (run,) = low.look(lambda: now)
    assert Jobs(database).status(run).config == {"stations": ["BAD"], "days_back": 2}
    assert low.look(lambda: now) == [], "not so soon"
    clock[0] += settings.jobs.score_seconds
    assert low.look(lambda: now) == [], "it is being checked"


@pytest.mark.requirement("D12")
def test_a_sensor_that_falls_silent_has_its_station_checked(
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    registry: Registry,
    topics: Topics,
    settings: Settings,
    database: Database,
) -> None:
    admin = AdminClient(kafka.client())
    ensure_topics(admin, topics.stream_specs(), 1)
    world = {"kafka": kafka, "registry": registry_settings, "topics": topics}
    name = "sensor_silence"
    encode = Encoder(name, registry.id_of(subject_of(topics.silence), name))
    moments = dict.fromkeys(("since", "last_observed_at", "detected_at"), 1)
    rhythm = {"expected_cadence_seconds": 60.0, "limit_seconds": 300.0}
    producer = Producer(kafka.client())

    def fall_silent(station: str, state: str) -> None:
        of = {"station_id": station, "sensor_id": f"{station}:wind", "parameter": "wind"}
        record = {**of, **rhythm, **moments, "state": state}
        producer.produce(topics.silence, encode(record), key=station)
        producer.flush()

    with closing(Silences(settings.model_copy(update=world), database)) as silences:
        started: list[int] = []

        def hears() -> list[int]:
            fall_silent("LGA", "heard")
            fall_silent("JFK", "silent")
            started.extend(silences.look())
            return started

        eventually(hears)
        for _ in range(3):
            started += silences.look()
    (run,) = started
    assert Jobs(database).status(run).config == {"stations": ["JFK"], "days_back": 2}
