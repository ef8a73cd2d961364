"""The source's fast codec: a raw reading in three parts, of which two are encoded once for many.

An Avro record is nothing but its fields, one behind the other. What is constant for a sensor stands
first in our schemas, then what all readings of a row share, then what was measured: so the bytes of
a reading are those of three smaller records, the first encoded once for a sensor, the second once
for a row. The bytes are those of :class:`schemas.codec.Encoder`; a test holds the two together.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import fastavro

from runtime.errors import DataQuality
from schemas.avsc import load, without_logical_types
from schemas.framing import frame

Record = dict[str, Any]
_FIRST_OF_ROW: Final = "observed_local"
_LAST_OF_ROW: Final = "extracted_at"


class RawReading(NamedTuple):
    """One raw reading; ``sensor`` and ``row`` are shared by all of that sensor and row."""

    sensor: Record
    row: Record
    measures: Record

    def as_record(self) -> Record:
        """Give the whole record."""
        return {**self.sensor, **self.row, **self.measures}


class ReadingEncoder:
    """Encodes raw readings of one schema under one registered id, as messages keyed by station."""

    def __init__(self, name: str, schema_id: int) -> None:
        schema = without_logical_types(load(name))
        names = [field["name"] for field in schema["fields"]]
        first, behind = names.index(_FIRST_OF_ROW), names.index(_LAST_OF_ROW) + 1
        self._name = name
        self._sensor = _part(schema, 0, first)
        self._row = _part(schema, first, behind)
        self._measures = _part(schema, behind, len(names))
        self._header = frame(schema_id)
        self._heads: dict[tuple[str, str, str], tuple[bytes, bytes]] = {}

    def messages(self, readings: Iterable[RawReading], rows: dict[int, bytes]) -> list[Record]:
        """Encode readings.

        ``rows`` remembers the bytes of rows by their identity; it lives as long as the page does,
        and serves all parameters of a page.

        Raises:
            DataQuality: a reading does not fit the schema; the message names the field.
        """
        return [self._message(reading, rows) for reading in readings]

    def _message(self, reading: RawReading, rows: dict[int, bytes]) -> Record:
        sensor, row, measures = reading
        known = (sensor["source_table"], sensor["sensor_id"], row["op"])
        key, head = self._heads.get(known) or self._head(known, reading)
        middle = rows.get(id(row))
        if middle is None:
            middle = rows[id(row)] = self._encode(self._row, row)
        return {"key": key, "value": head + middle + self._encode(self._measures, measures)}

    def _head(self, known: tuple[str, str, str], reading: RawReading) -> tuple[bytes, bytes]:
        head = self._header + self._encode(self._sensor, reading.as_record())
        self._heads[known] = made = (reading.sensor["station_id"].encode(), head)
        return made

    def _encode(self, schema: Any, record: Mapping[str, Any]) -> bytes:
        out = io.BytesIO()
        try:
            fastavro.schemaless_writer(out, schema, record)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            problem = f"the reading does not fit schema {self._name}: {error}"
            raise DataQuality(problem, reason="does_not_fit_schema") from error
        return out.getvalue()


def _part(schema: Record, first: int, behind: int) -> Any:
    """Give the schema of some of a record's fields."""
    return fastavro.parse_schema({**schema, "fields": schema["fields"][first:behind]})
