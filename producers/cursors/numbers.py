"""Increments by a number that rises: an id of rows that never change, or SQL Server's rowversion.

Numbers are given out before they are committed, so the highest one that can be seen is no bound:
a lower one may still come. ``rowversion`` has a bound of its own; for an id it takes time.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, FromClause, Select, func, literal_column, select

from producers.connection.dialects import AnyType, Dialect
from producers.cursors.interface import Columns, Doubt, Mark
from producers.cursors.marks import MarkColumns, Tail
from producers.cursors.values import bad_position, beginning, ending, gone_back, id_reader
from producers.reading.values import kind_of, wholes_of
from runtime.errors import DataQuality
from schemas.columnar import Numbers
from schemas.columnar_encoding import digits_of
from schemas.cursors import Id, Rowversion

_HIGHEST: Final = "highest id"
_LOWEST: Final = "lowest active rowversion"
_HEX: Final = re.compile(r"0x[0-9A-F]{16}")


class IdCursor:
    """Reads rows that are only ever added, by an id that rises.

    The highest id that was seen is a bound once every transaction that was open then has ended:
    ``lag`` later, measured here. ``only`` restricts it to some rows, whose ids are then not held to
    rise; ``versioned`` says whether the id is the version of a row.
    """

    mode: Final = "id"
    isolation: str | None = None

    def __init__(
        self,
        mapping: Id,
        table: FromClause,
        dialect: Dialect,
        id_type: AnyType | None = None,
        only: ColumnElement[bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mapping = mapping
        self._dialect = dialect
        self._id_type = id_type
        self._id_of = id_reader(id_type)
        self._id = table.c[mapping.column]
        self._only = only
        self._clock = clock
        self._seen: deque[tuple[float, str]] = deque()
        self.lag_seconds = mapping.lag_seconds

    @property
    def columns(self) -> Columns:
        """The id."""
        return (self._id.label("aos_id"),)

    def bound(self, held: float = 0.0) -> Select[Any]:  # noqa: ARG002
        """Ask for the highest id by now."""
        return self._of_ours(select(func.max(self._id).label("bound")))

    def until(self, row: Sequence[Any], after: str, held: float) -> str | None:
        """Remember the highest id; give the highest one that has been seen for long enough."""
        if row[0] is not None:
            self._remember(str(row[0]), after)
        now, settled = self._clock(), None
        while self._seen and self._seen[0][0] <= now - self.lag_seconds - held:
            settled = self._seen.popleft()
        if settled is not None:
            self._seen.appendleft(settled)
            return settled[1]
        return None

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next page, up to and with the bound."""
        statement = self._of_ours(select(*columns, *self.columns))
        for condition in (self._id <= self._value(until), *self._start(after)):
            statement = statement.where(condition)
        for condition in ending(self._mapping, self._id, self._value):
            statement = statement.where(condition)
        return self._dialect.whole_ties(statement.order_by(self._id), self._id, rows)

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the id of a row; it is the version too, where it is a whole number."""
        (row_id,) = tail
        if row_id is None:
            problem = "a row has no id"
            raise DataQuality(problem, reason="no_id", mend="correct the row")
        versioned = self._only is None and isinstance(row_id, int)
        return Mark(str(row_id), row_id if versioned else 0, "upsert")

    def marks(self, tail: Tail) -> MarkColumns | None:
        """Read the ids of a page, where they are whole numbers."""
        (ids,) = tail
        if kind_of(ids) is not int:
            return None
        wholes = wholes_of(ids)
        versions = (
            np.array(wholes, np.int64) if self._only is None else np.zeros(len(ids), np.int64)
        )
        return MarkColumns(digits_of(wholes), Numbers(versions))

    def settled(self, position: str, until: str) -> str:  # noqa: ARG002
        """Stay behind the last row."""
        return position

    def behind(self, position: str, until: str) -> None:
        """Say that ids are no times."""

    def doubts(self) -> Sequence[Doubt]:
        """Name none."""
        return ()

    def _remember(self, top: str, after: str) -> None:
        if self._only is None and after and self._value_of(top) < self._value_of(after):
            raise gone_back(_HIGHEST, after, top)
        if not self._seen or self._seen[-1][1] != top:
            self._seen.append((self._clock(), top))

    def _start(self, after: str | None) -> Sequence[ColumnElement[bool]]:
        if after is None:
            return beginning(self._mapping, self._id, self._value)
        return (self._id > self._value(after),)

    def _of_ours(self, statement: Select[Any]) -> Select[Any]:
        return statement if self._only is None else statement.where(self._only)

    def _value(self, text: str) -> Any:
        return self._dialect.value(self._value_of(text), self._id_type)

    def _value_of(self, text: str) -> Any:
        try:
            return self._id_of(text)
        except (ArithmeticError, ValueError) as error:
            raise bad_position(self.mode, text) from error


class RowversionCursor:
    """Reads by ``rowversion``, below the lowest one that an open transaction holds.

    One stuck transaction anywhere in the database holds the bound, and with it the source. A
    position is the eight bytes as ``0x`` and sixteen digits; its number is the version of the row.
    """

    mode: Final = "rowversion"
    isolation: str | None = None
    lag_seconds: Final = 0.0

    def __init__(self, mapping: Rowversion, table: FromClause, dialect: Dialect) -> None:
        self._mapping = mapping
        self._dialect = dialect
        self._version = table.c[mapping.column]

    @property
    def columns(self) -> Columns:
        """The rowversion as text."""
        as_binary = func.convert(literal_column("binary(8)"), self._version)
        return (_hex(as_binary).label("aos_rowversion"),)

    def bound(self, held: float = 0.0) -> Select[Any]:  # noqa: ARG002
        """Ask for the lowest rowversion that is not settled."""
        return select(_hex(func.min_active_rowversion()).label("bound"))

    def until(self, row: Sequence[Any], after: str, held: float) -> str | None:  # noqa: ARG002
        """Take the bound; see that it did not fall behind what was read."""
        bound = str(row[0])
        if after and _number(bound) <= _number(after):
            raise gone_back(_LOWEST, after, bound)
        return bound

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next page."""
        statement = select(*columns, *self.columns).where(self._version < _binary(until))
        for condition in (*self._start(after), *ending(self._mapping, self._version, _binary)):
            statement = statement.where(condition)
        return self._dialect.whole_ties(statement.order_by(self._version), self._version, rows)

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the rowversion of a row."""
        (text,) = tail
        if text is None:
            problem = "a row has no rowversion"
            raise DataQuality(problem, reason="no_rowversion", mend="correct the row")
        return Mark(str(text), _number(text), "upsert")

    def settled(self, position: str, until: str) -> str:  # noqa: ARG002
        """Stay behind the last row."""
        return position

    def behind(self, position: str, until: str) -> None:
        """Say that rowversions are no times."""

    def doubts(self) -> Sequence[Doubt]:
        """Name none."""
        return ()

    def _start(self, after: str | None) -> Sequence[ColumnElement[bool]]:
        if after is None:
            return beginning(self._mapping, self._version, _binary)
        return (self._version > _binary(after),)


def _hex(value: ColumnElement[Any]) -> ColumnElement[str]:
    return func.convert(literal_column("varchar(18)"), value, literal_column("1"))


def _binary(text: str) -> ColumnElement[Any]:
    """Give a position as a parameter of the column's type; it is data, and stays a parameter."""
    _number(text)
    return func.convert(literal_column("binary(8)"), text, literal_column("1"))


def _number(text: str) -> int:
    if not _HEX.fullmatch(text):
        raise bad_position(RowversionCursor.mode, text)
    return int(text, 16)
