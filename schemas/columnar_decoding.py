"""The columnar decoder: many messages of one schema become columns at once.

A compiled loop reads field after field of each into the rows of a matrix. Strings stay where they
lie, as places in the buffer. A record whose last field does not end where its message ends is
marked bad and harms no other; the row-by-row decoder says why. Every read is held inside the
message, so broken bytes cannot lead anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, without_logical_types
from schemas.columnar import Column, Integers, Mask, Numbers, Strings, packed, windows
from schemas.columnar_wire import KIND_OF
from schemas.framing import HEADER
from schemas.reading_kernels import read_messages
from schemas.writing_kernels import DOUBLE, TEXT


class ColumnarDecoder:
    """Decodes flat records of one schema: numbers, strings, and either of them or null.

    With ``first``, only the fields from that one on: what stands before is known to the caller.
    """

    def __init__(self, schema: Schema, first: str | None = None) -> None:
        fields = without_logical_types(schema)["fields"]
        names = [field["name"] for field in fields]
        chosen = fields[names.index(first) if first else 0 :]
        self._names = [field["name"] for field in chosen]
        self._steps: list[tuple[int, int, int]] = []
        self._rows = self._nullable = 0
        for field in chosen:
            self._step(*kind_of(field["type"]))
        self._fields = np.array(self._steps, np.int64).reshape(-1, 3)

    def _step(self, kind: str, nullable: bool) -> None:
        """Give a field its rows of the matrices that it is read into."""
        code = KIND_OF[kind]
        self._steps.append((code, self._rows, self._nullable if nullable else -1))
        self._rows += 2 if code == TEXT else 1
        self._nullable += nullable

    def __call__(
        self, messages: Sequence[bytes] | Strings, starts: Integers | None = None
    ) -> tuple[dict[str, Column], Mask]:
        """Decode framed messages, all written with this schema: columns, and which are good.

        ``starts`` is where in each message the first field lies: behind the frame, unless told.
        """
        given = messages if isinstance(messages, Strings) else packed(messages)
        count = len(given.lengths)
        places = np.empty((2, count), np.int64)
        places[0] = given.starts + (HEADER.size if starts is None else starts)
        places[1] = given.starts + given.lengths
        rows = np.zeros((max(1, self._rows), count), np.int64)
        present = np.zeros((max(1, self._nullable), count), np.uint8)
        good = np.empty(count, np.bool_)
        read_messages(given.data, places, self._fields, rows, present, good)
        masks = [None if row.all() else row for row in present.view(np.bool_)]
        columns: dict[str, Column] = {}
        for name, (kind, slot, there) in zip(self._names, self._steps, strict=True):
            mask = None if there < 0 else masks[there]
            if kind == TEXT:
                columns[name] = Strings(given.data, rows[slot], rows[slot + 1], mask)
            else:
                values = rows[slot].view(np.float64) if kind == DOUBLE else rows[slot]
                columns[name] = Numbers(values, mask)
        return columns, good


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


def kind_of(kind: object) -> tuple[str, bool]:
    """Name a field's type, and say whether it may be null instead."""
    nullable = isinstance(kind, list)
    plain = kind[1] if isinstance(kind, list) else kind
    return str(plain["type"] if isinstance(plain, dict) else plain), nullable
