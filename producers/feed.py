"""One table of a source: read page by page, by its cursor."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from producers.cursors import Cursor
from producers.endpoints import Endpoints
from producers.rows import Readings, RowReader, columns_of
from producers.tables import Types, cursor_of, mapped_table
from producers.times import now_micros
from schemas.mapping import AnyTable, Mapping

_LOGGER: Final = logging.getLogger("aos.source")


@dataclass(frozen=True, slots=True)
class Page:
    """What was read at once.

    Attributes:
        readings: what the rows hold.
        rows: how many rows there were.
        position: where the cursor stands behind the last of them; unchanged if there was none.
        behind_seconds: how far that lies before the bound; 0 when nothing is left before it.
        drained: nothing is left before the bound.
    """

    readings: Readings
    rows: int
    position: str
    behind_seconds: float
    drained: bool


@dataclass(frozen=True, slots=True)
class _Bounded:
    """Up to where to read, and the server that said so."""

    until: str
    by: Engine


class TableFeed:
    """Reads one table; where it stands is kept by whoever publishes."""

    def __init__(
        self, database: Endpoints, mapping: Mapping, table: AnyTable, types: Types, page_rows: int
    ) -> None:
        self.table = table.table
        self._database = database
        self._source = mapped_table(table)
        self.cursor: Cursor = cursor_of(table, self._source, database.dialect, types)
        self._columns = [self._source.c[name] for name in columns_of(table)]
        self._reader = RowReader(mapping, table, self.cursor)
        self._page_rows = page_rows
        self._bounded: _Bounded | None = None

    def next_page(self, after: str) -> Page:
        """Read the next page behind ``after``; the bound is asked anew whenever it was reached.

        Raises:
            Transient: the database may answer in a moment.
            Configuration: the table is not there any more, or not as it was.
            DataQuality: a row does not hold what the cursor lives on.
        """
        look = partial(self._look, after, self._bounded)
        rows, bounded = self._database.ask(f"reading {self.table}", look)
        page = self._page(rows, after, bounded.until)
        self._bounded = None if page.drained else bounded
        return page

    def warn(self) -> int:
        """Log which rows are read late or never, and give their number."""
        return self._database.ask(f"looking at {self.table}", self._doubtful)

    def _doubtful(self, connection: Connection) -> int:
        return sum(self._warn(connection, doubt) for doubt in self.cursor.doubts())

    def _look(
        self, after: str, bounded: _Bounded | None, connection: Connection
    ) -> tuple[Sequence[Any], _Bounded]:
        """Read rows; a bound is good for the server whose clock it was taken from, for no other."""
        if bounded is None or bounded.by is not connection.engine:
            bounded = _Bounded(self._bound(connection), connection.engine)
        statement = self.cursor.page(self._columns, after or None, bounded.until, self._page_rows)
        return connection.execute(statement).all(), bounded

    def _bound(self, connection: Connection) -> str:
        return str(connection.execute(self.cursor.bound()).scalar_one())

    def _page(self, rows: Sequence[Any], after: str, until: str) -> Page:
        readings = self._reader.readings(rows, now_micros())
        width = len(self._columns)
        position = self.cursor.mark(rows[-1][width:]).position if rows else after
        drained = len(rows) < self._page_rows
        behind = 0.0 if drained else self.cursor.behind(position, until)
        return Page(readings, len(rows), position, behind, drained)

    def _warn(self, connection: Connection, doubt: Any) -> int:
        counting = select(func.count()).select_from(self._source).where(doubt.rows)
        rows: int = connection.execute(counting).scalar_one()
        if rows:
            _LOGGER.warning(
                "%d rows of %s %s. Mend: %s", rows, self.table, doubt.problem, doubt.mend,
                extra={"table": self.table, "rows": rows},
            )  # fmt: skip
        return rows
