"""Clean records to the lines of a binary COPY, in one pass over the bytes of each.

The pass looks whether a record is whole and every field fits its column, keeps what its key and its
version are, and writes its line; no field becomes an object or a column on the way. Lines are then
put in the order that is wanted. A record that has no line has its reason found elsewhere, by slower
means.

The format is in PostgreSQL's documentation of COPY: each row is a count of fields, then for each
field its length (-1 for null) and its bytes, all big endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas import avsc
from schemas.avsc import Schema, without_logical_types
from schemas.columnar import Bytes, Column, Integers, Mask, Strings
from schemas.columnar_decoding import ColumnarDecoder, kind_of
from schemas.columnar_encoding import side_by_side
from sink import line_kernels as kernels
from sink.columns import Column as Target
from sink.columns import Table
from sink.line_kernels import DELETED, EPOCH, KEPT, SIZE, Kind
from sink.validation import RANGES

_WIDTHS: Final = {"smallint": 2, "integer": 4}
_TEXTS: Final = {"op": Kind.OP, "parameter": Kind.WORD}


@dataclass(frozen=True, slots=True)
class Layout:
    """What the fields of a clean schema are in the columns of its table."""

    schema: Schema
    program: Integers
    """(7, fields): rows KIND to KEEP of :mod:`sink.line_kernels`."""
    word: Bytes
    """The parameter, which every record names."""

    @classmethod
    def of(cls, schema: str, table: Table) -> Layout:
        """Derive it; the table's columns are the fields of the schema, in their order."""
        loaded = avsc.load(schema)
        columns = {column.name: column for column in table.columns}
        fields = without_logical_types(loaded)["fields"]
        steps = [_step(f["name"], f["type"], columns.get(f["name"])) for f in fields]
        program = np.array(steps, np.int64).T
        return cls(
            loaded, np.ascontiguousarray(program), np.frombuffer(table.name.encode(), np.uint8)
        )

    def most_bytes(self, records: Strings) -> int:
        """Say how many bytes the lines of records take at most."""
        fixed = kernels.MOST_FIXED * (int(self.program.shape[1]) + 2)
        return len(records.lengths) * fixed + int(records.lengths.sum())


def _step(name: str, kind: object, column: Target | None) -> tuple[int, ...]:
    """Say what :class:`Program` wants to know of a field; ``op`` alone has no column."""
    plain, nullable = kind_of(kind)
    kept = KEPT.get(name, -1)
    if plain == "string":
        named = column is not None and column.named
        return Kind.NAMED if named else _TEXTS.get(name, Kind.TEXT), nullable, 0, 0, 0, 0, kept
    if plain == "double" or column is None:
        return Kind.DOUBLE, nullable, 0, 0, 0, 0, -1
    width, minus = _WIDTHS.get(column.sql_type, 8), EPOCH if column.is_time else 0
    return Kind.WHOLE, nullable, width, *RANGES[column.sql_type], minus, kept


@dataclass(frozen=True, slots=True)
class Lines:
    """Framed records, all of the layout's schema, and the line of each that is good.

    Attributes:
        found: (n, 8) what a record is known by, and the size of its line.
        begins: (n,) where in ``data`` its line begins.
    """

    layout: Layout
    records: Strings
    found: Integers
    begins: Integers
    data: Bytes

    @classmethod
    def of(cls, layout: Layout, records: Strings) -> Lines:
        """Look at records, and write their lines."""
        found = np.zeros((len(records.lengths), kernels.COLUMNS), np.int64)
        data = np.empty(layout.most_bytes(records), np.uint8)
        ends = records.starts + records.lengths
        begins = np.empty(len(records.lengths), np.int64)
        kernels.write_lines(
            records.data, records.starts, ends, layout.program, layout.word, found, data, begins
        )
        return cls(layout, records, found, begins, data)

    def __len__(self) -> int:
        """Count the records."""
        return len(self.begins)

    @property
    def good(self) -> Mask:
        """Which records are whole and fit the table."""
        good: Mask = self.found[:, SIZE] > 0
        return good

    @property
    def deleted(self) -> Mask:
        """Which of them say that their reading was deleted."""
        deleted: Mask = self.found[:, DELETED] != 0
        return deleted

    def columns_of(self, rows: Integers) -> dict[str, Column]:
        """Give all fields of rows as columns: for whoever wants to see more than loading needs."""
        return ColumnarDecoder(self.layout.schema)(self.records.take(rows))[0]

    def take(self, rows: Integers) -> Lines:
        """Keep these rows alone, in this order."""
        records = self.records.take(rows)
        return Lines(self.layout, records, self.found[rows], self.begins[rows], self.data)

    def keys(self, rows: Integers) -> tuple[Integers, Integers]:
        """Give of each row its sensor, numbered in the order of the names, and its time."""
        names = self.sensors(rows)
        numbers, firsts = names.numbered()
        met = names.take(firsts).bytes()
        places = np.empty(len(met), np.int64)
        places[sorted(range(len(met)), key=met.__getitem__)] = np.arange(len(met))
        return places[numbers], self.times(rows)

    def sensors(self, rows: Integers) -> Strings:
        """Give the sensor of each row."""
        at, length = self.found[:, kernels.SENSOR_AT], self.found[:, kernels.SENSOR_LENGTH]
        return Strings(self.records.data, at[rows], length[rows])

    def times(self, rows: Integers) -> Integers:
        """Give of each row when it was observed, in UTC microseconds."""
        times: Integers = self.found[rows, kernels.AT]
        return times

    def versions(self, rows: Integers) -> tuple[Integers, Integers]:
        """Give revision and version of the source: the weightier last, as numpy sorts."""
        return self.found[rows, kernels.REVISION], self.found[rows, kernels.VERSION]

    def arranged(self, rows: Integers) -> Lines:
        """Keep the lines of these rows alone, one behind the other, in this order."""
        lines = self._behind_each_other(rows)
        found, begins = self.found.copy(), np.zeros(len(self), np.int64)
        found[:, SIZE] = 0
        found[rows, SIZE], begins[rows] = lines.lengths, lines.starts
        return Lines(self.layout, self.records, found, begins, lines.data)

    def write(self, rows: Integers) -> Bytes:
        """Write these rows, in this order; a record that is not good has nothing to write."""
        return self._behind_each_other(rows).data

    def _behind_each_other(self, rows: Integers) -> Strings:
        return side_by_side([Strings(self.data, self.begins[rows], self.found[rows, SIZE])])
