"""Columns to the bytes of a binary COPY, array by array.

The format is in PostgreSQL's documentation of COPY: each row is a count of fields, then for each
field its length (-1 for null) and its bytes, all big endian.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.columnar import Bytes, Integers, Strings
from schemas.columnar import Column as Values
from sink.columns import Column

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_EPOCH: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL begins to count ("Date/Time Types")."""
_FORMS: Final = {"smallint": ">i2", "integer": ">i4", "double precision": ">f8"}


def binary(columns: Sequence[Column], values: Mapping[str, Values], rows: Integers) -> bytes:
    """Write these rows, in this order, as one complete COPY."""
    fields = [_field(column, values[column.name].take(rows)) for column in columns]
    sizes: Integers = np.full(len(rows), 2)
    for field in fields:
        sizes += field.sizes
    ends: Integers = np.cumsum(sizes)
    out = np.empty(ends[-1], np.uint8)
    at = ends - sizes
    _put(out, at, np.full(len(rows), len(fields), ">i2"))
    at += 2
    for field in fields:
        field.write(out, at)
        at += field.sizes
    return b"".join((_HEADER, out.tobytes(), _TRAILER))


class _Fixed:
    """A field whose values all have one size."""

    def __init__(self, numbers: NDArray[Any], present: NDArray[np.bool_] | None) -> None:
        self._present = present
        width = numbers.dtype.itemsize
        block = np.empty((len(numbers), 4 + width), np.uint8)
        block[:, :4] = _octets(np.full(len(numbers), width, ">i4"))
        block[:, 4:] = _octets(numbers)
        if present is not None:
            block[~present, :4] = 0xFF
        self._block = block
        self.sizes: Integers = np.full(len(numbers), 4 + width)
        if present is not None:
            self.sizes = np.where(present, 4 + width, 4)

    def write(self, out: Bytes, at: Integers) -> None:
        """Put each value at its place."""
        if self._present is None:
            _put_octets(out, at, self._block)
        else:
            _put_octets(out, at, self._block[:, :4])
            _put_octets(out, at[self._present] + 4, self._block[self._present, 4:])


class _Varying:
    """A field of text."""

    def __init__(self, strings: Strings) -> None:
        self._strings = strings
        self.sizes: Integers = 4 + strings.lengths

    def write(self, out: Bytes, at: Integers) -> None:
        """Put each string behind its length."""
        strings = self._strings
        lengths = strings.lengths.astype(">i4")
        if strings.present is not None:
            lengths[~strings.present] = -1
        _put(out, at, lengths)
        target = Strings(out, at + 4, strings.lengths)
        out[target.places()] = strings.data[strings.places()]


def _field(column: Column, values: Values) -> _Fixed | _Varying:
    if isinstance(values, Strings):
        return _Varying(values)
    numbers = values.values - _EPOCH if column.is_time else values.values
    return _Fixed(numbers.astype(_FORMS.get(column.sql_type, ">i8")), values.present)


def _put(out: Bytes, at: Integers, numbers: NDArray[Any]) -> None:
    _put_octets(out, at, _octets(numbers))


def _put_octets(out: Bytes, at: Integers, octets: Bytes) -> None:
    out[at[:, None] + np.arange(octets.shape[1])] = octets


def _octets(numbers: NDArray[Any]) -> Bytes:
    return numbers.view(np.uint8).reshape(len(numbers), numbers.dtype.itemsize)
