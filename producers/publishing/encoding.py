"""The source's fast codec: raw readings of one parameter, a page of them at once.

An Avro record is nothing but its fields, one behind the other. What is constant for a sensor stands
first in our schemas, so its bytes are made once for a sensor; the fields behind it are encoded as
columns. The bytes are those of :class:`schemas.codec.Encoder`; a test holds the two together.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import fastavro
import numpy as np

from runtime.errors import DataQuality
from schemas.avsc import load, without_logical_types
from schemas.columnar import Column, Numbers
from schemas.columnar_encoding import ColumnarEncoder, numbers_of, strings_of
from schemas.framing import frame

Record = dict[str, Any]
_FIRST_OF_ROW: Final = "observed_local"


class RawReading(NamedTuple):
    """One raw reading; ``sensor`` and ``row`` are shared by all of that sensor and row."""

    sensor: Record
    row: Record
    measures: Record

    def as_record(self) -> Record:
        """Give the whole record."""
        return {**self.sensor, **self.row, **self.measures}


@runtime_checkable
class Columns(Protocol):
    """Readings of one parameter whose fields can be had as columns."""

    @property
    def sensors(self) -> Sequence[Record]:
        """The sensor of each reading."""

    def column(self, name: str) -> Sequence[Any]:
        """Give a field of all readings."""


class Gathered:
    """Gathers the columns of readings that stand one by one."""

    def __init__(self, readings: Sequence[RawReading]) -> None:
        self.sensors = [reading.sensor for reading in readings]
        self._parts = [{**reading.row, **reading.measures} for reading in readings]

    def column(self, name: str) -> Sequence[Any]:
        """Give a field of all readings."""
        return list(map(itemgetter(name), self._parts))


class ReadingEncoder:
    """Encodes raw readings of one schema under one registered id, as messages keyed by station."""

    def __init__(self, name: str, schema_id: int) -> None:
        schema = without_logical_types(load(name))
        names = [field["name"] for field in schema["fields"]]
        first = names.index(_FIRST_OF_ROW)
        self._name = name
        self._sensor = fastavro.parse_schema({**schema, "fields": schema["fields"][:first]})
        self._fields = [_column_of(field) for field in schema["fields"][first:]]
        self._columns = ColumnarEncoder(schema, _FIRST_OF_ROW)
        self._header = frame(schema_id)
        self._heads: dict[tuple[str, str, str], tuple[bytes, bytes]] = {}

    def messages(self, readings: Sequence[RawReading]) -> list[Record]:
        """Encode readings.

        Raises:
            DataQuality: a reading does not fit the schema; the message names the field.
        """
        page = readings if isinstance(readings, Columns) else Gathered(readings)
        found = list(map(self._head, page.sensors, page.column("op")))
        columns = {
            column.name: self._made(column, page.column(column.name)) for column in self._fields
        }
        values = self._columns([head for _, head in found], columns)
        return [{"key": key, "value": value} for (key, _), value in zip(found, values, strict=True)]

    def _head(self, sensor: Record, op: str) -> tuple[bytes, bytes]:
        known = (sensor["source_table"], sensor["sensor_id"], op)
        return self._heads.get(known) or self._new_head(known, sensor)

    def _new_head(self, known: tuple[str, str, str], sensor: Record) -> tuple[bytes, bytes]:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._sensor, {**sensor, "op": known[-1]})
        made = (sensor["station_id"].encode(), self._header + out.getvalue())
        self._heads[known] = made
        return made

    def _made(self, column: _Column, values: Sequence[Any]) -> Column:
        try:
            return column.of(values)
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            problem = f"{column.name} does not fit schema {self._name}: {error}"
            raise DataQuality(problem, reason="does_not_fit_schema") from error


class _Column(NamedTuple):
    name: str
    kind: str

    def of(self, values: Sequence[Any]) -> Column:
        """Make a column of the values of a field."""
        if self.kind == "string":
            return strings_of(values)
        if self.kind == "double":
            return numbers_of(values)
        return _longs_of(values)


def _column_of(field: Record) -> _Column:
    kind = field["type"]
    return _Column(field["name"], str(kind[1] if isinstance(kind, list) else kind))


def _longs_of(values: Sequence[int | None]) -> Numbers:
    if None not in values:
        return Numbers(np.array(values, np.int64))
    present = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return Numbers(np.array([value or 0 for value in values], np.int64), present)
