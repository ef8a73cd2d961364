"""Starts what is due, once, however many schedulers there are, and whatever was missed meanwhile.

How far each schedule has been attended to stands in its row of ``ops.job_schedule``. Whoever looks
holds that row, and moves it on in the transaction in which the jobs are queued.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from operate.jobs import store
from operate.jobs.catalogue import kind_of
from operate.jobs.config import JobConfig
from operate.jobs.settings import JobsSettings, Missed, Schedule
from sink.database import Connection, Database

_KNOW: Final = """
INSERT INTO ops.job_schedule (name, last_due) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_HOLD: Final = "SELECT last_due FROM ops.job_schedule WHERE name = %s FOR UPDATE"
_MOVE: Final = "UPDATE ops.job_schedule SET last_due = %s WHERE name = %s"
BY_THE_CLOCK: Final = "schedule"
"""Who asked, where nobody did."""
_MOST_AT_ONCE: Final = 60


def utc_now() -> datetime:
    """Give this machine's time."""
    return datetime.now(UTC)


def check(settings: JobsSettings) -> None:
    """See that what will be started can be asked for.

    Raises:
        Configuration: a schedule or a trigger names no job, or a field that no job has.
    """
    for schedule in settings.schedules.values():
        for job in (schedule.job, *schedule.then):
            kind_of(job)
        JobConfig.of(schedule.config).spans()
    for trigger in settings.triggers.values():
        kind_of(trigger.job)
        JobConfig.of(trigger.config)


class Scheduler:
    """Looks when it is told to; ``now`` is asked for the time, once a look."""

    def __init__(
        self, database: Database, settings: JobsSettings, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._settings = settings
        self._now = now
        self._next: dict[str, datetime] = {}

    def look(self) -> list[int]:
        """Start what is due; give the numbers of the runs.

        Raises:
            AosError: the database does not answer, or a schedule is configured wrongly.
        """
        now = self._now()
        started: list[int] = []
        for name, schedule in self._settings.schedules.items():
            if now >= self._next.get(name, now):
                started += self._attend(name, schedule, now)
                self._next[name] = self._settings.cron(schedule).following(now)
        return started

    def _attend(self, name: str, schedule: Schedule, now: datetime) -> list[int]:
        with self._database.transaction(f"attending to schedule {name}") as connection:
            connection.execute(_KNOW, (name, now))
            (last,) = connection.execute(_HOLD, (name,)).fetchall()[0]
            moments = self._settings.cron(schedule).between(last, now)
            if not moments:
                return []
            connection.execute(_MOVE, (moments[-1], name))
            return [
                number
                for due in chosen(moments, schedule.missed, now, self._settings.late_seconds)
                for number in _start(connection, name, schedule, due)
            ]


def chosen(
    moments: Sequence[datetime], missed: Missed, now: datetime, late_seconds: float
) -> Sequence[datetime]:
    """Choose from the moments that passed since the last look those that jobs are started for.

    >>> moments = [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    >>> late = moments[-1] + timedelta(hours=1)
    >>> [len(chosen(moments, how, late, 600)) for how in Missed]
    [1, 3, 0]
    """
    if missed is Missed.ALL:
        return moments[-_MOST_AT_ONCE:]
    if missed is Missed.SKIP and now - moments[-1] > timedelta(seconds=late_seconds):
        return []
    return moments[-1:]


def _start(connection: Connection, name: str, schedule: Schedule, due: datetime) -> list[int]:
    """Start the job of a moment, and have those wait that follow it."""
    key = f"schedule:{name}:{due.isoformat()}"
    config = JobConfig.of(schedule.config)
    asked = store.Asked(kind_of(schedule.job), config, BY_THE_CLOCK, due, "schedule", key)
    first = store.submit(connection, asked)
    if first is None:
        return []
    numbers = [first]
    for job in schedule.then:
        follow = store.Asked(
            kind_of(job), JobConfig(), BY_THE_CLOCK, due, "schedule", f"{key}:{job}", (numbers[-1],)
        )
        number = store.submit(connection, follow)
        numbers += [] if number is None else [number]
    return numbers
