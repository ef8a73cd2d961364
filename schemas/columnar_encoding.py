"""The columnar encoder: columns become many messages of one schema at once.

A message is a head, encoded elsewhere and often shared by many (the frame, and the fields that are
constant for a sensor, which stand first in our schemas), and behind it the fields that change. The
length of every field of every message is worked out first, and so the place of every byte; then
each column is written into its places by a few array operations. The bytes are those of
:class:`schemas.codec.Encoder`; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, without_logical_types
from schemas.columnar import Bytes, Column, Integers, Mask, Numbers, Strings

_POWERS: Final = (np.uint64(1) << np.arange(7, 64, 7, dtype=np.uint64)).astype(np.uint64)
_WITHIN_8: Final = np.arange(8)


def strings_of(values: Sequence[str | None]) -> Strings:
    """Make a column of strings; None is null.

    >>> strings_of(["a", None, "bcd"]).bytes()
    [b'a', b'', b'bcd']
    """
    count = len(values)
    if values.count(None) == count:  # columns that a source does not have are common
        nothing = np.zeros(count, np.int64)
        return Strings(np.empty(0, np.uint8), nothing, nothing, np.zeros(count, np.bool_))
    present = np.ones(count, np.bool_)
    if None in values:
        present = np.fromiter((value is not None for value in values), np.bool_, count)
    encoded = [b"" if value is None else value.encode() for value in values]
    lengths = np.fromiter(map(len, encoded), np.int64, count)
    data = np.frombuffer(b"".join(encoded), np.uint8)
    return Strings(data, np.cumsum(lengths) - lengths, lengths, present)


class ColumnarEncoder:
    """Encodes the fields of a schema from ``first`` on; what stands before is the head's."""

    def __init__(self, schema: Schema, first: str | None = None) -> None:
        fields = without_logical_types(schema)["fields"]
        names = [field["name"] for field in fields]
        self._fields = [
            (field["name"], *_kind(field["type"]))
            for field in fields[names.index(first) if first else 0 :]
        ]

    def __call__(self, heads: Sequence[bytes], columns: Mapping[str, Column]) -> list[bytes]:
        """Give a message for each head; every column is as long as there are heads.

        Raises:
            KeyError: a column is missing.
        """
        if not heads:
            return []
        parts: list[_Part] = []
        for name, kind, nullable in self._fields:
            parts.extend(_parts(columns[name], kind, nullable=nullable))
        ends = np.cumsum(np.sum([part.lengths for part in parts], axis=0, dtype=np.int64))
        out = np.empty(int(ends[-1]), np.uint8)
        at = np.concatenate(([0], ends[:-1]))
        for part in parts:
            part.write(out, at)
            at = at + part.lengths
        return _joined(heads, out, ends)


class _Part(Protocol):
    """A piece of every message."""

    lengths: Integers

    def write(self, out: Bytes, at: Integers) -> None:
        """Write each message's piece at its place."""


class _Branch:
    """Which branch of a union of null and one other was taken."""

    def __init__(self, present: Mask) -> None:
        self.lengths = np.ones(len(present), np.int64)
        self._present = present

    def write(self, out: Bytes, at: Integers) -> None:
        out[at] = self._present * np.uint8(2)


class _Double:
    """Eight bytes, little endian, where there is a number."""

    def __init__(self, values: NDArray[np.float64], present: Mask) -> None:
        self.lengths = present * np.int64(8)
        self._rows = np.flatnonzero(present)
        self._bytes = np.ascontiguousarray(values[self._rows], "<f8").view(np.uint8).reshape(-1, 8)

    def write(self, out: Bytes, at: Integers) -> None:
        out[at[self._rows][:, None] + _WITHIN_8] = self._bytes


class _Long:
    """A variable-length zigzag number, where there is one."""

    def __init__(self, values: Integers, present: Mask) -> None:
        signed = values.astype(np.int64)
        self._zigzag = ((signed << 1) ^ (signed >> 63)).view(np.uint64)
        self.lengths = present * (np.searchsorted(_POWERS, self._zigzag, side="right") + 1)

    def write(self, out: Bytes, at: Integers) -> None:
        for group in range(int(self.lengths.max(initial=0))):
            rows = np.flatnonzero(self.lengths > group)
            seven = (self._zigzag[rows] >> np.uint64(7 * group)) & np.uint64(0x7F)
            more = (self.lengths[rows] > group + 1) * np.uint64(0x80)
            out[at[rows] + group] = seven | more


class _Text:
    """The bytes of a string, without its length."""

    def __init__(self, strings: Strings) -> None:
        self.lengths = strings.lengths
        self._strings = strings

    def write(self, out: Bytes, at: Integers) -> None:
        lengths = self.lengths
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        out[np.repeat(at, lengths) + within] = self._strings.data[self._strings.places()]


def _parts(column: Column, kind: str, *, nullable: bool) -> list[_Part]:
    length = len(column.lengths) if isinstance(column, Strings) else len(column.values)
    present = np.ones(length, np.bool_) if column.present is None else column.present
    parts: list[_Part] = [_Branch(present)] if nullable else []
    if isinstance(column, Strings):
        parts += [_Long(column.lengths, present), _Text(column)]
    elif kind == "double":
        parts.append(_Double(column.values, present))
    else:
        parts.append(_Long(column.values, present))
    return parts


def _joined(heads: Sequence[bytes], out: Bytes, ends: Integers) -> list[bytes]:
    data, stops = out.tobytes(), ends.tolist()
    starts = [0, *stops[:-1]]
    return [head + data[a:b] for head, a, b in zip(heads, starts, stops, strict=True)]


def _kind(kind: object) -> tuple[str, bool]:
    nullable = isinstance(kind, list)
    return str(kind[1] if isinstance(kind, list) else kind), nullable


def numbers_of(values: Sequence[float | None]) -> Numbers:
    """Make a column of doubles; None is null.

    >>> numbers_of([1.5, None]).present.tolist()
    [True, False]
    """
    doubles = np.array(values, np.float64)  # None becomes NaN
    present = ~np.isnan(doubles)
    if not present.all():  # a NaN that was given is a number like any other
        present = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return Numbers(doubles, present)
