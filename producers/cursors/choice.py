"""Which cursor a table is read by: the one that its mapping asks for, if the database has it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import FromClause
from sqlalchemy.dialects import mssql

from producers.connection.dialects import AnyType, dialect_of
from producers.cursors.change_tracking import ChangeTrackingCursor
from producers.cursors.interface import Cursor
from producers.cursors.keys import Key
from producers.cursors.numbers import IdCursor, RowversionCursor
from producers.cursors.timestamps import TimestampCursor, TimestampIdCursor
from schemas.cursors import Id, Rowversion, Timestamp, TimestampId
from schemas.mapping import AnyTable

_QUOTE = mssql.dialect().identifier_preparer.quote_identifier  # type: ignore[no-untyped-call]


def cursor_of(
    mapped: AnyTable, source: FromClause, database: str, types: Mapping[str, AnyType]
) -> Cursor:
    """Make the cursor that the mapping asks for.

    ``source`` is the very table that the readings are selected from: SQLAlchemy takes another one
    of the same name for another table, and joins the two. ``types`` are those of its columns.
    """
    how, dialect = mapped.cursor, dialect_of(database)
    if isinstance(how, TimestampId):
        kinds = types.get(how.column), types.get(how.id)
        return TimestampIdCursor(how, source, dialect, *kinds)
    if isinstance(how, Timestamp):
        return TimestampCursor(how, source, dialect, types.get(how.column))
    if isinstance(how, Id):
        return IdCursor(how, source, dialect, types.get(how.column))
    if isinstance(how, Rowversion):
        return RowversionCursor(how, source, dialect)
    key = Key(mapped.key, types, dialect)
    return ChangeTrackingCursor(how, source, quoted(mapped), key)


def cursor_of_nulls(
    mapped: AnyTable, source: FromClause, database: str, types: Mapping[str, AnyType]
) -> Cursor | None:
    """Make the cursor for the rows without a time, where the mapping wants them read by id."""
    how = mapped.cursor
    if not isinstance(how, TimestampId) or how.null_rows != "by_id":
        return None
    by_id = Id(
        mode="id",
        column=how.id,
        lag_seconds=how.lag_seconds,
        wait_seconds=how.wait_seconds,
        secondary_lag_seconds=how.secondary_lag_seconds,
    )
    only = source.c[how.column].is_(None)
    return IdCursor(by_id, source, dialect_of(database), types.get(how.id), only)


def quoted(mapped: AnyTable) -> str:
    """Give the table's name with its schema, quoted as SQL Server quotes."""
    names = [name for name in (mapped.db_schema, mapped.table) if name]
    return ".".join(_QUOTE(name) for name in names)
