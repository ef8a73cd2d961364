"""One table of a source: read page by page, by its cursor."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, func, select

from producers.connection.endpoints import Endpoints
from producers.connection.server import Held, check_cursor, held, server_of
from producers.cursors import Cursor, Doubt, TimestampCursor
from producers.cursors.choice import cursor_of, cursor_of_nulls
from producers.reading.fetching import fetched
from producers.reading.overlap import Published
from producers.reading.rows import Readings, RowReader, columns_of
from producers.reading.second_look import Rows, SecondLook
from producers.reading.tables import Types, mapped_table
from producers.reading.times import now_micros
from schemas.cursors import Timestamp
from schemas.mapping import AnyTable, Mapping

_LOGGER: Final = logging.getLogger("aos.source")
_SETTLE_SECONDS: Final = 60.0
"""How often a cursor that moves on without rows is stored."""
_NULLS: Final = "#nulls"
"""Ends the name under which the rows of a table without a time are kept account of."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Page:
    """What was read at once.

    Attributes:
        readings: what the rows hold.
        rows: how many rows there were, without those that were published before.
        position: where the cursor stands behind the last of them; unchanged if there was none.
        behind_seconds: how far that lies before the bound; 0 when nothing is left before it.
        drained: nothing is left before the bound.
        waiting: there is no bound yet: another look at once would be in vain.
        held: by how much the bound was held back besides the cursor's lag, and why.
    """

    readings: Readings
    rows: int
    position: str
    behind_seconds: float
    drained: bool
    waiting: bool = False
    held: Held = field(default_factory=Held)


class _Increment(NamedTuple):
    until: str | None
    rows: Rows
    held: Held
    by: Engine


def feeds_of(
    database: Endpoints, mapping: Mapping, table: AnyTable, types: Types, page_rows: int
) -> list[TableFeed]:
    """Make the feeds of a table: one, and another for rows without a time if these are wanted."""
    name = database.dialect
    source = mapped_table(table)
    nulls = cursor_of_nulls(table, source, name, types)
    main = TableFeed(database, mapping, table, types, page_rows)
    if nulls is None:
        return [main]
    beside = TableFeed(database, mapping, table, types, page_rows, (source, nulls))
    beside.table += _NULLS
    return [main, beside]


class TableFeed:
    """Reads one table; where it stands is kept by whoever publishes.

    ``by`` is another cursor than the mapping's, with the table that it reads from.
    """

    def __init__(
        self,
        database: Endpoints,
        mapping: Mapping,
        table: AnyTable,
        types: Types,
        page_rows: int,
        by: tuple[Any, Cursor] | None = None,
    ) -> None:
        self.table = table.table
        self._database = database
        self._mapped = table
        self._source = by[0] if by else mapped_table(table)
        self.cursor: Cursor = (
            by[1] if by else cursor_of(table, self._source, database.dialect, types)
        )
        self._columns = [self._source.c[name] for name in columns_of(table)]
        self._reader = RowReader(mapping, table, self.cursor)
        self._page_rows = page_rows
        self._until: str | None = None
        self._held = Held()
        self._bounded_by: Engine | None = None
        self._clock: Callable[[], float] = time.monotonic
        self._drained_at, self._settled_at = self._clock(), -math.inf
        self._again = _second_look(table, self.cursor)

    @property
    def published(self) -> Published | None:
        """What is remembered of what was published; None where no second look wants it."""
        return self._again.published if self._again else None

    def next_page(self, after: str) -> Page:
        """Read the next page behind ``after``; the bound is asked anew whenever it was reached.

        Raises:
            Transient: the database may answer in a moment.
            Configuration: the table is not there any more, or not as it was.
            DataQuality: a row does not hold what the cursor lives on.
        """
        if self._again and self._again.active:
            return self._old_page(self._again, after)
        until, rows, self._held, self._bounded_by = self._ask(
            f"reading {self.table}", lambda connection: self._increment(connection, after)
        )
        if until is None:
            return Page(Readings(), 0, after, 0.0, drained=False, waiting=True, held=self._held)
        return self._page(rows, after, until)

    def warn(self) -> int:
        """Log which rows are read late or never, and give their number.

        Raises:
            Configuration: this database cannot be read by such a cursor.
        """
        doing = f"looking at {self.table}"
        return self._ask(doing, lambda c: sum(self._warn(c, each) for each in self.cursor.doubts()))

    def _ask(self, doing: str, work: Callable[[Connection], Result]) -> Result:
        def checked(connection: Connection) -> Result:
            check_cursor(server_of(connection), self._mapped)
            return work(connection)

        return self._database.ask(doing, checked, self.cursor.isolation)

    def _increment(self, connection: Connection, after: str) -> _Increment:
        """Ask for the bound and then, in a later statement, for the rows before it.

        A bound is good for the server that gave it, and for no other; that of a snapshot is good
        for that snapshot.
        """
        until = self._until if connection.engine is self._bounded_by else None
        back = self._held
        if until is None or self.cursor.isolation is not None:
            back = held(connection, self._mapped.cursor)
            row = connection.execute(self.cursor.bound(back.seconds)).one()
            until = self.cursor.until(row, after, back.seconds)
        if until is None:
            return _Increment(None, (), back, connection.engine)
        statement = self.cursor.page(self._columns, after or None, until, self._page_rows)
        rows = fetched(connection, statement)
        return _Increment(until, rows, back, connection.engine)

    def _page(self, rows: Rows, after: str, until: str) -> Page:
        drained = len(rows) < self._page_rows
        position = self._position(rows, after, until, drained=drained)
        new = self._again.new(rows, until) if self._again else rows
        readings = self._reader.readings(new, now_micros())
        self._until = None if drained else until
        if not drained:
            behind = self._behind(position, until)
            return Page(readings, len(new), position, behind, drained=False, held=self._held)
        self._drained_at = self._clock()
        if self._again:
            self._again.begin(until, self._held.seconds)
        over = self._again is None or not self._again.active
        return Page(readings, len(new), position, 0.0, drained=over, held=self._held)

    def _old_page(self, again: SecondLook, after: str) -> Page:
        """Read a page of the second look: the cursor stays where it stands."""
        rows = self._ask(
            f"looking at {self.table} again",
            lambda connection: again.read(connection, self._columns, self._page_rows),
        )
        new = again.turn(rows, self._page_rows)
        if new:
            _LOGGER.info(
                "a second look at %s found %d rows that came late", self.table, len(new),
                extra={"table": self.table, "rows": len(new)},
            )  # fmt: skip
        readings = self._reader.readings(new, now_micros())
        return Page(readings, len(new), after, 0.0, not again.active, held=self._held)

    def _position(self, rows: Rows, after: str, until: str, *, drained: bool) -> str:
        width = len(self._columns)
        position = self.cursor.mark(rows[-1][width:]).position if rows else after
        now = self._clock()
        if drained and (rows or now >= self._settled_at + _SETTLE_SECONDS):
            self._settled_at = now
            return self.cursor.settled(position, until)
        return position

    def _behind(self, position: str, until: str) -> float:
        """Compare times; where there are none, the last time that nothing was left must do."""
        seconds = self.cursor.behind(position, until)
        return self._clock() - self._drained_at if seconds is None else seconds

    def _warn(self, connection: Connection, doubt: Doubt) -> int:
        counting = select(func.count()).select_from(self._source).where(doubt.rows)
        rows: int = connection.execute(counting).scalar_one()
        if rows:
            _LOGGER.warning(
                "%d rows of %s %s. Mend: %s", rows, self.table, doubt.problem, doubt.mend,
                extra={"table": self.table, "rows": rows},
            )  # fmt: skip
        return rows


def _second_look(table: AnyTable, cursor: Cursor) -> SecondLook | None:
    how = table.cursor
    if not isinstance(how, Timestamp) or how.overlap is None:
        return None
    if not isinstance(cursor, TimestampCursor):
        return None
    names = columns_of(table)
    key = [names.index(column) for column in table.key]
    return SecondLook(cursor, how.overlap, key, len(names))
