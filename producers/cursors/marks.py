"""What a page of rows says to a cursor: the marks of all its rows, as columns.

A cursor that can read its columns at once has ``marks``; of any other they are read row by row, and
a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from producers.cursors.interface import Mark
from schemas.columnar import Mask, Numbers, Strings
from schemas.columnar_encoding import strings_of

Tail = Sequence[Sequence[Any]]
"""The cursor's own columns of a page, each as long as the page."""


class MarkColumns(NamedTuple):
    """The :class:`Mark` of every row; ``deleted`` is None where no row is.

    ``digits`` are the ids of a page of whole numbers as text: they are often its keys as well.
    """

    positions: Strings
    versions: Numbers
    deleted: Mask | None = None
    digits: Strings | None = None


class Marking(Protocol):
    """What says the mark of a row."""

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the cursor's own columns of a row."""


@runtime_checkable
class MarkingAtOnce(Protocol):
    """What says the marks of a page."""

    def marks(self, tail: Tail) -> MarkColumns | None:
        """Read the cursor's own columns of a page; None: it has to be done row by row."""


def marks_of(cursor: Marking, tail: Tail) -> MarkColumns:
    """Give the marks of a page that has rows.

    Raises:
        DataQuality: the columns do not hold what the cursor lives on.
    """
    found = cursor.marks(tail) if isinstance(cursor, MarkingAtOnce) else None
    return found or _one_by_one(cursor, tail)


def _one_by_one(cursor: Marking, tail: Tail) -> MarkColumns:
    positions, versions, ops = zip(*map(cursor.mark, zip(*tail, strict=True)), strict=True)
    deleted = np.array([op == "delete" for op in ops], np.bool_) if "delete" in ops else None
    return MarkColumns(strings_of(positions), Numbers(np.array(versions, np.int64)), deleted)
