"""Increments by modification time, with and without an id that breaks ties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, FromClause, Select, or_, select

from producers.connection.dialects import AnyType, Dialect
from producers.cursors.interface import Columns, Doubt, Mark
from producers.cursors.marks import MarkColumns, Tail
from producers.cursors.values import bad_position, beginning, ending, id_reader
from producers.reading.time_columns import versions_of
from producers.reading.times import version_of
from producers.reading.values import kind_of, texts_of, wholes_of
from runtime.errors import AosError
from schemas.columnar_encoding import digits_of, side_by_side, strings_of
from schemas.cursors import Timestamp, TimestampId

_SKEW_SECONDS: Final = 60.0


class TimestampCursor:
    """Reads by modification time alone: a page takes in all rows of its last time.

    Rows of one time are then never parted, so none is lost between two pages; how many there are is
    for the table to say. A position is the time, as the database writes it.
    """

    mode: str = "timestamp"
    isolation: str | None = None

    def __init__(
        self,
        mapping: Timestamp,
        table: FromClause,
        dialect: Dialect,
        time_type: AnyType | None = None,
    ) -> None:
        self._mapping = mapping
        self._dialect = dialect
        self._time_type = time_type
        self._time = table.c[mapping.column]
        self._lag = max(mapping.lag_seconds, dialect.coarseness(time_type))

    @property
    def columns(self) -> Columns:
        """Time as exact text."""
        return (self._dialect.exact(self._time).label("aos_time"),)

    @property
    def lag_seconds(self) -> float:
        """Seconds by which the bound lies behind the database's clock."""
        return self._lag

    def bound(self, held: float = 0.0) -> Select[Any]:
        """Ask the database's own clock, less the lag."""
        clock = self._mapping.clock
        return select(self._dialect.now(clock, self._lag + held, self._time_type).label("bound"))

    def until(self, row: Sequence[Any], after: str, held: float) -> str | None:  # noqa: ARG002
        """Take the bound as it is; a clock that went back gives an empty page."""
        return str(row[0])

    def window(self, held: float, seconds: float) -> Select[Any]:
        """Ask for the time some seconds before the bound, where a second look begins."""
        return self.bound(held + seconds)

    def since(self, time: str) -> str:
        """Give the position before all rows of this time."""
        return f">={time}"

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next page and the rest of its last time; rows without a time are in none."""
        statement = self._between(columns, after, until).order_by(self._time)
        return self._dialect.whole_ties(statement, self._time, rows)

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the time of a row."""
        (time,) = tail
        return Mark(str(time), version_of(time), "upsert")

    def marks(self, tail: Tail) -> MarkColumns | None:
        """Read the times of a page."""
        (times,) = tail
        if None in times:
            return None
        try:
            texts = texts_of(times)
        except TypeError:  # not written as text
            return None
        return MarkColumns(texts, versions_of(texts))

    def settled(self, position: str, until: str) -> str:  # noqa: ARG002
        """Stay behind the last row: a bound is a guess, a row is not."""
        return position

    def behind(self, position: str, until: str) -> float:
        """Compare the times; a bound that moved back in the meantime counts as reached."""
        time = position.lstrip(">=").partition("|")[0]
        return max(0.0, (version_of(until) - version_of(time)) / 1e6)

    def doubts(self) -> Sequence[Doubt]:
        """Name the rows from the future."""
        clock = self._mapping.clock
        soon = self._dialect.now(clock, -_SKEW_SECONDS, self._time_type)
        return (
            Doubt(
                self._time > self._moment(soon),
                f"are changed in the future by the database's {clock} clock, and wait for it",
                "see whether cursor.clock of the mapping is right: utc, or local",
            ),
        )

    def _between(self, columns: Columns, after: str | None, until: str) -> Select[Any]:
        """Select what lies between two positions, and in the range of the mapping."""
        statement = select(*columns, *self.columns).where(self._time < self._moment(until))
        for condition in (*self._start(after), *ending(self._mapping, self._time, self._moment)):
            statement = statement.where(condition)
        return statement

    def _start(self, after: str | None) -> Sequence[ColumnElement[bool]]:
        if after is None:
            return beginning(self._mapping, self._time, self._moment)
        if after.startswith(">="):
            return (self._time >= self._moment(self._checked(after.removeprefix(">="), after)),)
        return self._behind(after)

    def _behind(self, after: str) -> Sequence[ColumnElement[bool]]:
        return (self._time > self._moment(self._checked(after, after)),)

    def _checked(self, time: str, position: str) -> str:
        try:
            version_of(time)
        except AosError as error:
            raise bad_position(self.mode, position) from error
        return time

    def _moment(self, text: str | ColumnElement[str]) -> ColumnElement[Any]:
        return self._dialect.moment(text, self._time_type)


class TimestampIdCursor(TimestampCursor):
    """Reads by modification time; rows of one time are told apart by their id.

    A position is written ``time|id``. SQL Server compares no tuples, so the keyset is spelled out;
    its first term repeats what follows, and lets an index on (time, id) be sought.
    """

    mode = "timestamp_id"

    def __init__(
        self,
        mapping: TimestampId,
        table: FromClause,
        dialect: Dialect,
        time_type: AnyType | None = None,
        id_type: AnyType | None = None,
    ) -> None:
        super().__init__(mapping, table, dialect, time_type)
        self._id_type = id_type
        self._id_of = id_reader(id_type)
        self._id = table.c[mapping.id]

    @property
    def columns(self) -> Columns:
        """Time as exact text, and id."""
        return (*super().columns, self._id.label("aos_id"))

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next page; rows without a time are in none."""
        return self._between(columns, after, until).order_by(self._time, self._id).limit(rows)

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read time and id of a row."""
        time, row_id = tail
        return Mark(f"{time}|{row_id}", version_of(time), "upsert")

    def marks(self, tail: Tail) -> MarkColumns | None:
        """Read times and ids of a page."""
        times, ids = tail
        found = super().marks([times])
        if found is None:
            return None
        bars = strings_of(["|"]).take(np.zeros(len(times), np.int64))
        digits = digits_of(wholes_of(ids)) if kind_of(ids) is int else None
        texts = strings_of(list(map(str, ids))) if digits is None else digits
        positions = side_by_side([found.positions, bars, texts])
        return found._replace(positions=positions, digits=digits)

    def _behind(self, after: str) -> Sequence[ColumnElement[bool]]:
        text, row_id = self._split(after)
        time = self._moment(text)
        behind = self._id > self._dialect.value(row_id, self._id_type)
        return (self._time >= time, or_(self._time > time, behind))

    def _split(self, position: str) -> tuple[str, object]:
        time, bar, row_id = position.partition("|")
        try:
            return self._checked(time, position), self._id_of(row_id if bar else "no id")
        except (ArithmeticError, ValueError) as error:
            raise bad_position(self.mode, position) from error
