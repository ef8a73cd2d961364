"""What a job is asked to do: the same fields for every job, of which each uses its own."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from producers.backfill.request import Span, spans_of
from runtime.errors import Configuration
from runtime.refusals import refusal
from weather.score_policy import QUALITY_THRESHOLD


class JobConfig(BaseModel):
    """The configuration of one job; what is not given follows from the job and its moment.

    >>> JobConfig.of({"stations": ["JFK"], "start": "2013-11-02", "end": "2013-11-04"}).stations
    ('JFK',)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    """What people call this run of the job."""
    stations: tuple[str, ...] = ()
    """Only these; none: all."""
    parameters: tuple[str, ...] = ()
    start: str | None = None
    """First observation time, by the clock of the source."""
    end: str | None = None
    """The end; itself not meant."""
    years: str | None = None
    """Whole years instead: 2013,2014."""
    days_back: int | None = Field(default=None, ge=1)
    """How many days before the job's moment, where start and end are not given."""
    batch_size: int | None = Field(default=None, ge=1, le=100_000)
    """Rows of a page, and so of a transaction."""
    rows_per_second: int | None = Field(default=None, ge=1)
    quality_threshold: float = Field(default=QUALITY_THRESHOLD, ge=0, le=1)
    """Stations with a score below it are named."""
    retry_failed: bool = True
    """What could not be read is tried again, as often as the queue allows."""
    skip_existing: bool = True
    """What the same job has published before is not read again."""
    validate_data: bool = True
    """Of an import: readings are judged, and it waits until they are, counts and scores them."""
    clean_data: bool = True
    """Of an import: the stream corrects values; else they stand as they were measured."""
    dry_run: bool | None = None
    """Only say what would be done."""
    repair: bool = False
    """What a comparison finds wrong is read once more."""

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Read it.

        Raises:
            Configuration: a field is wrong; the message names it, its value and the mend.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _refused(error) from error

    def spans(self) -> tuple[Span, ...]:
        """Give the stretches of time that were asked for by name; none: none was.

        Raises:
            Configuration: they name no stretch of time, or two ways at once.
        """
        if self.start is None and self.end is None and self.years is None:
            return ()
        return spans_of(self.start, self.end, self.years)

    def as_document(self) -> dict[str, Any]:
        """Give what was asked for, without what was not."""
        found: dict[str, Any] = json.loads(self.model_dump_json(exclude_defaults=True))
        return found


def _refused(error: ValidationError) -> Configuration:
    detail = error.errors()[0]
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        known = ", ".join(JobConfig.model_fields)
        return Configuration.of(
            "job", name, "no job has such a field", mend=f"name some of: {known}"
        )
    return Configuration.of(name, detail["input"], refusal(detail), mend="correct it")


def day_before(moment: datetime, days: int) -> tuple[datetime, datetime]:
    """Give the whole local days before the one of ``moment``: their start and their end.

    >>> day_before(datetime(2013, 11, 9, 0, 5), 7)[0].day
    2
    """
    end = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return end - timedelta(days=days), end
