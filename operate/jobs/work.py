"""What the work of a job is given, what it counts while it goes on, and what it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from operate.jobs.config import JobConfig
from operate.settings import Settings
from sink.database import Database


@dataclass(slots=True)
class Metrics:
    """What one job counts; the fields have the names of the columns of ``ops.job_run``.

    Attributes:
        stage: what is being done.
        percent: how much of all is done; None where there is no telling.
        extracted: rows or readings that were read.
        transformed: readings that were made of them, or judged.
        loaded: readings that stand in the tables.
        failed: what could not be used, or is wrong.
        score: from 0 to 1, what the readings are worth.
    """

    stage: str = ""
    percent: float | None = None
    extracted: int | None = None
    transformed: int | None = None
    loaded: int | None = None
    failed: int | None = None
    score: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Give it by column."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the work of a job ended.

    Attributes:
        result: what it found, as JSON has it.
        left: what could not be done; a job with any has failed, or is tried again.
    """

    result: dict[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a job.

    The work looks at ``stop`` between its steps, and returns soon after it is set: the job was
    cancelled, or goes on in another process.

    Attributes:
        due: the moment the job is about: that of its schedule, or when it was asked for. It is the
            same in every attempt, so that what follows from it is, too.
        notes: what earlier attempts noted by ``note``.
        who: who asked.
    """

    settings: Settings
    config: JobConfig
    due: datetime
    who: str
    run_id: int
    database: Database
    stop: threading.Event
    notes: dict[str, Any]
    note: Callable[[str, Any], None]
    metrics: Metrics = field(default_factory=Metrics)

    def stage(self, name: str, percent: float | None = None) -> None:
        """Say what is done next."""
        self.metrics.stage, self.metrics.percent = name, percent
