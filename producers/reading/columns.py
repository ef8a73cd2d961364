"""Columns of a page: what its rows say, field by field instead of row by row.

Values are looked at by column where all are of one kind, and one by one where they are not: what
comes out is the same, which a property test holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, overload

from producers.publishing.encoding import RawReading, Record
from producers.reading.values import Doubles, Values, Wholes
from schemas.columnar import Column, Integers, Mask, Numbers, Strings
from schemas.columnar_encoding import (
    ColumnarEncoder,
    constant,
    doubles_of,
    numbers_of,
    strings_of,
)

_NUMBERS: Final = frozenset({float, int, Decimal, type(None)})


class PageColumns:
    """The columns of what all readings of a row share; their bytes are made once for a page."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._encoded: dict[object, Strings] = {}

    def at(self, row: int) -> Record:
        """Give what a row says."""
        return {name: value_at(column, row) for name, column in self._columns.items()}

    def encoded(self, encoder: ColumnarEncoder) -> Strings:
        """Give the bytes of each row; encoders of the same fields share them."""
        if encoder.fields not in self._encoded:
            self._encoded[encoder.fields] = encoder.piece(self._columns)
        return self._encoded[encoder.fields]


@dataclass(frozen=True, slots=True)
class ReadingColumns(Sequence[RawReading]):
    """Readings of one parameter: the sensor of each, the columns of the page, their own measures.

    ``numbers`` say which of ``sensors`` each reading is of. ``rows`` says in which row of the page
    each stands; None: in every row, in order. ``gone`` marks the rows that are deleted; None: none.
    """

    sensors: Sequence[Record]
    numbers: Integers
    shared: PageColumns
    measures: Mapping[str, Column]
    rows: Integers | None = None
    gone: Mask | None = None

    @property
    def deleted(self) -> Mask | None:
        """Say which readings are deleted."""
        return self.gone if self.gone is None or self.rows is None else self.gone[self.rows]

    def row_bytes(self, encoder: ColumnarEncoder) -> Strings:
        """Give what a row says, encoded, for each reading."""
        page = self.shared.encoded(encoder)
        return page if self.rows is None else page.take(self.rows)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> RawReading: ...
    @overload
    def __getitem__(self, index: slice) -> list[RawReading]: ...
    def __getitem__(self, index: int | slice) -> RawReading | list[RawReading]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = index if self.rows is None else int(self.rows[index])
        op = "delete" if self.gone is not None and self.gone[row] else "upsert"
        measures = {name: value_at(column, index) for name, column in self.measures.items()}
        return RawReading(
            self.sensors[self.numbers[index]], {"op": op, **self.shared.at(row)}, measures
        )

    def __iter__(self) -> Iterator[RawReading]:
        return (self[i] for i in range(len(self)))


def value_at(column: Column, row: int) -> Any:
    """Give one value of a column.

    >>> value_at(strings_of(["a", None]), 1), value_at(numbers_of([1.5]), 0)
    (None, 1.5)
    """
    if column.present is not None and not column.present[row]:
        return None
    if isinstance(column, Numbers):
        return column.values[row].item()
    start, length = int(column.starts[row]), int(column.lengths[row])
    return column.data[start : start + length].tobytes().decode()


def measured_columns(
    values: Values, measured: Callable[[object], tuple[float | None, str | None]]
) -> tuple[Column, Column]:
    """Part a column into numbers and texts, as ``measured`` parts a value.

    >>> number, text = measured_columns([1.5, None], lambda value: (value, None))
    >>> number.present.tolist(), text.present.tolist()
    ([True, False], [False, False])
    """
    whole = values.numbers if isinstance(values, (Doubles, Wholes)) else doubles_of(values)
    if whole is None and set(map(type, values)) <= _NUMBERS:
        whole = numbers_of(values)
    if whole is not None:
        return whole, constant(None, len(values))
    parted = [measured(value) for value in values]
    return numbers_of([number for number, _ in parted]), strings_of([text for _, text in parted])
