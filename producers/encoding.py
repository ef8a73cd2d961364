"""The source's fast codec: raw readings of one parameter, a page of them at once.

An Avro record is nothing but its fields, one behind the other. What is constant for a sensor stands
first in our schemas, so its bytes are made once for a sensor; the fields behind it are encoded as
columns. The bytes are those of :class:`schemas.codec.Encoder`; a test holds the two together.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

import fastavro
import numpy as np

from runtime.errors import DataQuality
from schemas.avsc import load, without_logical_types
from schemas.columnar import Column, Numbers
from schemas.columnar_encoding import ColumnarEncoder, numbers_of, strings_of
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
        self._sensor = fastavro.parse_schema({**schema, "fields": schema["fields"][:first]})
        self._row = [_column_of(field) for field in schema["fields"][first:behind]]
        self._measures = [_column_of(field) for field in schema["fields"][behind:]]
        self._columns = ColumnarEncoder(schema, _FIRST_OF_ROW)
        self._header = frame(schema_id)
        self._heads: dict[tuple[str, str, str], tuple[bytes, bytes]] = {}

    def messages(self, readings: Sequence[RawReading]) -> list[Record]:
        """Encode readings.

        Raises:
            DataQuality: a reading does not fit the schema; the message names the field.
        """
        found = [self._head(reading) for reading in readings]
        rows = [reading.row for reading in readings]
        measures = [reading.measures for reading in readings]
        columns = {column.name: self._gathered(column, rows) for column in self._row}
        columns |= {column.name: self._gathered(column, measures) for column in self._measures}
        values = self._columns([head for _, head in found], columns)
        return [{"key": key, "value": value} for (key, _), value in zip(found, values, strict=True)]

    def _head(self, reading: RawReading) -> tuple[bytes, bytes]:
        sensor = reading.sensor
        known = (sensor["source_table"], sensor["sensor_id"], reading.row["op"])
        return self._heads.get(known) or self._new_head(known, reading)

    def _new_head(self, known: tuple[str, str, str], reading: RawReading) -> tuple[bytes, bytes]:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._sensor, reading.as_record())
        made = (reading.sensor["station_id"].encode(), self._header + out.getvalue())
        self._heads[known] = made
        return made

    def _gathered(self, column: _Column, parts: list[Record]) -> Column:
        try:
            return column.of(list(map(itemgetter(column.name), parts)))
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            problem = f"{column.name} does not fit schema {self._name}: {error}"
            raise DataQuality(problem, reason="does_not_fit_schema") from error


class _Column(NamedTuple):
    name: str
    kind: str

    def of(self, values: list[Any]) -> Column:
        """Make a column of the values of a field."""
        if self.kind == "string":
            return strings_of(values)
        if self.kind == "double":
            return numbers_of(values)
        return _longs_of(values)


def _column_of(field: Record) -> _Column:
    kind = field["type"]
    return _Column(field["name"], str(kind[1] if isinstance(kind, list) else kind))


def _longs_of(values: list[int | None]) -> Numbers:
    if None not in values:
        return Numbers(np.array(values, np.int64))
    present = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return Numbers(np.array([value or 0 for value in values], np.int64), present)
