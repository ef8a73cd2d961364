"""Asking for jobs from Python: start one, wait for it, see what is at work, what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Self

from operate.audit import operator
from operate.jobs import store
from operate.jobs.catalogue import kind_of
from operate.jobs.config import JobConfig
from operate.jobs.scheduler import utc_now
from operate.jobs.supervisor import opened
from operate.settings import Settings, load
from sink.database import Database

_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """What is known of one run of a job, while it goes on and afterwards.

    Attributes:
        start, end: when it began and ended; None before that.
        stage: what is being done.
        status: waiting (for other runs), queued, running, succeeded, failed, cancelled.
        percent: how much of its stage is done; None where there is no telling.
        extracted: rows or readings read.
        transformed: readings made of them, or judged.
        loaded: readings that stand in the tables.
        failed: what could not be used, or is wrong.
        score: what the readings are worth, from 0 to 1.
        success_rate: the part of what was extracted that did not fail, from 0 to 1.
        errors: what went wrong, in each attempt: at, category, message.
    """

    run: int
    job: str
    name: str
    queue: str
    priority: int
    status: str
    stage: str
    percent: float | None
    attempt: int
    start: datetime | None
    end: datetime | None
    duration: timedelta | None
    extracted: int | None
    transformed: int | None
    loaded: int | None
    failed: int | None
    score: float | None
    success_rate: float | None
    errors: tuple[dict[str, Any], ...]
    config: dict[str, Any]
    who: str
    cause: str
    due: datetime
    asked: datetime
    after: tuple[int, ...]
    worker: str
    result: dict[str, Any] | None

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        """Read a row of ``ops.job_run``."""
        named: dict[str, Any] = {field.name: row.get(field.name) for field in fields(cls)}
        worker = f"{row['host']}:{row['pid']}" if row.get("host") else ""
        return cls(
            **named
            | {
                "run": row["run_id"],
                "start": row["started_at"],
                "end": row["finished_at"],
                "due": row["due_at"],
                "asked": row["asked_at"],
                "after": tuple(row["after_runs"]),
                "errors": tuple(row["errors"]),
                "worker": worker if row["status"] == "running" else "",
            }
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in store.ACTIVE

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON has it: times as text, durations in seconds."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


class Jobs:
    """Asks for jobs, and about them, on one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(
        self,
        job: str,
        config: JobConfig | None = None,
        *,
        after: Sequence[int] = (),
        priority: int | None = None,
        due: datetime | None = None,
        who: str | None = None,
    ) -> int:
        """Ask for a job; give the number of its run.

        ``after`` are runs that have to succeed first.

        Raises:
            Configuration: there is no such job, or no such run to wait for.
        """
        asked = store.Asked(
            kind_of(job),
            config or JobConfig(),
            who or operator(),
            due or utc_now(),
            after=tuple(after),
            priority=priority,
        )
        with self._database.transaction(f"asking for {job}") as connection:
            number = store.submit(connection, asked)
        if number is None:
            raise AssertionError
        return number

    def status(self, run: int) -> JobMetrics:
        """Tell of a run.

        Raises:
            Configuration: there is none of this number.
        """
        found = store.rows(self._database, run_id=run)
        if not found:
            raise store.unknown_run(run)
        return JobMetrics.of_row(found[0])

    def active(self) -> list[JobMetrics]:
        """Tell of all that wait or are at work, the newest first."""
        return self.history(status=store.ACTIVE, most=1000)

    def history(
        self, job: str | None = None, status: Sequence[str] | None = None, most: int = 50
    ) -> list[JobMetrics]:
        """Tell of the newest runs."""
        found = store.rows(self._database, job=job, status=status, most=most)
        return [JobMetrics.of_row(row) for row in found]

    def cancel(self, run: int, who: str | None = None) -> str:
        """Cancel a run; give how it stands.

        Raises:
            Configuration: there is none of this number.
        """
        return store.cancel(self._database, run, who or operator())

    def wait(
        self,
        run: int,
        stop: threading.Event | None = None,
        watcher: Callable[[JobMetrics], None] = lambda _metrics: None,
    ) -> JobMetrics:
        """Wait until a run is over, or ``stop`` is set; ``watcher`` is told how it goes on."""
        stop = stop or threading.Event()
        while not (found := self.status(run)).is_over and not stop.wait(_LOOK_SECONDS):
            watcher(found)
        watcher(found)
        return found


@contextmanager
def jobs(settings: Settings | None = None) -> Iterator[Jobs]:
    """Ask for jobs by these settings, else by those that AOS_CONFIG and the environment give.

    Raises:
        Configuration: a setting is wrong, or the database cannot be reached.
    """
    with opened(settings or load()) as database:
        yield Jobs(database)


def run_job(
    job: str, config: JobConfig | None = None, *, settings: Settings | None = None, **more: Any
) -> int:
    """Ask for a job; give the number of its run. See :meth:`Jobs.run` for ``more``."""
    with jobs(settings) as asking:
        return asking.run(job, config, **more)


def daily_update(
    *, stations: Sequence[str] = (), days_back: int = 7, settings: Settings | None = None
) -> int:
    """Ask for the last days to be read again; give the number of the run."""
    config = JobConfig(stations=tuple(stations), days_back=days_back)
    return run_job("daily_import", config, settings=settings)


def historical_backfill(
    *,
    stations: Sequence[str] = (),
    start: str | None = None,
    end: str | None = None,
    years: str | None = None,
    settings: Settings | None = None,
) -> int:
    """Ask for years or dates of history, by the source's clock; give the number of the run."""
    config = JobConfig(stations=tuple(stations), start=start, end=end, years=years)
    config.spans()
    return run_job("historical_backfill", config, settings=settings)


def active_jobs(settings: Settings | None = None) -> list[JobMetrics]:
    """Tell of all that wait or are at work."""
    with jobs(settings) as asking:
        return asking.active()


def status(run: int, settings: Settings | None = None) -> JobMetrics:
    """Tell of a run."""
    with jobs(settings) as asking:
        return asking.status(run)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    return list(value) if isinstance(value, tuple) else value
