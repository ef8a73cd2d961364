"""The columnar codec: many messages of one schema at once, field by field instead of one by one.

All records are walked side by side: for each field, a few array operations move every record's
place forward. Strings stay where they lie, as places in the buffer. A record whose last field does
not end where its message ends is marked bad and harms no other; the row-by-row decoder says why.
Every read is held inside the buffer, so broken bytes cannot lead anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, without_logical_types
from schemas.framing import HEADER

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_PADDING: Final = bytes(16)
_LONGEST_VARINT: Final = 10
_WITHIN_8: Final = np.arange(8)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole or floating-point numbers; where not ``present``, the number means nothing."""

    values: NDArray[Any]
    present: Mask | None = None

    def take(self, rows: Integers) -> Numbers:
        """Pick rows, in the order given."""
        return Numbers(self.values[rows], None if self.present is None else self.present[rows])


@dataclass(frozen=True, slots=True)
class Strings:
    """Strings inside ``data``, not checked to be UTF-8; those not ``present`` are empty."""

    data: Bytes
    starts: Integers
    lengths: Integers
    present: Mask | None = None

    def take(self, rows: Integers) -> Strings:
        """Pick rows, in the order given; the bytes are shared."""
        present = None if self.present is None else self.present[rows]
        return Strings(self.data, self.starts[rows], self.lengths[rows], present)

    def bytes(self) -> list[bytes]:
        """Give each string as bytes."""
        found = np.full(len(self.lengths), b"", object)
        if not len(found):
            return []
        for length, rows in rows_by_length(self.lengths):
            found[rows] = _windows(self.data, length)[self.starts[rows]]
        each: list[bytes] = found.tolist()
        return each

    def write(self, out: Bytes, at: Integers) -> None:
        """Write each string at its place in ``out``."""
        for length, rows in rows_by_length(self.lengths):
            _windows(out, length)[at[rows]] = _windows(self.data, length)[self.starts[rows]]

    def places(self) -> Integers:
        """Give the place of every byte of every string, one string after the other."""
        before = np.cumsum(self.lengths) - self.lengths
        return np.repeat(self.starts - before, self.lengths) + np.arange(self.lengths.sum())


Column = Numbers | Strings


def rows_by_length(lengths: Integers) -> Iterator[tuple[int, Integers | slice]]:
    """Part strings by their length, but for the empty ones; where all are alike, they are a slice.

    Strings of one length are moved by one array operation, however long they are.

    >>> [(length, rows.tolist()) for length, rows in rows_by_length(np.array([3, 0, 5, 3]))]
    [(3, [0, 3]), (5, [2])]
    """
    if not len(lengths):
        return
    least, most = int(lengths.min()), int(lengths.max())
    if least == most:
        if most:
            yield most, slice(None)
        return
    for length in np.unique(lengths).tolist():
        if length:
            yield length, np.flatnonzero(lengths == length)


def _windows(data: Bytes, length: int) -> NDArray[np.void]:
    """See all strings of one length inside ``data``, wherever they begin; nothing is copied."""
    count = len(data) - length + 1
    return np.ndarray((count,), f"V{length}", data, strides=(1,))


def numbers(columns: Mapping[str, Column], name: str) -> NDArray[Any]:
    """Give the numbers of a column that holds some."""
    column = columns[name]
    if not isinstance(column, Numbers):
        raise TypeError(name)
    return column.values


def strings(columns: Mapping[str, Column], name: str) -> Strings:
    """Give a column that holds strings."""
    column = columns[name]
    if not isinstance(column, Strings):
        raise TypeError(name)
    return column


class ColumnarDecoder:
    """Decodes flat records of one schema: numbers, strings, and either of them or null."""

    def __init__(self, schema: Schema) -> None:
        plain = without_logical_types(schema)
        self._fields = [(field["name"], *_kind(field["type"])) for field in plain["fields"]]

    def __call__(self, messages: Sequence[bytes]) -> tuple[dict[str, Column], Mask]:
        """Decode framed messages, all written with this schema: columns, and which are good."""
        cursor = _Cursor(messages)
        columns: dict[str, Column] = {}
        for name, kind, nullable in self._fields:
            present = cursor.present() if nullable else None
            columns[name] = _READ[kind](cursor, present)
        return columns, cursor.good()


def schema_ids(messages: Sequence[bytes | None]) -> NDArray[np.int64]:
    r"""Give the schema id of each message, -1 where there is none.

    >>> schema_ids([b"\0\0\0\0\7body", b"other", None]).tolist()
    [7, -1, -1]
    """
    framed = [m[: HEADER.size] if m and len(m) >= HEADER.size else b"\xff" * 5 for m in messages]
    heads = np.frombuffer(b"".join(framed), np.uint8).reshape(len(messages), HEADER.size)
    ids = heads[:, 1:].astype(np.int64) @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
    return np.where(heads[:, 0] == 0, ids, -1)


class _Cursor:
    """A place in each record."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self.data = np.frombuffer(b"".join([*messages, _PADDING]), np.uint8)
        self.ends = np.cumsum(np.fromiter(map(len, messages), np.int64, len(messages)))
        self.at = np.concatenate(([0], self.ends[:-1])) + HEADER.size if messages else self.ends
        self._sound = np.ones(len(messages), np.bool_)

    def good(self) -> Mask:
        """Say which records were sound and ended where they should."""
        good: Mask = self._sound & (self.at == self.ends)
        return good

    def present(self) -> Mask:
        """Read the branch of a union of null and one other."""
        branch = self.data[self.at]
        self._sound &= (branch == 0) | (branch == 2)
        self._move(1)
        present: Mask = branch == 2
        return present

    def doubles(self, present: Mask | None) -> Numbers:
        """Read eight bytes each, little endian."""
        raw = self.data[self.at[:, None] + _WITHIN_8]
        values = np.ascontiguousarray(raw).view("<f8")[:, 0]
        self._move(8 if present is None else present * 8)
        return Numbers(values, present)

    def longs(self, present: Mask | None) -> Numbers:
        """Read variable-length zigzag numbers."""
        unsigned = np.zeros(len(self.at), np.uint64)
        rows = np.arange(len(self.at)) if present is None else np.flatnonzero(present)
        for group in range(_LONGEST_VARINT):
            read = self.data[self.at[rows]]
            unsigned[rows] |= (read & 0x7F).astype(np.uint64) << np.uint64(7 * group)
            beyond = self.at[rows] >= self.ends[rows]
            self._sound[rows[beyond]] = False
            self.at[rows] += ~beyond
            rows = rows[read >= 0x80]
            if not len(rows):
                break
        self._sound[rows] = False
        signed = (unsigned >> np.uint64(1)).astype(np.int64)
        return Numbers(signed ^ -(unsigned & np.uint64(1)).astype(np.int64), present)

    def strings(self, present: Mask | None) -> Strings:
        """Read a length and pass over so many bytes."""
        lengths = self.longs(present).values
        sound = (lengths >= 0) & (lengths <= self.ends - self.at)
        self._sound &= sound
        lengths = np.where(sound, lengths, 0)
        starts = self.at.copy()
        self._move(lengths)
        return Strings(self.data, starts, lengths, present)

    def _move(self, by: int | NDArray[Any]) -> None:
        beyond = self.at + by > self.ends
        self._sound &= ~beyond
        self.at = np.where(beyond, self.ends, self.at + by)


_READ: Final[dict[str, Callable[[_Cursor, Mask | None], Column]]] = {
    "int": _Cursor.longs,
    "long": _Cursor.longs,
    "double": _Cursor.doubles,
    "string": _Cursor.strings,
}


def _kind(kind: object) -> tuple[str, bool]:
    """Name a field's type, and say whether it may be null instead."""
    nullable = isinstance(kind, list)
    plain = kind[1] if isinstance(kind, list) else kind
    return str(plain["type"] if isinstance(plain, dict) else plain), nullable
