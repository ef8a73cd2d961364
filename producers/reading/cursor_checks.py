"""Whether the live database can be read by the cursors of a mapping without losing a row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect

from producers.connection.server import check_cursor, held, server_of
from runtime.errors import Configuration
from schemas.cursors import ChangeTracking, TimestampId
from schemas.mapping import AnyTable, LongTable, Mapping


def check_cursors(connection: Connection, mapping: Mapping) -> None:
    """Hold the cursors of all tables against the database; it has the tables and columns.

    Raises:
        Configuration: a cursor would lose rows, or the database does not offer it.
    """
    for table in mapping.tables:
        check_cursor(server_of(connection), table)
        held(connection, table.cursor)
        _check_nulls(connection, table)
        if isinstance(table.cursor, ChangeTracking):
            _check_key(connection, table)


def _check_nulls(connection: Connection, table: AnyTable) -> None:
    """See that no row can be without a place in the order of the cursor."""
    how = table.cursor
    by_id = isinstance(how, TimestampId) and how.null_rows == "by_id"
    optional = _nullable(connection, table)
    for column in how.columns:
        if column in optional and not (by_id and column == how.columns[0]):
            problem = f"column {column} may be NULL, and rows without it would never be read"
            mend = f"ALTER TABLE … ALTER COLUMN {column} … NOT NULL, or choose another column"
            if _is_view(connection, table):
                mend = "map the table behind this view; a computed column does what the view does"
            if isinstance(how, TimestampId) and column == how.column:
                mend += ", or set cursor.null_rows: by_id"
            raise _refused(table, problem, mend)


def _nullable(connection: Connection, table: AnyTable) -> set[str]:
    """Name the columns that may be NULL; those of a primary key never are, whatever SQLite says."""
    inspector = inspect(connection)
    found: list[Any] = list(inspector.get_columns(table.table, table.db_schema))
    return {column["name"] for column in found if column["nullable"]} - set(_key(connection, table))


def _is_view(connection: Connection, table: AnyTable) -> bool:
    return table.table in inspect(connection).get_view_names(table.db_schema)


def _key(connection: Connection, table: AnyTable) -> list[str]:
    inspector = inspect(connection)
    return list(inspector.get_pk_constraint(table.table, table.db_schema)["constrained_columns"])


def _check_key(connection: Connection, table: AnyTable) -> None:
    """See that what is tracked of a row that is gone says which reading it was."""
    key = _key(connection, table)
    if set(table.key) != set(key):
        problem = f"change tracking tells {', '.join(key) or 'nothing'} of a row"
        raise _refused(table, problem, "name the columns of the primary key under key")
    untold = [column for column in natural_key(table) if column not in table.key]
    if untold and isinstance(table.cursor, ChangeTracking) and table.cursor.deletes == "publish":
        problem = f"of a deleted row only {', '.join(key)} is known, not {', '.join(untold)}"
        mend = "set cursor.deletes: ignore; reconciliation then finds rows that are gone"
        raise _refused(table, problem, mend)


def natural_key(table: AnyTable) -> list[str]:
    """Name the columns that say which reading of which sensor a row holds."""
    named = [table.station, *table.time.columns]
    if isinstance(table, LongTable):
        named += [table.code, table.position] if table.position else [table.code]
    return list(dict.fromkeys(named))


def _refused(table: AnyTable, problem: str, mend: str) -> Configuration:
    return Configuration(f"setting source.mapping: table {table.table}: {problem}", mend=mend)
