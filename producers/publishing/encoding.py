"""The source's fast codec: raw readings of one parameter, a page of them at once.

An Avro record is nothing but its fields, one behind the other. What is constant for a sensor stands
first in our schemas, so its bytes are made once for a sensor; the fields behind it are encoded as
columns. The bytes are those of :class:`schemas.codec.Encoder`; a test holds the two together.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import fastavro
import numpy as np

from runtime.errors import DataQuality
from schemas.avsc import load, without_logical_types
from schemas.columnar import Column, Integers, Keyed, Mask, Numbers, Strings, packed
from schemas.columnar_encoding import (
    ColumnarEncoder,
    numbers_of,
    side_by_side,
    strings_of,
)
from schemas.framing import frame

Record = dict[str, Any]
_FIRST_OF_ROW: Final = "observed_local"
_LAST_OF_ROW: Final = "extracted_at"
_OPS: Final = ("upsert", "delete")


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
        """Sensors, each once."""

    @property
    def numbers(self) -> Integers:
        """Which of them each reading is of."""

    @property
    def deleted(self) -> Mask | None:
        """Which readings are deleted; None: none is."""

    @property
    def measures(self) -> Mapping[str, Column]:
        """What was measured, by field."""

    def row_bytes(self, encoder: ColumnarEncoder) -> Strings:
        """Give what the row of each reading says, encoded."""


class Gathered:
    """Gathers the columns of readings that stand one by one.

    Raises:
        DataQuality: a value does not fit the schema; the message names the field.
    """

    def __init__(self, readings: Sequence[RawReading], name: str, kinds: dict[str, str]) -> None:
        self.sensors = [reading.sensor for reading in readings]
        self.numbers: Integers = np.arange(len(readings))
        self.deleted = np.array([reading.row["op"] == "delete" for reading in readings], np.bool_)
        self._name = name
        parts = [{**reading.row, **reading.measures} for reading in readings]
        self.measures = {
            field: self._made(field, kind, [part[field] for part in parts])
            for field, kind in kinds.items()
        }

    def row_bytes(self, encoder: ColumnarEncoder) -> Strings:
        """Give what the row of each reading says, encoded."""
        return encoder.piece(self.measures)

    def _made(self, field: str, kind: str, values: Sequence[Any]) -> Column:
        try:
            return _column(kind, values)
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            problem = f"{field} does not fit schema {self._name}: {error}"
            raise DataQuality(problem, reason="does_not_fit_schema") from error


class ReadingEncoder:
    """Encodes raw readings of one schema under one registered id, as messages keyed by station."""

    def __init__(self, name: str, schema_id: int) -> None:
        schema = without_logical_types(load(name))
        names = [field["name"] for field in schema["fields"]]
        first = names.index(_FIRST_OF_ROW)
        self._name = name
        self._sensor = fastavro.parse_schema({**schema, "fields": schema["fields"][:first]})
        self._kinds = {field["name"]: _kind(field["type"]) for field in schema["fields"][first:]}
        behind = names[names.index(_LAST_OF_ROW) + 1]
        self._rows = ColumnarEncoder(schema, _FIRST_OF_ROW, behind)
        self._measures = ColumnarEncoder(schema, behind)
        self._header = frame(schema_id)
        self._heads: dict[tuple[int, int], tuple[bytes, bytes, Record]] = {}

    def messages(self, readings: Sequence[RawReading]) -> Keyed:
        """Encode readings.

        Raises:
            DataQuality: a reading does not fit the schema; the message names the field.
        """
        if not readings:
            return Keyed.of([])
        page = (
            readings
            if isinstance(readings, Columns)
            else Gathered(readings, self._name, self._kinds)
        )
        known, heads = self._heads_of(page)
        pieces = [
            packed([head for _, head, _ in known]).take(heads),
            page.row_bytes(self._rows),
            self._measures.piece(page.measures),
        ]
        return Keyed(packed([key for key, _, _ in known]).take(heads), side_by_side(pieces))

    def _heads_of(self, page: Columns) -> tuple[list[tuple[bytes, bytes, Record]], Integers]:
        """Give the heads of a page, each once, and which of them each reading has."""
        wanted = page.numbers * 2 if page.deleted is None else page.numbers * 2 + page.deleted
        used = np.flatnonzero(np.bincount(wanted))
        place = np.empty(int(used[-1]) + 1, np.int64)
        place[used] = np.arange(len(used))
        heads = [self._head(page.sensors[number // 2], number % 2) for number in used.tolist()]
        return heads, place[wanted]

    def _head(self, sensor: Record, op: int) -> tuple[bytes, bytes, Record]:
        return self._heads.get((id(sensor), op)) or self._new_head(sensor, op)

    def _new_head(self, sensor: Record, op: int) -> tuple[bytes, bytes, Record]:
        """Encode a sensor; it is kept, so that no other may come to have its identity."""
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._sensor, {**sensor, "op": _OPS[op]})
        made = (sensor["station_id"].encode(), self._header + out.getvalue(), sensor)
        self._heads[id(sensor), op] = made
        return made


def _kind(kind: Any) -> str:
    return str(kind[1] if isinstance(kind, list) else kind)


def _column(kind: str, values: Sequence[Any]) -> Column:
    if kind == "string":
        return strings_of(values)
    if kind == "double":
        return numbers_of(values)
    if None not in values:
        return Numbers(np.array(values, np.int64))
    present = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return Numbers(np.array([value or 0 for value in values], np.int64), present)
