"""The section ``sink`` of the settings."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_MEBIBYTE: Final = 1024 * 1024


class Conflict(StrEnum):
    """What to do with a reading whose key is in the table already."""

    UPDATE = "update"
    """The newer of the two stays, by source version and revision."""
    SKIP = "skip"
    """The one that is there stays."""


class SinkSettings(BaseModel):
    """Where the sink loads to, and in which pieces.

    A password in ``database_url`` is moved to ``password`` at once, so that the URL may be printed.

    >>> found = SinkSettings(database_url="postgresql://aos:s%3Acret@db:5432/weather")
    >>> found.database_url, found.password.get_secret_value()
    ('postgresql://aos@db:5432/weather', 's:cret')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = "postgresql://aos@127.0.0.1:5432/aos"
    password: SecretStr = SecretStr("")
    connect_timeout_seconds: int = Field(default=10, ge=1)
    migrate_at_start: bool = True
    """Bring the tables up to date at start; off where a role of its own migrates."""

    group: str = Field(default="aos-sink", min_length=1)
    instance_id: str = ""
    """Static membership: a sink that restarts under the same id causes no rebalance."""
    session_timeout_seconds: float = Field(default=45.0, ge=1)
    poll_interval_seconds: float = Field(default=300.0, ge=1)
    revoke_seconds: float = Field(default=10.0, ge=0)
    """How long a batch may go on when one of its partitions is taken away."""

    connections: int = Field(default=1, ge=1, le=6)
    """How many parameters of a batch are loaded at once, each in a transaction of its own."""
    batch_rows: int = Field(default=20_000, ge=1)
    batch_bytes: int = Field(default=16 * _MEBIBYTE, ge=1)
    batch_seconds: float = Field(default=0.5, gt=0)
    conflict: Conflict = Conflict.UPDATE
    retry_seconds: float = Field(default=10.0, gt=0)
    """The longest pause between two tries while the database is away."""

    chunk_days: int = Field(default=7, ge=1)
    """Of how many days a chunk holds the readings; `aos inspect` recommends a number."""
    compress_after_days: int | None = Field(default=30, ge=1)
    """When a chunk is compressed; none: never."""
    keep_days: int | None = Field(default=None, ge=1)
    """When readings are dropped; none: never. Aggregates stay."""
    ledger_days: int = Field(default=30, ge=1)
    """When the ledger of batches is dropped."""
    migrator_role: str = Field(default="aos_migrator", min_length=1)
    writer_role: str = Field(default="aos_writer", min_length=1)
    reader_role: str = Field(default="aos_reader", min_length=1)

    @model_validator(mode="after")
    def _revoke_before_thrown_out(self) -> Self:
        if not self.revoke_seconds < self.poll_interval_seconds >= self.session_timeout_seconds:
            problem = (
                "poll_interval_seconds is to be above revoke_seconds, "
                "and session_timeout_seconds at least"
            )
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _aggregate_before_dropping(self) -> Self:
        if self.keep_days is not None and self.keep_days < self.chunk_days + 4:
            problem = "keep_days is to be at least chunk_days + 4"
            raise ValueError(problem)
        return self

    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    """Where Prometheus finds this stage: loopback, so another host only where this says so."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Its port for Prometheus; 0 takes a free one, none serves nothing."""

    @model_validator(mode="before")
    @classmethod
    def _hide_password(cls, given: object) -> object:
        if not isinstance(given, dict) or not isinstance(given.get("database_url"), str):
            return given
        parts = urlsplit(given["database_url"])
        if not parts.password:
            return given
        address = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"{quote(unquote(parts.username or ''))}@{address}").geturl()
        return {"password": unquote(parts.password), **given, "database_url": url}
