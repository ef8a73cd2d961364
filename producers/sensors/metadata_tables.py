"""Reading the metadata tables; they are small, so they are read whole."""

from __future__ import annotations

from sqlalchemy import Connection, select

from producers.reading.identifiers import identifier
from producers.reading.tables import Described, metadata_tables, source_table
from producers.sensors.metadata import Row, Rows
from schemas.mapping import Mapping


def read_metadata(connection: Connection, mapping: Mapping) -> Rows:
    """Read all rows of the metadata tables that the mapping names."""
    stations, *others = [_rows(connection, table) for table in metadata_tables(mapping)] or [[]]
    if mapping.metadata is not None and mapping.metadata.sensors is None:
        return Rows(stations, supposed_sensors(stations, mapping))
    return Rows(stations, *others)


def supposed_sensors(stations: list[Row], mapping: Mapping) -> list[Row]:
    """Give every station the sensors that the readings of the mapping speak of.

    Of a long table that counts its sensors in a column, only the first of each kind can be known.
    """
    kinds = {(r.parameter, r.position or 1) for table in mapping.tables for r in table.readings}
    names = {identifier(station["station"]) for station in stations}
    return [
        {"key": f"{name}:{kind}:{n}", "station": name, "code": kind, "position": n}
        for name in sorted(names)
        for kind, n in sorted(kinds)
    ]


def _rows(connection: Connection, described: Described) -> list[Row]:
    table, schema, columns = described
    source = source_table(table, columns.values(), schema)
    chosen = [source.c[column].label(ours) for ours, column in columns.items()]
    return [row._asdict() for row in connection.execute(select(*chosen))]
