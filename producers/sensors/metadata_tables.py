"""Reading the metadata tables; they are small, so they are read whole."""

from __future__ import annotations

from sqlalchemy import Connection, select

from producers.reading.tables import Described, metadata_tables, source_table
from producers.sensors.metadata import Row, Rows
from schemas.mapping import Mapping


def read_metadata(connection: Connection, mapping: Mapping) -> Rows:
    """Read all rows of the metadata tables that the mapping names."""
    found = [_rows(connection, described) for described in metadata_tables(mapping)]
    return Rows(*found)


def _rows(connection: Connection, described: Described) -> list[Row]:
    table, schema, columns = described
    source = source_table(table, columns.values(), schema)
    chosen = [source.c[column].label(ours) for ours, column in columns.items()]
    return [row._asdict() for row in connection.execute(select(*chosen))]
