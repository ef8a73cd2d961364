"""Columns of a page: what its rows say, field by field instead of row by row.

Values are looked at by column where all are of one kind, and one by one where they are not: what
comes out is the same, which a property test holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from producers.publishing.encoding import RawReading, Record
from producers.reading.times import Observed

Values = Sequence[Any]
_NUMBERS: Final = frozenset({float, int, type(None)})
_CANONICAL: Final = re.compile(
    r"(?!0000)\d{4}-\d\d-\d\d[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?", re.ASCII
)
ROW_FIELDS: Final = (
    "op",
    "observed_local",
    "observed_text",
    "source_flag",
    "source_key",
    "source_version",
    "cursor",
    "extracted_at",
)


@dataclass(frozen=True, slots=True)
class ReadingColumns(Sequence[RawReading]):
    """Readings of one parameter: a sensor for each, the columns of their rows, their measures.

    ``rows`` says in which row of the page each reading stands; None: in every row, in order.
    """

    sensors: Sequence[Record]
    shared: dict[str, Values]
    measures: dict[str, Values]
    rows: Sequence[int] | None = None

    def column(self, name: str) -> Values:
        """Give a field of all readings."""
        values = self.measures.get(name)
        if values is None:
            values = self.shared[name]
        return values if self.rows is None else [values[row] for row in self.rows]

    def __len__(self) -> int:
        return len(self.sensors)

    @overload
    def __getitem__(self, index: int) -> RawReading: ...
    @overload
    def __getitem__(self, index: slice) -> list[RawReading]: ...
    def __getitem__(self, index: int | slice) -> RawReading | list[RawReading]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = index if self.rows is None else self.rows[index]
        shared = {name: self.shared[name][row] for name in ROW_FIELDS}
        measures = {name: values[row] for name, values in self.measures.items()}
        return RawReading(self.sensors[index], shared, measures)

    def __iter__(self) -> Iterator[RawReading]:
        return (self[i] for i in range(len(self)))


def measured_columns(
    values: Values, measured: Callable[[object], tuple[float | None, str | None]]
) -> tuple[Values, Values]:
    """Part a column into numbers and texts, as ``measured`` parts a value.

    >>> measured_columns([1.5, None], lambda value: (value, None))
    ([1.5, None], [None, None])
    """
    if set(map(type, values)) <= _NUMBERS:
        return values, [None] * len(values)
    parted = [measured(value) for value in values]
    return [number for number, _ in parted], [text for _, text in parted]


def observed_columns(
    values: Values, observed: Callable[[object], Observed]
) -> tuple[list[int | None], list[str | None]]:
    """Read a column of times, as ``observed`` reads a time.

    >>> observed_columns(["1970-01-01 00:00:01"], lambda value: (None, str(value)))
    ([1000000], [None])
    """
    micros = _micros(values)
    if micros is not None:
        read: list[int | None] = micros.tolist()
        return read, [None] * len(values)
    each = [observed(value) for value in values]
    return [local for local, _ in each], [text for _, text in each]


def _micros(values: Values) -> NDArray[np.int64] | None:
    """Read times all at once, where all are naive, or all are written in the one plain way."""
    kinds = set(map(type, values))
    plain = kinds == {datetime} and not any(value.tzinfo for value in values)
    if plain or (kinds == {str} and all(map(_CANONICAL.fullmatch, values))):
        try:
            return np.array(values, "datetime64[us]").astype(np.int64)
        except ValueError:  # a thirtieth of February: looked at one by one
            return None
    return None
