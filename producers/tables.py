"""Tables of a source: quoted into statements, and checked against the live database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnClause, Connection, FromClause, column, inspect, table
from sqlalchemy.sql import quoted_name

from producers.cursors import Cursor, TimestampIdCursor
from producers.dialects import AnyType, dialect_of
from producers.rows import columns_of
from runtime.errors import Configuration
from schemas.mapping import AnyTable, Mapping
from weather.zones import zone_of

Types = dict[str, AnyType]


def source_table(name: str, columns: Iterable[str], schema: str | None = None) -> FromClause:
    """Give a table for use in statements, every name quoted, every value as the driver gives it.

    The alias keeps SQL Server from three-part column names, which it is giving up.
    """
    quoted: list[ColumnClause[Any]] = [
        column(quoted_name(c, quote=True)) for c in dict.fromkeys(columns)
    ]
    prefix = quoted_name(schema, quote=True) if schema else None
    return table(quoted_name(name, quote=True), *quoted, schema=prefix).alias("aos")


def mapped_table(mapped: AnyTable) -> FromClause:
    """Give a table of readings with the columns that mapping and cursor need."""
    needed = [*columns_of(mapped), mapped.cursor.column, mapped.cursor.id]
    return source_table(mapped.table, needed, mapped.db_schema)


def cursor_of(mapped: AnyTable, source: FromClause, dialect: str, types: Types) -> Cursor:
    """Make the cursor that the mapping asks for.

    ``source`` is the very table that the readings are selected from: SQLAlchemy takes another one
    of the same name for another table, and joins the two. ``types`` are those of its columns.
    """
    time, row_id = types.get(mapped.cursor.column), types.get(mapped.cursor.id)
    return TimestampIdCursor(mapped.cursor, source, dialect_of(dialect), time, row_id)


def check_mapping(connection: Connection, mapping: Mapping) -> dict[str, Types]:
    """Hold the mapping against the live database; give the types of each table's columns.

    Raises:
        Configuration: a table or column is not there, a zone is none, or a table is mapped twice.
    """
    names = [mapped.table for mapped in mapping.tables]
    if twice := {name for name in names if names.count(name) > 1}:
        problem = f"table {min(twice)} is mapped twice"
        raise _refused(problem, "give all its readings in one place")
    for zone in _zones(mapping):
        _check_zone(zone)
    _check_metadata(connection, mapping)
    return {mapped.table: _check_table(connection, mapped) for mapped in mapping.tables}


def _check_table(connection: Connection, mapped: AnyTable) -> Types:
    needed = [*columns_of(mapped), mapped.cursor.column, mapped.cursor.id]
    return _check_columns(connection, mapped.table, mapped.db_schema, needed)


def _check_metadata(connection: Connection, mapping: Mapping) -> None:
    for described in metadata_tables(mapping):
        _check_columns(connection, described[0], None, described[1].values())


def metadata_tables(mapping: Mapping) -> list[tuple[str, dict[str, str]]]:
    """Give the metadata tables in the order station, sensor, calibration.

    Each is a name and its columns by the names that the mapping has for them.
    """
    how = mapping.metadata
    parts = [how.stations, how.sensors, how.calibrations] if how else []
    return [(part.table, _columns(part.model_dump())) for part in parts if part is not None]


def _columns(described: dict[str, Any]) -> dict[str, str]:
    no_columns = {"table", "codes", "crs"}
    return {k: v for k, v in described.items() if k not in no_columns and v is not None}


def _check_columns(
    connection: Connection, name: str, schema: str | None, needed: Iterable[str]
) -> Types:
    inspector = inspect(connection)
    there = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if name not in there:
        problem = f"there is no table {name}"
        raise _refused(problem, f"name one of: {', '.join(sorted(there)) or 'none'}")
    types: Types = {c["name"]: c["type"] for c in inspector.get_columns(name, schema)}
    if missing := [c for c in dict.fromkeys(needed) if c not in types]:
        problem = f"table {name} has no column {', '.join(missing)}"
        raise _refused(problem, f"name some of: {', '.join(types)}")
    return types


def _zones(mapping: Mapping) -> set[str]:
    metadata = {mapping.metadata.zone} if mapping.metadata else set()
    return {mapped.time.zone for mapped in mapping.tables} | metadata


def _check_zone(zone: str) -> None:
    try:
        zone_of(zone)
    except ValueError as error:
        raise _refused(str(error), "correct the zone") from error


def _refused(problem: str, mend: str) -> Configuration:
    return Configuration(f"setting source.mapping: {problem}", mend=f"correct the mapping; {mend}")
