"""The bytes of known heads, side by side, and where each is found by them.

There are as many as sensors, so each is kept once, and what is kept grows by a quarter.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema
from schemas.columnar import Integers, Strings
from schemas.columnar_decoding import kind_of
from stream_app.judging.head_kernels import (
    DOUBLE,
    NUMBER,
    TEXT,
    enter_heads,
    find_head,
    find_heads,
)

_LEAST: Final = 64
_KINDS: Final = {"int": NUMBER, "long": NUMBER, "double": DOUBLE, "string": TEXT}


class KnownHeads:
    """Numbers heads as they are learnt; ``schema`` is that of a head alone."""

    def __init__(self, schema: Schema) -> None:
        kinds = [kind_of(field["type"]) for field in schema["fields"]]
        fields = [(_KINDS[kind], nullable) for kind, nullable in kinds]
        self._fields = np.array(fields, np.int64).reshape(-1, 2)
        self._kept = np.zeros(_LEAST, np.uint8)
        self._ends = np.zeros(_LEAST, np.int64)
        self._table = np.full(2 * _LEAST, -1)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def numbers(self, messages: Strings) -> Integers:
        """Give the number of each message's head; -1 less its length where it is not known.

        Where there is no head at all, that is -1.
        """
        found = np.empty(len(messages.lengths), np.int64)
        places = np.stack([messages.starts, messages.lengths])
        known = self._kept, self._ends, self._table
        find_heads(messages.data, places, self._fields, *known, found)
        return found

    def number(self, head: bytes) -> int:
        """Give the number of a head, -1 where it is not known."""
        return find_head(np.frombuffer(head, np.uint8), self._kept, self._ends, self._table)

    def learn(self, head: bytes) -> int:
        """Keep a head that is not known, and give its number."""
        number, begin = self._count, int(self._ends[self._count - 1]) if self._count else 0
        end = begin + len(head)
        self._kept = grown(self._kept, end)
        self._ends = grown(self._ends, number + 1)
        self._kept[begin:end] = np.frombuffer(head, np.uint8)
        self._ends[number] = end
        self._count += 1
        if 2 * self._count > len(self._table):
            self._table, number = np.full(2 * len(self._table), -1), 0
        enter_heads(self._kept, self._ends, self._table, number, self._count)
        return self._count - 1


def grown(held: NDArray[Any], least: int) -> NDArray[Any]:
    """Make room for so many, and a quarter of what there is: what nobody wrote to is nought.

    >>> len(grown(np.zeros(4), 4)), len(grown(np.zeros(4), 5)), len(grown(np.zeros(400), 401))
    (4, 5, 500)
    """
    if least <= len(held):
        return held
    more = max(least - len(held), len(held) // 4)
    return np.concatenate([held, np.zeros(more, held.dtype)])
