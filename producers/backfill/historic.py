"""A cursor that only says what a row's version is: a backfill stands nowhere in the increments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from producers.cursors.interface import Columns, Cursor, Mark


class Historic:
    """Marks rows as the table's own cursor does, so that both readers agree on their versions.

    A row that no increment finds, because its mark is NULL, has version 0: anything newer wins.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.columns: Columns = cursor.columns

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the cursor's own columns of a row."""
        if tail[0] is None:
            return Mark("", 0, "upsert")
        return self._cursor.mark(tail)
