"""How columns are written as messages: a plan of steps that every row goes through, and one loop.

What is the same in all rows is a literal, and literals that follow each other are one; the few
columns that differ from row to row lie side by side in matrices, where the loop finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from runtime.scratch import empty
from schemas.columnar import Bytes, Column, Integers, Mask, Numbers, Strings
from schemas.writing_kernels import (
    BARE,
    DOUBLE,
    LITERAL,
    LONG,
    LONGEST,
    TEXT,
    write_messages,
)

_NULL, _PRESENT = b"\0", b"\2"
_NOWHERE: Final = -1
KIND_OF: Final = {"int": LONG, "long": LONG, "double": DOUBLE, "string": TEXT, "bytes": TEXT}
"""What a type of Avro is for the loops."""


def long_bytes(number: int) -> bytes:
    r"""Write a whole number of 64 bits as Avro does: zigzag, of variable length.

    >>> long_bytes(0), long_bytes(-1), long_bytes(64)
    (b'\x00', b'\x01', b'\x80\x01')
    """
    left = (number << 1) ^ (number >> 63)
    written = bytearray()
    while left >= 0x80:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*written, left])


class Plan:
    """The steps that make a message of each of ``count`` rows, in the order of its fields."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._steps: list[tuple[int, int, int]] = []
        self._literals = bytearray()
        self._rows: list[Integers] = []
        self._present: list[Mask] = []
        self._datas: list[tuple[int, Bytes]] = []
        self._most = self._texts = 0

    def bare(self, strings: Strings) -> None:
        """Write bytes as they are."""
        self._strings(BARE, strings)

    def field(self, column: Column, kind: str, *, nullable: bool) -> None:
        """Write a field of this kind, behind its branch where it may be null."""
        if not self._count:
            return
        present, there = column.present if nullable else None, _NOWHERE
        if present is not None and not present.any():
            self._literal(_NULL)
            return
        if present is not None and not present.all():
            there = len(self._present)
            self._present.append(present)
        elif nullable:
            self._literal(_PRESENT)
        if isinstance(column, Strings):
            self._text(column, there)
        else:
            self._number(_bits(column, KIND_OF[kind]), KIND_OF[kind], there)

    def written(self) -> Strings:
        """Give the messages.

        Raises:
            ValueError: a string does not lie within its data.
        """
        literals = np.frombuffer(bytes(self._literals) + _NULL, np.uint8)
        buffers, at, memory = _together(literals, self._datas, len(self._rows))
        steps = [
            (kind, slot + at, there) if kind == LITERAL else (kind, slot, there)
            for kind, slot, there in self._steps
        ]
        out = empty(self._count * self._most + self._texts, np.uint8)
        places = np.empty((2, self._count), np.int64)
        wrong = write_messages(
            np.array(steps, np.int64).reshape(-1, 3),
            _below_each_other(self._rows, self._count, np.int64),
            _below_each_other(self._present, self._count, np.uint8),
            buffers,
            memory,
            out,
            places,
        )
        if wrong:
            problem = "a string does not lie within its data"
            raise ValueError(problem)
        return Strings(out, *places)

    def _text(self, strings: Strings, there: int) -> None:
        if there == _NOWHERE and _is_same(strings.starts) and _is_same(strings.lengths):
            text = strings.one(0) or b""
            self._literal(long_bytes(len(text)) + text)
        else:
            self._strings(TEXT, strings, there)

    def _number(self, bits: Integers, kind: int, there: int) -> None:
        if there == _NOWHERE and _is_same(bits):
            one = bits[:1]
            self._literal(one.tobytes() if kind == DOUBLE else long_bytes(int(one[0])))
        else:
            self._step(kind, there, bits)

    def _strings(self, kind: int, strings: Strings, there: int = _NOWHERE) -> None:
        self._datas.append((len(self._rows), strings.data))
        self._step(kind, there, strings.starts, strings.lengths)
        self._texts += int(np.maximum(strings.lengths, 0).sum())

    def _step(self, kind: int, there: int, *rows: Integers) -> None:
        self._steps.append((kind, len(self._rows), there))
        self._rows += rows
        self._most += 1 + LONGEST

    def _literal(self, written: bytes) -> None:
        self._most += len(written)
        if self._steps and self._steps[-1][0] == LITERAL:
            _, at, size = self._steps.pop()
        else:
            at, size = len(self._literals), 0
        self._literals += written
        self._steps.append((LITERAL, at, size + len(written)))


def _bits(column: Numbers, kind: int) -> Integers:
    """Give numbers as whole ones, doubles by their bits."""
    if kind == DOUBLE:
        return np.asarray(column.values, np.float64).view(np.int64)
    return column.values


def _is_same(values: Integers) -> bool:
    """Say whether a column says the same in every row; most that do not show it at their ends."""
    if values.strides == (0,):
        return True
    return bool(values[0] == values[-1]) and bool((values == values[0]).all())


def _below_each_other(columns: Sequence[Any], count: int, dtype: Any) -> NDArray[Any]:
    """Make a matrix of columns; where there are none, of a row that nobody looks at."""
    most = max(1, len(columns))
    rows = empty(most * count, dtype).reshape(most, count)
    for row, column in zip(rows, columns, strict=False):
        row[:] = column
    return rows


def _together(
    literals: Bytes, datas: Sequence[tuple[int, Bytes]], rows: int
) -> tuple[Integers, int, Bytes]:
    """See buffers as one memory, which begins with the first of them.

    Gives where in it the data of each column of strings lies and how long that is, by the column's
    row; and where the literals lie. Whoever asks holds the buffers for as long as he looks at it.
    """
    all_of = [literals, *(data for _, data in datas)]
    begins = [data.__array_interface__["data"][0] for data in all_of]
    first = min(begins)
    span = max(begin + len(data) for begin, data in zip(begins, all_of, strict=True)) - first
    buffers = np.zeros((max(1, rows), 2), np.int64)
    for (row, data), begin in zip(datas, begins[1:], strict=True):
        buffers[row] = begin - first, len(data)
    return buffers, begins[0] - first, as_strided(all_of[begins.index(first)], (span,))
