"""The columnar codec: many messages of one schema at once, field by field instead of one by one.

All records are walked side by side: for each field, a few array operations move every record's
place forward. Strings stay where they lie, as places in the buffer. A record whose last field does
not end where its message ends is marked bad and harms no other; the row-by-row decoder says why.
Every read is held inside the buffer, so broken bytes cannot lead anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, without_logical_types
from schemas.columnar import Column, Integers, Mask, Numbers, Strings, packed, windows
from schemas.columnar_kernels import read_longs
from schemas.framing import HEADER


class ColumnarDecoder:
    """Decodes flat records of one schema: numbers, strings, and either of them or null.

    With ``first``, only the fields from that one on: what stands before is known to the caller.
    """

    def __init__(self, schema: Schema, first: str | None = None) -> None:
        fields = without_logical_types(schema)["fields"]
        names = [field["name"] for field in fields]
        self._fields = [
            (field["name"], *kind_of(field["type"]))
            for field in fields[names.index(first) if first else 0 :]
        ]

    def __call__(
        self, messages: Sequence[bytes] | Strings, starts: Integers | None = None
    ) -> tuple[dict[str, Column], Mask]:
        """Decode framed messages, all written with this schema: columns, and which are good.

        ``starts`` is where in each message the first field lies: behind the frame, unless told.
        """
        given = messages if isinstance(messages, Strings) else packed(messages)
        cursor = Cursor(given, HEADER.size if starts is None else starts)
        columns: dict[str, Column] = {}
        for name, kind, nullable in self._fields:
            present = cursor.present() if nullable else None
            if present is None or present.all():
                columns[name] = _READ[kind](cursor, None)
            elif present.any():
                columns[name] = _READ[kind](cursor, present)
            else:
                columns[name] = cursor.nothing(kind, present)
        return columns, cursor.good()


def schema_ids(messages: Sequence[bytes | None] | Strings) -> NDArray[np.int64]:
    r"""Give the schema id of each message, -1 where there is none.

    >>> schema_ids([b"\0\0\0\0\7body", b"other", None]).tolist()
    [7, -1, -1]
    """
    given = (messages if isinstance(messages, Strings) else packed(messages)).padded()
    heads = windows(given.data, 8)[given.starts].view(">u8").astype(np.uint64)
    ids = ((heads >> np.uint64(24)) & np.uint64(0xFFFFFFFF)).astype(np.int64)
    framed = (heads >> np.uint64(56) == 0) & (given.lengths >= HEADER.size)
    return np.where(framed, ids, -1)


class Cursor:
    """A place in each of many records, moved forward field by field.

    ``begin`` is where in each of the records the first field lies.
    """

    def __init__(self, records: Strings, begin: int | Integers = 0) -> None:
        records = records.padded()
        self.data = records.data
        self.ends = records.starts + records.lengths
        self.at = records.starts + begin
        self.sound = self.at <= self.ends
        if not self.sound.all():
            self.at = np.minimum(self.at, self.ends)

    def good(self) -> Mask:
        """Say which records were sound and ended where they should."""
        good: Mask = self.sound & (self.at == self.ends)
        return good

    def present(self) -> Mask:
        """Read the branch of a union of null and one other."""
        branch = self.data[self.at]
        self.sound &= (branch == 0) | (branch == 2)
        self.move(1)
        present: Mask = branch == 2
        return present

    def nothing(self, kind: str, present: Mask) -> Column:
        """Give a column in which no row has anything; its fields are passed already."""
        nothing = np.zeros(len(present), np.int64)
        if kind == "string":
            return Strings(self.data, nothing, nothing, present)
        return Numbers(nothing.astype(np.float64) if kind == "double" else nothing, present)

    def doubles(self, present: Mask | None) -> Numbers:
        """Read eight bytes each, little endian."""
        values = windows(self.data, 8)[self.at].view("<f8")
        self.move(8 if present is None else present * 8)
        return Numbers(values, present)

    def longs(self, present: Mask | None) -> Numbers:
        """Read variable-length zigzag numbers; what goes on behind its tenth byte is none."""
        there = np.ones(len(self.at), np.bool_) if present is None else present
        values, sizes = np.zeros(len(self.at), np.int64), np.zeros(len(self.at), np.int64)
        read_longs(self.data, np.ascontiguousarray(self.at), there, values, sizes)
        if sizes.min(initial=0) < 0:
            self.sound &= sizes >= 0
            sizes = np.maximum(sizes, 0)
        self.move(sizes)
        return Numbers(values, present)

    def strings(self, present: Mask | None) -> Strings:
        """Read a length and pass over so many bytes."""
        lengths = self.longs(present).values
        if present is not None:
            lengths = lengths * present
        if lengths.min(initial=0) < 0 or lengths.max(initial=0) > len(self.data):
            sound = (lengths >= 0) & (lengths <= len(self.data))
            self.sound &= sound
            lengths = np.where(sound, lengths, 0)
        starts = self.at
        self.move(lengths)
        return Strings(self.data, starts, np.minimum(lengths, self.at - starts), present)

    def move(self, by: int | NDArray[Any]) -> None:
        """Pass over so many bytes; a record that is over by then is not sound."""
        at = self.at + by
        beyond = at > self.ends
        if beyond.any():
            self.sound &= ~beyond
            at = np.where(beyond, self.ends, at)
        self.at = at


_READ: Final[dict[str, Callable[[Cursor, Mask | None], Column]]] = {
    "int": Cursor.longs,
    "long": Cursor.longs,
    "double": Cursor.doubles,
    "string": Cursor.strings,
    "bytes": Cursor.strings,
}


def kind_of(kind: object) -> tuple[str, bool]:
    """Name a field's type, and say whether it may be null instead."""
    nullable = isinstance(kind, list)
    plain = kind[1] if isinstance(kind, list) else kind
    return str(plain["type"] if isinstance(plain, dict) else plain), nullable
