"""Some fields of many records as lists, and raw records as entries: what they measured, in columns.

The stream's own reading of tables and the science's own conversion are used, so that a difference
is one of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from sys import intern
from typing import Any, Final

import numpy as np

from operate.reconcile.entries import Entry, Key, hashed, rounded
from operate.reconcile.scope import Scope
from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema
from schemas.columnar import Column, Strings
from schemas.columnar_decoding import ColumnarDecoder, schema_ids
from schemas.mapping import Mapping as SourceMapping
from schemas.topics import raw_schema
from stream_app.judging.table import Table, table_of
from stream_app.judging.values import number_of
from weather.clean import Given, clean
from weather.parameters import parameter_of
from weather.time import parse_local

Lists = dict[str, list[Any]]
Mappings = Mapping[tuple[str, int], SourceMapping]
_WHO: Final = ("source", "source_table", "source_key", "sensor_id")
_HEAD: Final = ("source", "mapping_version", "source_table", "zone")


class Fields:
    """Reads fields of records of one kind, whatever version of the schema wrote them."""

    def __init__(self, name: str, schema_of: Callable[[int], Schema]) -> None:
        self._schema = avsc.load(name)
        self._schema_of = schema_of
        self._decoders: dict[int, ColumnarDecoder | None] = {}

    def __call__(self, messages: Sequence[bytes | None]) -> tuple[list[int], Lists]:
        """Give the rows that can be read, and every field of theirs; the others are left out."""
        ids, rows = schema_ids(messages), []
        found: Lists = {field["name"]: [] for field in self._schema["fields"]}
        for schema_id in np.unique(ids).tolist():
            decode = self._decoder(schema_id)
            if decode is None:
                continue
            places = np.flatnonzero(ids == schema_id)
            columns, good = decode([messages[place] or b"" for place in places.tolist()])
            kept = np.flatnonzero(good)
            rows += places[kept].tolist()
            for field in self._schema["fields"]:
                column = columns.get(field["name"])
                default = [field.get("default")] * len(kept)
                found[field["name"]] += default if column is None else plain(column.take(kept))
        return rows, found

    def _decoder(self, schema_id: int) -> ColumnarDecoder | None:
        if schema_id not in self._decoders:
            self._decoders[schema_id] = self._made(schema_id)
        return self._decoders[schema_id]

    def _made(self, schema_id: int) -> ColumnarDecoder | None:
        try:
            schema = None if schema_id < 0 else self._schema_of(schema_id)
        except DataQuality:
            return None  # no schema has this id
        if schema is None or schema.get("name") != self._schema["name"]:
            return None
        return ColumnarDecoder(schema)


def plain(column: Column) -> list[Any]:
    """Give a column as a list, None where there is nothing."""
    if isinstance(column, Strings):
        return [None if t is None else t.decode("utf-8", "replace") for t in column.optional()]
    values: list[Any] = column.values.tolist()
    if column.present is None:
        return values
    return [v if there else None for v, there in zip(values, column.present.tolist(), strict=True)]


class RawEntries:
    """Makes entries of raw records of one parameter."""

    def __init__(
        self, parameter: str, schema_of: Callable[[int], Schema], mappings: Mappings, scope: Scope
    ) -> None:
        self._parameter = parameter
        self._fields = Fields(raw_schema(parameter), schema_of)
        self._measures = [m.name for m in parameter_of(parameter).measures]
        self._mappings = mappings
        self._scope = scope

    def __call__(self, messages: Sequence[bytes | None]) -> list[tuple[int, Key, Entry]]:
        """Give row, key and entry of those that are meant; such without a time are left out."""
        rows, of = self._fields(messages)
        measured = self._measured(of, len(rows))
        found = []
        for n, row in enumerate(rows):
            local = _local(of["observed_local"][n], of["observed_text"][n])
            station = of["station_id"][n]
            if local is None or not self._scope.holds(local, station):
                continue
            source, table, row_key, sensor = (of[name][n] for name in _WHO)
            key = Key.sharing(source, table, row_key, sensor, local)
            what = hashed(key, measured[n])
            live = of["op"][n] != "delete"
            found.append(
                (row, key, Entry(intern(station), what, of["source_version"][n], live=live))
            )
        return found

    def _measured(self, of: Lists, count: int) -> list[tuple[str, ...]]:
        """Convert what was measured, table by table."""
        found: list[tuple[str, ...]] = [()] * count
        units = [name for name in of if name == "unit" or name.endswith("_unit")]
        heads: dict[tuple[Any, ...], list[int]] = {}
        for n in range(count):
            heads.setdefault(tuple(of[name][n] for name in (*_HEAD, *units)), []).append(n)
        for head, rows in heads.items():
            record = dict(zip((*_HEAD, *units), head, strict=True))
            try:
                table = table_of(self._parameter, record, self._mappings)
            except DataQuality:
                continue  # the stream gives it up, and its dead letter says why
            for n, values in zip(rows, self._standard(of, rows, table), strict=True):
                found[n] = values
        return found

    def _standard(self, of: Lists, rows: list[int], table: Table) -> list[tuple[str, ...]]:
        given = {
            name: Given(
                np.array([_number(of, name, n, table) for n in rows], np.float64),
                table.units[name],
                table.sentinels[name],
            )
            for name in self._measures
        }
        measures = clean(self._parameter, given).measures
        columns = [measures[name].raw_value.tolist() for name in self._measures]
        return [rounded(values) for values in zip(*columns, strict=True)]


def _number(of: Lists, name: str, n: int, table: Table) -> float:
    value = of[name][n]
    if value is not None:
        return float(value)
    number = number_of(of[f"{name}_text"][n] or "", table.measures[name])
    return np.nan if number is None else number


def _local(local: int | None, text: str | None) -> int | None:
    if local is not None:
        return local
    return None if text is None else parse_local(text)
