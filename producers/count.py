"""Counting what a source holds, in SQL, for comparison with what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, FromClause, Select, func, literal, select

from producers.connection.database import reading
from producers.reading.identifiers import identifier
from producers.reading.tables import mapped_table
from schemas.mapping import AnyTable, LongTable, Mapping, Reading


@dataclass(frozen=True, slots=True)
class Held:
    """How much a source holds of one parameter.

    Attributes:
        readings: readings, counted as the source publishes them: one for each row and reading.
        keys: distinct pairs of sensor and source key among them.
    """

    readings: int
    keys: int


def count_readings(engine: Engine, mapping: Mapping) -> dict[str, Held]:
    """Count what the mapped tables hold of each parameter, whatever the cursor has read by now.

    Raises:
        Transient: the database does not answer.
        Configuration: a table or column is not there.
    """
    readings: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    with reading(engine, "counting readings") as connection:
        for table in mapping.tables:
            for parameter, held in _held(connection, table):
                readings[parameter] += held.readings
                keys[parameter] += held.keys
    return {parameter: Held(count, keys[parameter]) for parameter, count in readings.items()}


def _held(connection: Connection, table: AnyTable) -> Iterator[tuple[str, Held]]:
    source = mapped_table(table)
    rows = _by_code(connection, _rows(source, table))
    distinct = _by_code(connection, _keys(source, table))
    for mapped in table.readings:
        code = _code_of(mapped)
        yield mapped.parameter, Held(rows[code], distinct[code])


def _rows(source: FromClause, table: AnyTable) -> Select[Any]:
    """Select each code with its number of rows; a wide table is all of one code."""
    code = source.c[table.code] if isinstance(table, LongTable) else literal("")
    counting = select(code.label("code"), func.count().label("n")).select_from(source)
    return counting.group_by(source.c[table.code]) if isinstance(table, LongTable) else counting


def _keys(source: FromClause, table: AnyTable) -> Select[Any]:
    named = [table.station, *table.key]
    if isinstance(table, LongTable):
        named += [table.code, table.position] if table.position else [table.code]
    distinct = select(*(source.c[name] for name in dict.fromkeys(named))).distinct().subquery("d")
    return _rows(distinct, table)


def _by_code(connection: Connection, statement: Select[Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for code, rows in connection.execute(statement):
        found[identifier(code)] += rows
    return found


def _code_of(reading: Reading) -> str:
    return reading.code or ""
