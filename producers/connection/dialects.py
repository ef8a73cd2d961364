"""What each kind of database says differently: exact times as text, its clock, its identity.

A ``datetime2(7)`` has seven digits where Python's datetime has six, so times that decide what is
read next never become Python objects: the database writes them as text and reads that text again.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Protocol

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Select,
    String,
    TextClause,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect as SqlDialect
from sqlalchemy.types import TypeEngine

from runtime.errors import Configuration

Clock = Literal["utc", "local"]
_SQL_SERVER: Final[SqlDialect] = mssql.dialect()  # type: ignore[no-untyped-call]
AnyType = TypeEngine[Any]
AnyColumn = ColumnElement[Any]


class Dialect(Protocol):
    """What a cursor has to know of a database."""

    def exact(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """Give a time column as text, to its last digit."""

    def moment(self, time: str | ColumnElement[str], kind: AnyType | None) -> ColumnElement[Any]:
        """Give such a text as a parameter of the column's own type.

        The parameter is cast, not the column: an index on the column still serves, and ``datetime``
        against ``datetime2`` is not widened.
        """

    def now(self, clock: Clock, lag_seconds: float, kind: AnyType | None) -> ColumnElement[str]:
        """Give the database's own time ``lag_seconds`` ago, as text."""

    def value(self, value: object, kind: AnyType | None) -> Any:
        """Give any other value as a parameter that compares as the column does."""

    def whole_ties(self, statement: Select[Any], column: AnyColumn, rows: int) -> Select[Any]:
        """Bound an ordered statement to ``rows`` rows and all that tie with the last of them."""

    def coarseness(self, kind: AnyType | None) -> float:
        """Give the seconds that the type's rounding may move a time."""

    def identity(self) -> TextClause | None:
        """Ask which database this is; None where the URL alone says it."""


class SqlServer:
    """SQL Server; style 126 is ISO 8601 with every digit, independent of language settings."""

    _STYLE: Final[AnyColumn] = literal_column("126")
    _TEXT: Final[AnyColumn] = literal_column("varchar(33)")

    def exact(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """Give a time column as text, to its last digit."""
        return func.convert(self._TEXT, column, self._STYLE)

    def moment(self, time: str | ColumnElement[str], kind: AnyType | None) -> ColumnElement[Any]:
        """Give the parameter in the column's type; datetime2(7) where that is unknown."""
        written = _iso(time) if isinstance(time, str) else time
        return func.convert(self._type(kind), _parameter(written), self._STYLE)

    def value(self, value: object, kind: AnyType | None) -> Any:
        """Cast text to the column's own type: varchar and nvarchar are not ordered alike."""
        if not isinstance(kind, String) or not isinstance(value, str):
            return value
        return cast(_parameter(value), type(kind)(length=kind.length))

    def whole_ties(self, statement: Select[Any], column: AnyColumn, rows: int) -> Select[Any]:  # noqa: ARG002
        """Use TOP … WITH TIES."""
        return statement.fetch(rows, with_ties=True)

    def coarseness(self, kind: AnyType | None) -> float:
        """Give a minute for smalldatetime, which rounds by half of one."""
        return 60.0 if isinstance(kind, mssql.SMALLDATETIME) else 0.0

    def now(self, clock: Clock, lag_seconds: float, kind: AnyType | None) -> ColumnElement[str]:
        """Give the server's time in the column's type: ``datetime`` reads no more than 3 digits."""
        reading = func.sysutcdatetime() if clock == "utc" else func.sysdatetime()
        if isinstance(kind, mssql.DATETIMEOFFSET):
            reading = func.sysdatetimeoffset()
        ago: AnyColumn = literal_column(str(-round(lag_seconds * 1000)))
        earlier = func.dateadd(literal_column("millisecond"), ago, reading)
        return self.exact(func.convert(self._type(kind), earlier))

    def _type(self, kind: AnyType | None) -> AnyColumn:
        written = kind.compile(dialect=_SQL_SERVER) if kind is not None else "DATETIME2(7)"
        return literal_column(written)

    def identity(self) -> TextClause:
        """Ask for the broker id: the same on every replica, and any user may see it."""
        return text(
            "SELECT CONVERT(varchar(36), service_broker_guid) AS [identity] "
            "FROM sys.databases WHERE database_id = DB_ID()"
        )


class Postgres:
    """PostgreSQL: its microseconds survive a cast to text."""

    def exact(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """Give a time column as text, to its last digit."""
        return cast(column, String)

    def moment(self, time: str | ColumnElement[str], kind: AnyType | None) -> ColumnElement[Any]:
        """Give the parameter in the column's type."""
        return cast(_parameter(time), kind or TIMESTAMP())

    def value(self, value: object, kind: AnyType | None) -> Any:  # noqa: ARG002
        """Give the value as it is."""
        return value

    def whole_ties(self, statement: Select[Any], column: AnyColumn, rows: int) -> Select[Any]:  # noqa: ARG002
        """Use FETCH FIRST … WITH TIES."""
        return statement.fetch(rows, with_ties=True)

    def coarseness(self, kind: AnyType | None) -> float:  # noqa: ARG002
        """Give none."""
        return 0.0

    def now(self, clock: Clock, lag_seconds: float, kind: AnyType | None) -> ColumnElement[str]:
        """Give the server's time: the clock's, not that of the transaction's start."""
        aware = getattr(kind, "timezone", False)
        reading: ColumnElement[Any] = func.clock_timestamp()
        if not aware:
            zone = literal_column("'UTC'") if clock == "utc" else func.current_setting("TimeZone")
            reading = func.timezone(zone, reading)
        return cast(reading - func.make_interval(0, 0, 0, 0, 0, 0, lag_seconds), String)

    def identity(self) -> TextClause:
        """Ask for the numbers of cluster and database: the same on every physical replica."""
        return text(
            "SELECT system_identifier || '/' || oid AS identity "
            "FROM pg_control_system(), pg_database WHERE datname = current_database()"
        )


class Sqlite:
    """SQLite has no time type: times are text there, and compare as text."""

    def exact(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """Give the column as it is."""
        return column

    def moment(self, time: str | ColumnElement[str], kind: AnyType | None) -> ColumnElement[Any]:  # noqa: ARG002
        """Give the parameter as it is."""
        return _parameter(time)

    def value(self, value: object, kind: AnyType | None) -> Any:  # noqa: ARG002
        """Give the value as it is."""
        return value

    def whole_ties(self, statement: Select[Any], column: AnyColumn, rows: int) -> Select[Any]:
        """Look up the last value of the page first: SQLite has no WITH TIES."""
        page = statement.with_only_columns(column.label("aos_tie")).limit(rows).subquery()
        last = select(func.max(page.c.aos_tie)).scalar_subquery()
        return statement.where(column <= last)

    def coarseness(self, kind: AnyType | None) -> float:  # noqa: ARG002
        """Give none."""
        return 0.0

    def now(self, clock: Clock, lag_seconds: float, kind: AnyType | None) -> ColumnElement[str]:  # noqa: ARG002
        """Give the machine's time as SQLite itself writes times."""
        zone = ["localtime"] if clock == "local" else []
        return func.strftime("%Y-%m-%d %H:%M:%f", "now", f"{-lag_seconds:+.3f} seconds", *zone)

    def identity(self) -> None:
        """Its file is its identity."""
        return


def _iso(time: str) -> str:
    """Complete a time as people write it to what style 126 reads.

    >>> _iso("2013-01-01"), _iso("2013-01-01 06:30"), _iso("2013-01-01T06:30:00.1234567")
    ('2013-01-01T00:00:00', '2013-01-01T06:30:00', '2013-01-01T06:30:00.1234567')
    """
    return time.replace(" ", "T", 1) + "0000-01-01T00:00:00"[len(time) :]


def _parameter(time: str | ColumnElement[str]) -> ColumnElement[str]:
    if isinstance(time, ColumnElement):
        return time
    return bindparam(None, time, type_=String())


_DIALECTS: Final[dict[str, Dialect]] = {
    "mssql": SqlServer(),
    "postgresql": Postgres(),
    "sqlite": Sqlite(),
}


def dialect_of(name: str) -> Dialect:
    """Give the dialect by SQLAlchemy's name for it.

    Raises:
        Configuration: this kind of database is not known.
    """
    if name not in _DIALECTS:
        known = ", ".join(f"{known}://" for known in _DIALECTS)
        setting, problem = "source.url", "this kind of database is not known"
        raise Configuration.of(setting, f"{name}://", problem, mend=f"use {known}")
    return _DIALECTS[name]
