"""A primary key of several columns as a keyset: ordered, written as text, and gone on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, FromClause, Time, and_, or_
from sqlalchemy.dialects import mssql

from producers.connection.dialects import AnyType, Dialect
from producers.cursors.values import id_reader

_TIMES = (DateTime, Date, Time, mssql.DATETIMEOFFSET)


class Key:
    """The columns of a key; ``types`` are those of the database."""

    def __init__(
        self, names: Sequence[str], types: Mapping[str, AnyType], dialect: Dialect
    ) -> None:
        self.names = tuple(names)
        self._types = types
        self._dialect = dialect

    def of(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Give the columns as some table or alias has them."""
        return [source.c[name] for name in self.names]

    def exact(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Give the columns to select; times as text, to the last digit."""
        return [
            (self._dialect.exact(source.c[name]) if self._is_time(name) else source.c[name]).label(
                f"aos_key_{number}"
            )
            for number, name in enumerate(self.names)
        ]

    def texts(self, values: Sequence[Any]) -> list[str]:
        """Write the values that :meth:`exact` selected."""
        return [str(value) for value in values]

    def behind(self, source: FromClause, texts: Sequence[str]) -> ColumnElement[bool]:
        """Give the condition for a row to stand behind these values; SQL Server has no tuples.

        Raises:
            ValueError: the texts are no values of this key.
            ArithmeticError: likewise.
        """
        columns = self.of(source)
        values = [self._value(n, text) for n, text in zip(self.names, texts, strict=True)]
        steps = []
        for number, (column, value) in enumerate(zip(columns, values, strict=True)):
            same = [c == v for c, v in zip(columns[:number], values[:number], strict=True)]
            steps.append(and_(*same, column > value))
        return or_(*steps)

    def _value(self, name: str, text: str) -> Any:
        kind = self._types.get(name)
        if self._is_time(name):
            return self._dialect.moment(text, kind)
        return self._dialect.value(id_reader(kind)(text) if kind is not None else text, kind)

    def _is_time(self, name: str) -> bool:
        return isinstance(self._types.get(name), _TIMES)
