"""The section ``jobs`` of the settings: what runs when, on which queue, by how many workers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from operate.jobs.cron import Cron


class Queue(StrEnum):
    """Work that does not wait for work of another kind: each queue has workers of its own."""

    INGESTION = "ingestion"
    QUALITY = "quality"
    MAINTENANCE = "maintenance"


class Missed(StrEnum):
    """What becomes of moments that passed while nobody looked."""

    LAST = "last"
    """The newest of them is made up for."""
    ALL = "all"
    """Each is made up for: a report of every week."""
    SKIP = "skip"
    """None is, unless it is no older than ``late_seconds``."""


class QueueSettings(BaseModel):
    """How many workers a queue has, and how often its jobs are tried again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: int = Field(default=0, ge=0)
    """Workers that are always there; the others come when jobs wait, and go when none does."""
    most: int = Field(default=1, ge=1)
    retries: int = Field(default=3, ge=0)
    """How often a job is tried again after a transient error."""
    retry_seconds: float = Field(default=60.0, ge=0)

    @model_validator(mode="after")
    def _least_is_least(self) -> QueueSettings:
        if self.least > self.most:
            problem = "least is to be no more than most"
            raise ValueError(problem)
        return self


class Schedule(BaseModel):
    """A job that comes by the clock; ``then`` are jobs that wait for it to succeed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    cron: str
    config: dict[str, Any] = {}
    missed: Missed = Missed.LAST
    then: tuple[str, ...] = ()

    @field_validator("cron")
    @classmethod
    def _cron_is_one(cls, text: str) -> str:
        return Cron(text, ZoneInfo("UTC")).expression


class Trigger(BaseModel):
    """A job that something in the stream starts; of one station no more than one ``within``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Literal["silence", "low_score"]
    job: str = "quality_check"
    config: dict[str, Any] = {}
    within_seconds: float = Field(default=6 * 3600.0, ge=0)
    most_per_hour: int = Field(default=10, ge=1)


SCHEDULES: Final[dict[str, Schedule]] = {
    "daily_import": Schedule(job="daily_import", cron="0 0 * * *"),
    "hourly_import": Schedule(job="hourly_import", cron="5 * * * *"),
    "reconcile": Schedule(job="reconcile", cron="0 3 * * *"),
    "quality_report": Schedule(job="quality_report", cron="0 6 * * 1", missed=Missed.ALL),
    "retention_cleanup": Schedule(job="retention_cleanup", cron="0 2 * * 0", missed=Missed.SKIP),
    "train_anomaly_model": Schedule(job="train_anomaly_model", cron="0 4 * * 0"),
}
_TRIGGERS: Final[dict[str, Trigger]] = {
    "silent_sensor": Trigger(on="silence", config={"days_back": 2}),
    "low_score": Trigger(on="low_score", config={"days_back": 2}),
}


class JobsSettings(BaseModel):
    """What ``aos jobs worker`` does.

    Schedules and triggers that are given stand beside those that are built in; null takes one away.

    >>> given = {"reconcile": None, "dawn": {"job": "quality_check", "cron": "0 5 * * *"}}
    >>> sorted(JobsSettings(schedules=given).schedules)[:2]
    ['daily_import', 'dawn']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str = "UTC"
    """Whose clock the schedules go by: an IANA name."""
    schedules: dict[str, Schedule] = SCHEDULES
    triggers: dict[str, Trigger] = _TRIGGERS
    queues: dict[Queue, QueueSettings] = {
        Queue.INGESTION: QueueSettings(most=2),
        Queue.QUALITY: QueueSettings(),
        Queue.MAINTENANCE: QueueSettings(),
    }
    late_seconds: float = Field(default=600.0, ge=0)
    """How late a moment may be that a schedule would else skip."""

    poll_seconds: float = Field(default=1.0, gt=0)
    """How often queues and schedules are looked at."""
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    stalled_seconds: float = Field(default=30.0, gt=0)
    """A worker that is silent for so long is gone: its job runs again."""
    most_kills: int = Field(default=5, ge=1)
    """A job whose workers were killed so often is given up: it may be the one that kills them."""

    import_increments: bool = False
    """Imports also read the increments, as the source does: where no source runs all the time."""
    import_workers: int = Field(default=2, ge=1)
    score_seconds: float = Field(default=300.0, gt=0)
    """How often the scores of the last hour are looked at."""
    retention_days: int = Field(default=365, ge=1)
    compliance_days: int = Field(default=365, ge=1)
    """Younger readings are never dropped, whatever a job is asked for."""
    retention_dry_run: bool = True
    """The schedule only says what it would drop, until this says otherwise."""

    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    """Where Prometheus finds ``aos jobs worker``."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Its port for Prometheus; 0 takes a free one, none serves nothing."""

    @field_validator("zone")
    @classmethod
    def _zone_is_there(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            problem = f"there is no zone {name}"
            raise ValueError(problem) from error
        return name

    @field_validator("schedules", "triggers", "queues", mode="before")
    @classmethod
    def _beside_those_built_in(cls, given: Any, info: Any) -> Any:
        if not isinstance(given, dict):
            return given
        both = {**cls.model_fields[info.field_name].default, **given}
        return {name: value for name, value in both.items() if value is not None}

    @model_validator(mode="after")
    def _alive_before_given_up(self) -> JobsSettings:
        if self.stalled_seconds < 2 * self.heartbeat_seconds:
            problem = "stalled_seconds is to be at least twice heartbeat_seconds"
            raise ValueError(problem)
        return self

    def cron(self, schedule: Schedule) -> Cron:
        """Give the moments of a schedule."""
        return Cron(schedule.cron, ZoneInfo(self.zone))
