"""The section ``source`` of the settings: which database is read, by which mapping."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from schemas.mapping import Mapping, read_mapping


def this_process() -> str:
    """Name this process as an operator would look for it: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


class SourceSettings(BaseModel):
    """How one source is read. The password stands apart from ``url``, so that the URL may be shown.

    >>> SourceSettings(url="sqlite:///aos.db", mapping="aos.yaml").page_rows
    40000
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """SQLAlchemy URL without a password: ``mssql+pyodbc://reader@aos-host:1433/AOS``."""
    endpoints: tuple[str, ...] = ()
    """URLs of other servers of the same data, in the order in which to turn to them."""
    identity: str | None = Field(default=None, min_length=1)
    """Names the data where its copies cannot tell that they are the same, and vouches for them."""
    password: SecretStr = SecretStr("")
    mapping: Path
    validate_data: bool = True
    """Whether the stream judges what is read; see :meth:`schemas.mapping.Mapping.treated`."""
    clean_data: bool = True
    """Whether it corrects values."""
    page_rows: int = Field(default=40_000, ge=1, le=100_000)
    """Rows read at once; all that they hold becomes one Kafka transaction."""
    poll_seconds: float = Field(default=0.3, gt=0)
    """Wait after a round that found nothing new, while readings come."""
    idle_poll_seconds: float = Field(default=0.5, gt=0)
    """The longest such wait: a tenth of the time for which nothing has come, up to this."""
    schedule: Literal["continuous", "hourly", "daily"] = "continuous"
    """When increments are read; ``daily`` also reads the last days again."""
    schedule_at: str = Field(default="00:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """Time of day of a daily schedule; of an hourly one only the minute counts."""
    schedule_zone: str = "UTC"
    """Whose clock that is: an IANA name."""
    reread_days: int = Field(default=7, ge=0)
    """How many days before today, by observation time, a daily schedule reads again."""
    metadata_seconds: float = Field(default=300.0, gt=0)
    """How often stations, sensors and calibrations are read again."""
    login_timeout_seconds: int = Field(default=10, ge=1)
    query_timeout_seconds: int = Field(default=60, ge=1)
    lock_timeout_seconds: int = Field(default=10, ge=1)
    grace_seconds: float = Field(default=5.0, gt=0)
    """How long beyond its timeout a query may be silent before its connection is given up."""
    instance: str = Field(default_factory=this_process, min_length=1)
    """What another instance calls this one when it was taken over."""
    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    """Where Prometheus finds this stage: loopback, so another host only where this says so."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Its port for Prometheus; 0 takes a free one, none serves nothing."""

    @field_validator("schedule_zone")
    @classmethod
    def _zone_is_there(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            problem = f"there is no zone {name}"
            raise ValueError(problem) from error
        return name

    def read_mapping(self) -> Mapping:
        """Read the mapping, as what is read by it is to be treated.

        Raises:
            Configuration: it is not there, no YAML, or no mapping; the message says where.
        """
        found = read_mapping(self.mapping)
        return found.treated(validate=self.validate_data, clean=self.clean_data)
