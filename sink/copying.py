"""Columns to the bytes of a binary COPY, array by array.

The format is in PostgreSQL's documentation of COPY: each row is a count of fields, then for each
field its length (-1 for null) and its bytes, all big endian. Fields that have one size in all rows
stand side by side in an array of records; only what varies from row to row is put between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.copy import LibpqWriter

from schemas.columnar import Column as Values
from schemas.columnar import Mask, Strings
from schemas.columnar_encoding import side_by_side
from sink.columns import Column

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NULL: Final = -1
_AT_ONCE: Final = 1024 * 1024
_EPOCH: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL begins to count ("Date/Time Types")."""
_FORMS: Final = {"smallint": ">i2", "integer": ">i4", "double precision": ">f8"}

Piece = bytes | bytearray | memoryview
Alike = tuple[str, NDArray[Any] | int]
"""A form of numpy's, and what every row has in it."""


def rows_of(columns: Sequence[Column], values: Mapping[str, Values], count: int) -> Strings:
    """Write each of ``count`` rows; they may then be taken in any order, and left out."""
    pieces: list[Strings] = []
    alike: list[Alike] = [(">i2", len(columns))]
    for column in columns:
        for part in _field(column, values[column.name]):
            if isinstance(part, Strings):
                pieces += [_records(alike, count), part]
                alike = []
            else:
                alike.append(part)
    return side_by_side([*pieces, _records(alike, count)])


def binary(parts: Iterable[Strings]) -> list[Piece]:
    """Make one complete COPY of parts, each as :func:`rows_of` wrote it, in this order."""
    return [_HEADER, *(part.data.data for part in parts), _TRAILER]


class LargePieces(LibpqWriter):
    """Sends what it is given in few pieces: for each of them, this thread waits for others.

    psycopg's own writer cuts it into 128 KiB, so that libpq never has to hold more than that.
    """

    def write(self, data: Piece) -> None:
        """Send it."""
        for at in range(0, len(data), _AT_ONCE):
            self._put(data[at : at + _AT_ONCE])


def _records(alike: Sequence[Alike], count: int) -> Strings:
    forms = [(str(number), form) for number, (form, _) in enumerate(alike)]
    records = np.empty(count, np.dtype(forms))
    for number, (_, values) in enumerate(alike):
        records[str(number)] = values
    width = records.itemsize
    return Strings(records.view(np.uint8), np.arange(count) * width, np.full(count, width))


def _field(column: Column, values: Values) -> Iterator[Alike | Strings]:
    """Give a length and what stands behind it."""
    if isinstance(values, Strings):
        yield from _text(values)
    else:
        numbers = values.values - _EPOCH if column.is_time else values.values
        yield from _number(_FORMS.get(column.sql_type, ">i8"), numbers, values.present)


def _text(values: Strings) -> Iterator[Alike | Strings]:
    length = int(values.lengths[0]) if len(values.lengths) else 0
    if values.present is not None and not values.present.all():
        yield ">i4", np.where(values.present, values.lengths, _NULL)
    else:
        yield ">i4", values.lengths
    if (values.lengths != length).any():
        yield values
    elif length:
        form = f"V{length}"
        yield form, values.of_length(length, slice(None)).view(form)[:, 0]


def _number(form: str, numbers: NDArray[Any], present: Mask | None) -> Iterator[Alike | Strings]:
    width = np.dtype(form).itemsize
    if present is None or present.all():
        yield ">i4", width
        yield form, numbers
    elif present.any():
        yield ">i4", np.where(present, width, _NULL)
        octets = numbers.astype(form).view(np.uint8)
        yield Strings(octets, np.arange(len(numbers)) * width, present * width)
    else:
        yield ">i4", _NULL
