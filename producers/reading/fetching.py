"""Rows as the driver gives them, kept as columns.

SQLAlchemy would look at every value of every row before we do, and pack each row anew: that took as
long as the driver's own work. What values mean is for :mod:`producers.reading.rows` to say. Rows
are taken apart and packed a few at a time, while they are still at hand for the processor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, overload

from sqlalchemy import ColumnElement, Connection, Label, Select
from sqlalchemy.exc import DBAPIError

from producers.reading.values import Values, more

Row = Sequence[Any]
_AT_ONCE: Final = 1000


class Rows(Sequence[Row]):
    """Rows of one width, kept as columns.

    >>> rows = Rows([[(1, "a"), (2, "b")], [(3, "c")]])
    >>> [*map(list, rows.columns)], rows[-1], len(rows)
    ([[1, 2, 3], ['a', 'b', 'c']], (3, 'c'), 3)

    Raises:
        ValueError: they are not of one width.
    """

    def __init__(self, parts: Iterable[Sequence[Row]], places: Sequence[int] | None = None) -> None:
        """``places`` say which column stands where, if some stand at several places."""
        self.columns: list[Values] = []
        for rows in parts:
            self._add(rows)
        if places is not None and self.columns:
            self.columns = [self.columns[place] for place in places]

    def _add(self, rows: Sequence[Row]) -> None:
        width = len(rows[0])
        flat = list(chain.from_iterable(rows))
        if len(flat) != width * len(rows):
            raise ValueError(width)
        before = self.columns or [()] * width
        if len(before) != width:
            raise ValueError(width)
        self.columns = [more(column, flat[at::width]) for at, column in enumerate(before)]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return list(zip(*(column[index] for column in self.columns), strict=True))
        return tuple([column[index] for column in self.columns])

    def __iter__(self) -> Iterator[Row]:
        return zip(*self.columns, strict=True)


def once(statement: Select[Any]) -> tuple[Select[Any], list[int]]:
    """Ask for each column once; give where each that was asked for then stands.

    A key is wanted by the readings and by the cursor, under another name; that is no reason to
    send it twice.
    """
    places: dict[int, int] = {}
    kept: list[ColumnElement[Any]] = []
    asked = []
    for column in statement.selected_columns:
        base = column.element if isinstance(column, Label) else column
        if id(base) not in places:
            places[id(base)] = len(kept)
            kept.append(column)
        asked.append(places[id(base)])
    if len(kept) == len(asked):
        return statement, asked
    return statement.with_only_columns(*kept, maintain_column_froms=True), asked


def fetched(connection: Connection, statement: Select[Any]) -> Rows:
    """Execute a statement and give all its rows, unprocessed; a column is asked for once.

    Raises:
        SQLAlchemyError: as if SQLAlchemy had fetched them itself.
    """
    statement, asked = once(statement)
    result = connection.execute(statement)
    cursor = result.cursor
    if cursor is None:
        raise AssertionError
    try:
        rows = Rows(iter(lambda: cursor.fetchmany(_AT_ONCE), []), asked)
    except Exception as error:
        raise _as_sqlalchemy_says(error, connection, statement, cursor) from error
    finally:
        result.close()
    return rows


def _as_sqlalchemy_says(
    error: Exception, connection: Connection, statement: Select[Any], cursor: Any
) -> Exception:
    dialect = connection.dialect
    driver = dialect.loaded_dbapi.Error
    if not isinstance(error, driver):
        return error
    lost = dialect.is_disconnect(error, connection.connection, cursor)
    return DBAPIError.instance(
        str(statement), None, error, driver, connection_invalidated=lost, dialect=dialect
    )
