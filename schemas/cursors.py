"""Cursors in the mapping: how the increments of a table are to be found.

Each kind is a part of its own, told apart by ``mode``; the names are those that dlt gave such
settings. What reads by them is in ``producers/cursors``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from schemas.mapping_parts import Part


def _as_written(value: object) -> object:
    """Give what YAML took for a date, a time or a number back as the text that it was."""
    if isinstance(value, date):
        text = str(value)
        return text if " " in text else f"{text} 00:00:00"
    return str(value) if isinstance(value, int) else value


Value = Annotated[str, BeforeValidator(_as_written), Field(min_length=1)]


class Kind(Part):
    """Base of all cursors."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that the cursor needs."""
        return ()


class Overlap(Part):
    """Every so often, look again at what changed lately, and publish what was not there before."""

    every_seconds: float = Field(default=300.0, gt=0)
    back_seconds: float = Field(gt=0, le=604_800)


class Ranged(Kind):
    """A cursor that walks along one column, from ``initial_value`` to ``end_value``.

    ``closed`` takes the value itself in, ``open`` leaves it out. Both are written as the database
    writes the column.
    """

    column: str
    initial_value: Value | None = None
    end_value: Value | None = None
    range_start: Literal["closed", "open"] = "closed"
    range_end: Literal["open", "closed"] = "open"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that the cursor needs."""
        return (self.column,)


class Lagged(Ranged):
    """A cursor whose bound is a guess: every transaction that writes has ended ``lag`` later.

    Where the database shows its open transactions, one that lasts longer is waited for, up to
    ``wait_seconds``.
    """

    lag_seconds: float = Field(default=5.0, ge=0, le=604_800)
    wait_seconds: float = Field(default=600.0, ge=0, le=604_800)
    secondary_lag_seconds: float | None = Field(default=None, gt=0, le=604_800)


class Timestamp(Lagged):
    """By modification time alone: a page ends behind a whole group of rows of one time.

    ``clock`` says what the column tells: UTC, or the wall clock of the database server.
    """

    mode: Literal["timestamp"]
    clock: Literal["utc", "local"] = "utc"
    overlap: Overlap | None = None


class TimestampId(Timestamp):
    """By modification time, ties broken by id.

    ``null_rows`` says what becomes of rows without a time: the table is refused, or they are read
    by their id.
    """

    mode: Literal["timestamp_id"] = "timestamp_id"  # type: ignore[assignment]
    id: str
    null_rows: Literal["refuse", "by_id"] = "refuse"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that the cursor needs."""
        return (self.column, self.id)


class Id(Lagged):
    """By a number that rises with every insert; rows never change."""

    mode: Literal["id"]


class Rowversion(Ranged):
    """By SQL Server's ``rowversion``; values are written like ``0x00000000000007D1``.

    The bound waits for every open transaction, however long; of one that lasts for more than
    ``wait_seconds`` the source warns.
    """

    mode: Literal["rowversion"]
    wait_seconds: float = Field(default=600.0, ge=0, le=604_800)


class ChangeTracking(Kind):
    """By SQL Server's change tracking: a snapshot of the table, then its changes and deletes.

    ``initial_value`` is a version to begin behind, without a snapshot.
    """

    mode: Literal["change_tracking"]
    initial_value: int | None = Field(default=None, ge=0)
    deletes: Literal["publish", "ignore"] = "publish"


AnyCursor = TimestampId | Timestamp | Id | Rowversion | ChangeTracking


def _mode_of(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("mode", "timestamp_id"))
    return str(getattr(value, "mode", "timestamp_id"))


Cursor = Annotated[
    Annotated[TimestampId, Tag("timestamp_id")]
    | Annotated[Timestamp, Tag("timestamp")]
    | Annotated[Id, Tag("id")]
    | Annotated[Rowversion, Tag("rowversion")]
    | Annotated[ChangeTracking, Tag("change_tracking")],
    Discriminator(_mode_of),
]
