"""Cursors: how increments of a table are found. Pure: they give SQL and binds, and take rows.

A cursor reads the table in keyset pages, from where it stands up to a *bound* that is asked of
the database before the read: beyond it, a transaction that is still open may yet put a row with an
older mark. Where it stands is a text, exactly as the database wrote it, and is stored with what was
read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import ColumnElement, FromClause, Integer, Numeric, Select, or_, select

from producers.dialects import AnyType, Dialect
from producers.times import version_of
from runtime.errors import AosError, Configuration
from schemas.mapping import Cursor as CursorMapping

_SKEW_SECONDS: Final = 60.0
Columns = Sequence[ColumnElement[Any]]


class Mark(NamedTuple):
    """What a row says: where it lets the cursor stand, its version, and what befell it."""

    position: str
    version: int
    op: str


class Doubt(NamedTuple):
    """Rows that this kind of cursor would read late or never, and what to do about them."""

    rows: ColumnElement[bool]
    problem: str
    mend: str


class Cursor(Protocol):
    """How increments of one table are found."""

    @property
    def mode(self) -> str:
        """Name of this kind of cursor."""

    @property
    def columns(self) -> Columns:
        """What it needs of every row; it is selected behind the columns of the readings."""

    def bound(self) -> Select[Any]:
        """Ask the database up to where it is safe to read by now: one row, one text."""

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next ``rows`` rows behind ``after`` (None: the first) and before ``until``.

        Raises:
            Configuration: ``after`` is not a position of such a cursor.
        """

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the cursor's own columns of a row.

        Raises:
            DataQuality: they do not hold what such a cursor lives on.
        """

    def behind(self, position: str, until: str) -> float:
        """Say by how many seconds a position lies before a bound."""

    def doubts(self) -> Sequence[Doubt]:
        """Name the rows that an operator should hear of at start."""


class TimestampIdCursor:
    """Reads by modification time; rows of one time are told apart by their id.

    A position is written ``time|id``. SQL Server compares no tuples, so the keyset is spelled out;
    its first term repeats what follows, and lets an index on (time, id) be sought.
    """

    mode: Final = "timestamp_id"

    def __init__(
        self,
        mapping: CursorMapping,
        table: FromClause,
        dialect: Dialect,
        time_type: AnyType | None = None,
        id_type: AnyType | None = None,
    ) -> None:
        self._mapping = mapping
        self._dialect = dialect
        self._time_type = time_type
        self._id_of = _id_reader(id_type)
        self._time = table.c[mapping.column]
        self._id = table.c[mapping.id]

    @property
    def columns(self) -> Columns:
        """Time as exact text, and id."""
        return (self._dialect.exact(self._time).label("aos_time"), self._id.label("aos_id"))

    def bound(self) -> Select[Any]:
        """Ask the database's own clock, less the lag."""
        clock, lag = self._mapping.clock, self._mapping.lag_seconds
        return select(self._dialect.now(clock, lag, self._time_type).label("bound"))

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next page; rows without a time are in none, see :meth:`doubts`."""
        statement = (
            select(*columns, *self.columns)
            .where(self._time < self._moment(until))
            .order_by(self._time, self._id)
            .limit(rows)
        )
        return statement if after is None else statement.where(*self._behind(after))

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read time and id of a row."""
        time, row_id = tail
        return Mark(f"{time}|{row_id}", version_of(time), "upsert")

    def behind(self, position: str, until: str) -> float:
        """Compare the times; a bound that moved back in the meantime counts as reached."""
        time, _ = self._split(position)
        return max(0.0, (version_of(until) - version_of(time)) / 1e6)

    def doubts(self) -> Sequence[Doubt]:
        """Name the rows without a time, which are never read, and those from the future."""
        clock = self._mapping.clock
        soon = self._dialect.now(clock, -_SKEW_SECONDS, self._time_type)
        return (
            Doubt(
                self._time.is_(None),
                f"have no {self._mapping.column}, so that no increment finds them",
                "fill the column, and let a default keep it filled",
            ),
            Doubt(
                self._time > self._moment(soon),
                f"are changed in the future by the database's {clock} clock, and wait for it",
                "see whether cursor.clock of the mapping is right: utc, or local",
            ),
        )

    def _behind(self, after: str) -> tuple[ColumnElement[bool], ...]:
        text, row_id = self._split(after)
        time = self._moment(text)
        return (self._time >= time, or_(self._time > time, self._id > row_id))

    def _split(self, position: str) -> tuple[str, object]:
        time, bar, row_id = position.partition("|")
        try:
            version_of(time)
            return time, self._id_of(row_id if bar else "no id")
        except (ArithmeticError, ValueError, AosError) as error:
            problem = f"the stored position {position!r} is none of a {self.mode} cursor"
            mend = "give the source a new name, or mend its record for this table"
            raise Configuration(problem, mend=mend) from error

    def _moment(self, text: str | ColumnElement[str]) -> ColumnElement[Any]:
        return self._dialect.moment(text, self._time_type)


def _id_reader(kind: AnyType | None) -> Callable[[str], object]:
    """Tell how the text of an id becomes an id again; without a known type it is a whole number."""
    if kind is None or isinstance(kind, Integer):
        return int
    return Decimal if isinstance(kind, Numeric) else str
