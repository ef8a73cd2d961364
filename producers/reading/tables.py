"""Tables of a source: quoted into statements, and checked against the live database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnClause,
    Connection,
    FromClause,
    TableClause,
    column,
    func,
    inspect,
    literal,
    select,
    table,
)
from sqlalchemy.sql import quoted_name

from producers.connection.dialects import AnyType
from producers.reading.rows import columns_of
from runtime.errors import Configuration
from schemas.mapping import AnyTable, Mapping
from schemas.mapping_parts import Via

Types = dict[str, AnyType]


def source_table(name: str, columns: Iterable[str], schema: str | None = None) -> FromClause:
    """Give a table for use in statements, every name quoted, every value as the driver gives it.

    The alias keeps SQL Server from three-part column names, which it is giving up.
    """
    return _table(name, columns, schema).alias("aos")


def _table(name: str, columns: Iterable[str], schema: str | None) -> TableClause:
    quoted: list[ColumnClause[Any]] = [
        column(quoted_name(c, quote=True)) for c in dict.fromkeys(columns)
    ]
    prefix = quoted_name(schema, quote=True) if schema else None
    return table(quoted_name(name, quote=True), *quoted, schema=prefix)


def mapped_table(mapped: AnyTable) -> FromClause:
    """Give a table of readings with the columns that mapping and cursor need.

    Those that its rows have from elsewhere are put beside them, in a subquery that every database
    folds into the statement around it.
    """
    needed = _needed(mapped)
    via, constants = mapped.via, mapped.constants
    if via is None and not constants:
        return source_table(mapped.table, needed, mapped.db_schema)
    borrowed = set(via.columns if via else ()) | set(constants)
    own = source_table(mapped.table, _own(mapped), mapped.db_schema)
    chosen = [own.c[name] for name in dict.fromkeys(needed) if name not in borrowed]
    chosen += [literal(value).label(name) for name, value in constants.items()]
    if via is None:
        return select(*chosen).select_from(own).subquery("aos")
    known = _table(via.table, [via.key, *via.columns], via.db_schema or mapped.db_schema)
    other = known.alias("via")
    chosen += [other.c[name] for name in via.columns]
    beside = own.outerjoin(other, own.c[via.on] == other.c[via.key])
    return select(*chosen).select_from(beside).subquery("aos")


def _needed(mapped: AnyTable) -> list[str]:
    return [*columns_of(mapped), *mapped.cursor.columns]


def _own(mapped: AnyTable) -> list[str]:
    """Name the columns that the table itself has to have."""
    via = mapped.via
    borrowed = set(via.columns if via else ()) | set(mapped.constants)
    own = [name for name in _needed(mapped) if name not in borrowed]
    return [*own, via.on] if via else own


def check_mapping(connection: Connection, mapping: Mapping) -> dict[str, Types]:
    """Hold the mapping against the live database; give the types of each table's columns.

    Raises:
        Configuration: a table or column is not there.
    """
    _check_metadata(connection, mapping)
    return {mapped.table: _check_table(connection, mapped) for mapped in mapping.tables}


def _check_table(connection: Connection, mapped: AnyTable) -> Types:
    types = _check_columns(connection, mapped.table, mapped.db_schema, _own(mapped))
    if mapped.via is not None:
        _check_via(connection, mapped.via, mapped.via.db_schema or mapped.db_schema)
    return types


def _check_via(connection: Connection, via: Via, schema: str | None) -> None:
    """See that a row has at most one row over there: each further one would double its readings."""
    _check_columns(connection, via.table, schema, [via.key, *via.columns])
    key = source_table(via.table, [via.key], schema).c[via.key]
    twice = select(key).group_by(key).having(func.count() > 1).limit(1)
    if (found := connection.execute(twice).first()) is not None:
        problem = f"{via.key} {found[0]!r} stands more than once in {via.table}"
        raise _refused(problem, "go via a table or view whose key is unique")


def _check_metadata(connection: Connection, mapping: Mapping) -> None:
    for described in metadata_tables(mapping):
        _check_columns(connection, described.table, described.schema, described.columns.values())


class Described(NamedTuple):
    """A metadata table, and its columns by the names that the mapping has for them."""

    table: str
    schema: str | None
    columns: dict[str, str]


def metadata_tables(mapping: Mapping) -> list[Described]:
    """Give the metadata tables in the order station, sensor, calibration."""
    how = mapping.metadata
    parts = [how.stations, how.sensors, how.calibrations] if how else []
    return [
        Described(part.table, part.db_schema, _columns(part.model_dump()))
        for part in parts
        if part is not None
    ]


def _columns(described: dict[str, Any]) -> dict[str, str]:
    no_columns = {"table", "db_schema", "codes", "crs"}
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


def _refused(problem: str, mend: str) -> Configuration:
    return Configuration(f"setting source.mapping: {problem}", mend=f"correct the mapping; {mend}")
