"""Rows of long tables whose code the mapping does not name: no stage ever sees them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from operate.demo.report import Unmapped
from producers.connection.database import open_engine, reading
from producers.reading.identifiers import identifier
from producers.reading.tables import mapped_table
from producers.settings import SourceSettings
from schemas.mapping import LongTable, read_mapping


def unmapped_rows(settings: SourceSettings) -> tuple[Unmapped, ...]:
    """Count them, by table and code.

    Raises:
        AosError: the database does not answer.
    """
    mapping = read_mapping(settings.mapping)
    engine = open_engine(settings)
    try:
        with reading(engine, "counting what is not mapped") as connection:
            long = [table for table in mapping.tables if isinstance(table, LongTable)]
            return tuple(found for table in long for found in _of(connection, table))
    finally:
        engine.dispose()


def _of(connection: Connection, table: LongTable) -> Iterator[Unmapped]:
    source = mapped_table(table)
    code = source.c[table.code]
    known = {reading.code for reading in table.readings}
    for found, rows in connection.execute(select(code, func.count()).group_by(code)):
        name = identifier(found)
        if name not in known:
            yield Unmapped(table.table, name or "null", rows)
