"""One table read by observation time: surveyed once, then read in keyset pages within a chunk.

Reading is in one statement a page. On SQL Server that is under snapshot isolation, so that it
neither waits for writers nor holds them up, and sees no row twice that moves meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from producers.backfill.connection import Quiet
from producers.backfill.historic import Historic
from producers.backfill.moments import moments_of, whole_days
from producers.backfill.plan import Found, Plan, cut
from producers.backfill.request import Span
from producers.backfill.selection import Part, rows_of
from producers.connection.dialects import dialect_of
from producers.cursors.choice import cursor_of
from producers.cursors.keys import Key
from producers.reading.rows import Readings, RowReader, columns_of
from producers.reading.tables import Types, check_mapping, mapped_table
from producers.reading.times import now_micros
from runtime.errors import Configuration
from schemas.mapping import Mapping

_DAY_SECONDS: Final = 86_400


class Page(NamedTuple):
    """A page of a chunk; ``after`` is where it ends, as text, and empty when the chunk is done."""

    readings: Readings
    rows: int
    after: str


def open_table(
    database: Quiet, mapping: Mapping, part: Part, stations: Sequence[str]
) -> BackfillTable:
    """Hold one table against the live database, whatever is wrong with others.

    Raises:
        Configuration: it is not there, or not as the mapping says; or it cannot be searched so.
        Transient: the database does not answer.
    """
    alone = mapping.model_copy(update={"tables": (part.table,), "metadata": None})
    check = partial(check_mapping, mapping=alone)
    types = database.ask(f"looking at {part.table.table}", check)[part.table.table]
    return BackfillTable(database, mapping, part, types, stations)


class BackfillTable:
    """Reads one table; safe to share between threads."""

    def __init__(
        self, database: Quiet, mapping: Mapping, part: Part, types: Types, stations: Sequence[str]
    ) -> None:
        self.name = part.table.table
        self._database = database
        source = mapped_table(part.table)
        cursor = Historic(cursor_of(part.table, source, database.dialect, types))
        self._columns = [source.c[name] for name in columns_of(part.table)]
        self._tail = cursor.columns
        self._reader = RowReader(mapping, part.table, cursor)
        self._where = rows_of(part, source, types, stations)
        find = partial(moments_of, mapped=part.table, source=source, types=types)
        self._moments = database.ask(f"looking at {self.name}", find)
        named = part.table.time.columns
        self._source = source
        self._key = Key(
            [name for name in part.table.key if name != named[0]], types,
            dialect_of(database.dialect),
        )  # fmt: skip

    def plan(self, spans: Sequence[Span], chunk_rows: int) -> Plan:
        """Count what there is, and cut it into slices.

        Raises:
            Transient: the database may answer in a moment.
            Configuration: the table is not there, or not as the mapping says.
        """
        least = _DAY_SECONDS if self._moments.by_day else 60
        wide = [*map(self._widened, spans)]
        found = self._database.ask(
            f"surveying {self.name}", lambda c: [(span, self._survey(c, span)) for span in wide]
        )
        slices = tuple(cut(span, seen, chunk_rows, least=least) for span, seen in found)
        return Plan(self.name, sum(seen.rows for _, seen in found), slices)

    def undated(self) -> int:
        """Count the rows that are asked for and have no observation time: no range finds them."""
        counting = select(func.count()).select_from(self._source)
        counting = counting.where(self._moments.column.is_(None), *self._where)
        rows: int = self._database.ask(
            f"surveying {self.name}", lambda c: c.execute(counting).scalar_one()
        )
        return rows

    def page(self, span: Span, after: str, rows: int) -> Page:
        """Read the next page of a slice, behind ``after``; empty: from its start.

        Raises:
            Transient: the database may answer in a moment.
            Configuration: the table is not there any more, or not as it was.
            DataQuality: a row does not hold what the cursor lives on.
        """
        statement = self.statement(span, after, rows)
        found = self._database.ask(f"reading {self.name}", lambda c: c.execute(statement).all())
        width = len(self._columns) + len(self._tail)
        readings = self._reader.readings([row[:width] for row in found], now_micros())
        ended = len(found) < rows
        return Page(readings, len(found), "" if ended else self._place(found[-1][width:]))

    def statement(self, span: Span, after: str, rows: int) -> Select[Any]:
        """Give the statement of a page."""
        time = self._moments
        statement = (
            select(*self._columns, *self._tail, *self._ends())
            .where(*time.between(*span), *self._where)
            .order_by(time.column, *self._key.of(self._source))
            .limit(rows)
        )
        return statement.where(*self._behind(after)) if after else statement

    def _ends(self) -> list[ColumnElement[Any]]:
        """Give what tells where a page ends; labels of a cursor's key are not to be met again."""
        key = [c.label(f"aos_end_{n}") for n, c in enumerate(self._key.exact(self._source))]
        return [self._moments.exact_of(self._moments.column).label("aos_observed"), *key]

    def _place(self, ends: Sequence[Any]) -> str:
        time, *key = ends
        return json.dumps([time, *self._key.texts(key)], ensure_ascii=False)

    def _behind(self, after: str) -> tuple[ColumnElement[bool], ...]:
        """Give the condition of the keyset; its first term lets an index on the time be sought."""
        try:
            time, *key = json.loads(after)
            stored, column = self._moments.stored(time), self._moments.column
            behind = self._key.behind(self._source, key) if self._key.names else None
        except (TypeError, ValueError, ArithmeticError) as error:
            problem = f"the stored place {after!r} is none in {self.name}"
            raise Configuration(problem, mend="begin the job anew with --again") from error
        if behind is None:
            return (column > stored,)
        return (column >= stored, or_(column > stored, and_(column == stored, behind)))

    def _survey(self, connection: Connection, span: Span) -> Found:
        time = self._moments
        least, most = (time.exact_of(end(time.column)) for end in (func.min, func.max))
        statement = select(func.count(), least, most).select_from(self._source)
        row = connection.execute(statement.where(*time.between(*span), *self._where)).one()
        first, last = time.local(row[1], span.start), time.local(row[2], span.end - 1)
        return Found(row[0], first, last)

    def _widened(self, span: Span) -> Span:
        return Span(*whole_days(*span)) if self._moments.by_day else span
