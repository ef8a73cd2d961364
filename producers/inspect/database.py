"""The queries of an inspection: SELECT only, each with an end to its time and to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    func,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from producers.connection.dialects import dialect_of
from producers.connection.endpoints import Endpoints
from producers.inspect.asking import ask, bounded, quiet
from producers.inspect.catalogue import Catalogue, Column, Reader, RowCount, Table, first_line
from producers.inspect.names import meaning
from producers.reading.tables import source_table
from runtime.errors import AosError

_COUNTED: Final = 1_000_000
_SORTED: Final = 200_000
_CELLS: Final = 1_000_000
_NOT_NOW: Final = (SQLAlchemyError, AosError)
_REFUSED: Final = (*_NOT_NOW, LookupError, TypeError, ValueError, OverflowError)
_SYSTEM: Final = {
    "information_schema", "pg_catalog", "sys", "guest", "INFORMATION_SCHEMA", "db_owner",
    "db_accessadmin", "db_securityadmin", "db_ddladmin", "db_backupoperator", "db_datareader",
    "db_datawriter", "db_denydatareader", "db_denydatawriter",
}  # fmt: skip
_ESTIMATES: Final = {
    "postgresql": "SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)",
    "mssql": (
        "SELECT SUM(rows) FROM sys.partitions "
        "WHERE object_id = OBJECT_ID(:name) AND index_id IN (0, 1)"
    ),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a table, newest first where ``order`` names the columns that say so.

    Attributes:
        columns: values by column.
        rows: how many there are.
        order: by what they were chosen; empty if by nothing.
        whole: they are all rows of the table.
        problem: why there are none.
    """

    columns: dict[str, list[Any]]
    rows: int
    order: str
    whole: bool
    problem: str = ""


def look(database: Endpoints, schemas: Sequence[str | None]) -> Catalogue:
    """Name all tables and views; those of ``schemas``, or else of all that are not the server's.

    Raises:
        Transient: the database does not answer.
        Configuration: it refuses us.
    """

    def names(connection: Connection) -> Catalogue:
        seen = Catalogue(database.dialect)
        asking = _reader(connection)
        seen.tables = list(asking.names(schemas or _schemas(connection), seen.unseen))
        return seen

    with quiet():
        return database.ask("looking at the source", names)


def describe(database: Endpoints, table: Table, seconds: float) -> None:
    """Fill in what the catalogue says of a table, and its number of rows."""

    def fill(connection: Connection) -> Table:
        described = replace(table, unseen=[*table.unseen])
        with bounded(connection, seconds):
            _reader(connection).fill(described)
        return described

    def count(connection: Connection) -> RowCount:
        with bounded(connection, seconds):
            return _count(connection, table)

    try:
        with quiet():
            told = ask(database, f"describing {table.full_name}", fill)
        for each in fields(Table):
            setattr(table, each.name, getattr(told, each.name))
    except _NOT_NOW as error:
        table.unseen.append(f"its description: {first_line(error)}")
    try:
        table.count = ask(database, f"counting {table.full_name}", count)
    except _NOT_NOW as error:
        table.unseen.append(f"its number of rows: {first_line(error)}")


def sample(database: Endpoints, table: Table, most: int, seconds: float) -> Sample:
    """Take the newest rows; of columns whose type a driver may choke on, none."""
    columns = [c for c in table.columns if c.kind not in {"other", "version"}]
    table.unseen += [
        f"the values of {c.name}: the type {c.type} is not looked into"
        for c in table.columns
        if c.kind == "other"
    ]
    if not columns:
        return Sample({}, 0, "", whole=False, problem="no column that could be read")
    rows = max(100, min(most, _CELLS // len(columns)))
    try:
        return _sample(database, table, columns, rows, seconds)
    except _REFUSED:
        return _sample_as_text(database, table, columns, rows, seconds)


def _sample_as_text(
    database: Endpoints, table: Table, columns: list[Column], rows: int, seconds: float
) -> Sample:
    """Try once more with times as text: a driver may choke on those of the far future."""
    try:
        return _sample(database, table, columns, rows, seconds, times_as_text=True)
    except _REFUSED as error:
        table.unseen.append(f"its rows: {first_line(error)}")
        return Sample({}, 0, "", whole=False, problem=first_line(error))


def _sample(
    database: Endpoints,
    table: Table,
    columns: list[Column],
    rows: int,
    seconds: float,
    *,
    times_as_text: bool = False,
) -> Sample:
    source = source_table(table.name, [c.name for c in columns], table.schema)
    dialect = database.dialect
    chosen = [_readable(source, c, dialect, times_as_text=times_as_text) for c in columns]
    order = _order(table)
    statement: Select[Any] = select(*chosen).limit(rows + 1)
    statement = statement.order_by(*(source.c[name].desc() for name in order))

    def rows_of(connection: Connection) -> Sequence[Row[Any]]:
        with bounded(connection, seconds):
            return connection.execute(statement).all()

    found = ask(database, f"looking into {table.full_name}", rows_of)
    taken = found[:rows]
    values = {c.name: [row[i] for row in taken] for i, c in enumerate(columns)}
    return Sample(values, len(taken), ", ".join(order), whole=len(found) <= rows)


def _order(table: Table) -> tuple[str, ...]:
    """Find what puts the newest rows first without a sort that would hurt the source."""
    small = table.count is not None and table.count.exact and table.count.rows <= _SORTED
    key = table.primary_key
    numbers = [c.name for c in table.columns if c.kind == "number"]
    times = [c.name for c in table.columns if c.kind == "time" and table.leads_an_index(c.name)]
    changed = [name for name in times if meaning(name, ["modified"])]
    if changed:
        return (changed[0],)
    if len(key) == 1 and key[0] in numbers:
        return key
    if times:
        return (times[-1],)
    return key if small else ()


def _readable(
    source: FromClause, column: Column, dialect: str, *, times_as_text: bool
) -> ColumnElement[Any]:
    """Select a column; SQL Server's times with an offset as text, which every driver can fetch."""
    plain = source.c[column.name]
    as_text = (dialect == "mssql" and column.has_zone) or (
        times_as_text and column.kind in {"time", "date"}
    )
    return dialect_of(dialect).exact(plain).label(column.name) if as_text else plain


def _count(connection: Connection, table: Table) -> RowCount:
    estimate = None if table.is_view else _estimate(connection, table)
    if estimate is not None and estimate > _COUNTED:
        return RowCount(estimate, "estimated by the catalogue")
    source = source_table(table.name, [c.name for c in table.columns[:1]], table.schema)
    some = select(literal(1).label("one")).select_from(source).limit(_COUNTED + 1).subquery("some")
    rows = int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return RowCount(min(rows, _COUNTED), "counted" if rows <= _COUNTED else "at least")


def _estimate(connection: Connection, table: Table) -> int | None:
    asked = _ESTIMATES.get(connection.dialect.name)
    if asked is None:
        return None
    quote = connection.dialect.identifier_preparer.quote_identifier
    name = ".".join(quote(part) for part in (table.schema, table.name) if part)
    found = connection.execute(text(asked), {"name": name}).scalar()
    return None if found is None or found < 0 else int(found)


def _reader(connection: Connection) -> Reader:
    return Reader(inspect(connection), connection.dialect, (SQLAlchemyError, LookupError))


def _schemas(connection: Connection) -> Sequence[str | None]:
    """Name the schemas; the default one by None, so that a mapping need not say it."""
    asking = inspect(connection)
    default = asking.default_schema_name
    if connection.dialect.name == "sqlite":
        return [None]
    others = [n for n in asking.get_schema_names() if n != default and n not in _SYSTEM]
    return [None, *(n for n in others if not n.startswith(("pg_", "_timescaledb")))]
