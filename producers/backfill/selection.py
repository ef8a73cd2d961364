"""What of a table is asked for: the columns of some parameters, the rows of some stations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, String, bindparam

from producers.backfill.request import Request, unknown
from producers.connection.dialects import AnyType
from producers.cursors.values import id_reader
from producers.reading.tables import Types
from runtime.errors import Configuration
from schemas.mapping import AnyTable, LongTable, Mapping


class Part(NamedTuple):
    """A table as far as it is asked for; ``codes`` are those of a long table, empty for all."""

    table: AnyTable
    codes: tuple[str, ...]


def chosen(mapping: Mapping, request: Request) -> list[Part]:
    """Choose tables, and of each only the readings that are asked for.

    Raises:
        Configuration: a table or parameter is not in the mapping, or nothing is left.
    """
    parameters = {reading.parameter for table in mapping.tables for reading in table.readings}
    for wrong in (
        unknown("table", request.tables, (table.table for table in mapping.tables)),
        unknown("parameter", request.parameters, parameters),
    ):
        if wrong is not None:
            raise wrong
    tables = [t for t in mapping.tables if not request.tables or t.table in request.tables]
    parts = [_part(table, request.parameters) for table in tables]
    if not any(part.table.readings for part in parts):
        problem = "no table that was named holds such a parameter"
        raise Configuration(problem, mend="name other tables or parameters")
    return [part for part in parts if part.table.readings]


def rows_of(
    part: Part, source: FromClause, types: Types, stations: Sequence[str]
) -> list[ColumnElement[bool]]:
    """Give the conditions for the rows that are asked for; every value is a parameter.

    Raises:
        Configuration: stations of this table are numbers, and one that was named is none.
    """
    conditions = []
    if stations:
        conditions.append(_one_of(source, part.table.station, stations, types))
    if part.codes and isinstance(part.table, LongTable):
        conditions.append(_one_of(source, part.table.code, part.codes, types))
    return conditions


def _part(table: AnyTable, parameters: Sequence[str]) -> Part:
    if not parameters:
        return Part(table, ())
    readings = tuple(r for r in table.readings if r.parameter in parameters)
    codes = tuple(r.code for r in readings if r.code is not None)
    return Part(table.model_copy(update={"readings": readings}), codes)


def _one_of(
    source: FromClause, name: str, values: Iterable[str], types: Types
) -> ColumnElement[bool]:
    kind = types.get(name)
    return source.c[name].in_([_parameter(name, value, kind) for value in values])


def _parameter(name: str, value: str, kind: AnyType | None) -> ColumnElement[Any]:
    """Give a value in the column's own type, so that an index on the column serves."""
    try:
        read: Any = value if kind is None else id_reader(kind)(value)
    except (ArithmeticError, ValueError) as error:
        problem = f"column {name} holds numbers"
        option, mend = "--station", "name stations as this table does"
        raise Configuration.of(option, value, problem, mend=mend) from error
    return bindparam(None, read, type_=String() if kind is None else kind)
