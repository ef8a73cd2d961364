"""A second look at what changed lately: when, from where, and which of its rows are new."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from producers.cursors import Columns, TimestampCursor
from producers.reading.fetching import fetched
from producers.reading.overlap import Published, fingerprint
from producers.reading.times import version_of
from schemas.cursors import Overlap

_MICROS: Final = 1_000_000
Rows = Sequence[Sequence[Any]]


class SecondLook:
    """Reads the last while of a table again, page by page, now and then.

    ``key`` are the places of the primary key in a row, ``width`` is where the columns of the cursor
    begin. ``published`` is what whoever publishes remembers of this table.
    """

    def __init__(
        self,
        cursor: TimestampCursor,
        how: Overlap,
        key: Sequence[int],
        width: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.published = Published(round(how.back_seconds * _MICROS))
        self._cursor = cursor
        self._how = how
        self._key = key
        self._width = width
        self._clock = clock
        self._began = -math.inf
        self._position: str | None = None
        self._until: str | None = None
        self._held = 0.0

    @property
    def active(self) -> bool:
        """Say whether pages of a second look are still to be read."""
        return self._until is not None

    def begin(self, until: str, held: float) -> None:
        """Begin one if it is time: everything before ``until`` has been read a first time.

        ``held`` is by how much that bound was held back besides the cursor's lag, in seconds.
        """
        if self._clock() >= self._began + self._how.every_seconds:
            self._began = self._clock()
            self._position, self._until, self._held = None, until, held

    def read(self, connection: Connection, columns: Columns, rows: int) -> Rows:
        """Read its next page; it is over with the first that is not full."""
        position = self._position or self._start(connection)
        page = self._cursor.page(columns, position, self._until or "", rows)
        found: Rows = fetched(connection, page)
        return found

    def turn(self, rows: Rows, most: int) -> list[Sequence[Any]]:
        """Go on behind a page; give its rows that were never published."""
        until = self._until or ""
        last = self._cursor.mark(rows[-1][self._width :]).position if rows else None
        self._position, self._until = (last, until) if len(rows) >= most else (None, None)
        return self.new(rows, until, since=self.published.since)

    def new(self, rows: Rows, until: str, since: int = 0) -> list[Sequence[Any]]:
        """Give the rows that were not published, of version ``since`` or later, and note them."""
        told = [(*self._told(row), row) for row in rows]
        new = [
            (version, each, row)
            for version, each, row in told
            if version >= since and each not in self.published
        ]
        self.published.note([(version, each) for version, each, _ in new], version_of(until))
        return [row for _, _, row in new]

    def _start(self, connection: Connection) -> str:
        window = self._cursor.window(self._held, self._how.back_seconds)
        return self._cursor.since(str(connection.execute(window).scalar_one()))

    def _told(self, row: Sequence[Any]) -> tuple[int, bytes]:
        position, version, _ = self._cursor.mark(row[self._width :])
        return version, fingerprint(position, [row[at] for at in self._key])
