"""Columns of numbers as Avro writes them: doubles as eight bytes, whole numbers as long as needed.

Numbers of equal lengths are common (times, versions, flags), and much quicker to move: they come as
a matrix of bytes, which stands beside others without a place and a length for each row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.columnar import Bytes, Integers, Numbers, Strings
from schemas.columnar_kernels import LONGEST, write_longs

_WORD: Final = 8
_ONE_BYTE: Final = 64
PRESENT: Final = np.uint8(2)
"""The second branch of a union, behind null."""


def as_strings(block: Strings | Bytes) -> Strings:
    """Make strings of rows of bytes."""
    if isinstance(block, Strings):
        return block
    block = np.ascontiguousarray(block)  # what is alike in all rows has no rows of its own
    count, width = block.shape
    return Strings(block.reshape(-1), np.arange(count) * width, np.full(count, width))


def numbers_encoded(column: Numbers, kind: str, *, nullable: bool) -> Strings | Bytes:
    """Encode numbers, each behind its branch where it may be null.

    Where all rows have equally many bytes, a row of bytes for each; else strings.
    """
    data, lengths = _doubles(column.values) if kind == "double" else _longs(column.values)
    first, present = 0 if nullable else 1, column.present
    if isinstance(lengths, int):
        if not nullable or present is None or present.all():
            return data[:, first : 1 + lengths]
        lengths = np.full(len(data), lengths)
    starts = np.arange(len(data)) * data.shape[1] + first
    if nullable and present is not None:
        data[:, 0] = present * PRESENT
        lengths = lengths * present
    return Strings(data.reshape(-1), starts, lengths + (1 - first))


def _doubles(values: NDArray[Any]) -> tuple[Bytes, int]:
    """Give eight bytes each, little endian, behind one that says that there is a number."""
    data = np.empty((len(values), 1 + _WORD), np.uint8)
    data[:, 0] = PRESENT
    _words_of(data, "<f8")[:] = values
    return data, _WORD


def _longs(values: NDArray[Any]) -> tuple[Bytes, Integers | int]:
    """Give variable-length zigzag numbers, behind a byte that says that there is one.

    With them their lengths; where all are equally long, that length alone.
    """
    least, most = int(values.min(initial=0)), int(values.max(initial=0))
    if least >= -_ONE_BYTE and most < _ONE_BYTE:  # as flags are
        short = np.empty((len(values), 2), np.uint8)
        short[:, 0] = PRESENT
        short[:, 1] = (values << 1) ^ (values >> (values.dtype.itemsize * 8 - 1))
        return short, 1
    data = np.empty((len(values), 1 + LONGEST), np.uint8)
    data[:, 0] = PRESENT
    lengths = np.empty(len(values), np.int64)
    write_longs(np.ascontiguousarray(values, np.int64), data, lengths)
    shortest, longest = int(lengths.min()), int(lengths.max())
    return data, longest if shortest == longest else lengths


def _words_of(data: Bytes, kind: str) -> NDArray[Any]:
    """See the eight bytes behind the first of each row as one number."""
    return np.ndarray((len(data),), kind, data if len(data) else bytearray(1), 1, (data.shape[1],))
