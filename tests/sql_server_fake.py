"""A driver for SQL Server without a server: it keeps what is sent, and answers as far as it must.

So the code that runs says itself what SQL Server gets to see of it, SQLAlchemy's own statements
and those of each new connection among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Engine, create_engine

_PLACE: Final = re.compile(r"\?")
_NAMED: Final = re.compile(r"\bAS \[?(\w+)\]?(?=,|\s+FROM|$)")
Answer = Sequence[tuple[Any, ...]]
Heard = Callable[[str], None]


class Fake:
    """Stands for the module pyodbc; ``heard`` is told each statement with its parameters in it.

    ``answers`` are rows by a part of the statement, the first that fits; else there are none.
    """

    paramstyle, version, threadsafety, apilevel = "qmark", "5.2.0", 1, "2.0"
    SQL_DRIVER_NAME, SQL_TXN_READ_COMMITTED = 6, 2
    NUMBER = STRING = DATETIME = BINARY = object
    SQL_WVARCHAR, SQL_VARCHAR, SQL_DECIMAL, SQL_CHAR, SQL_WCHAR = -9, 12, 3, 1, -8

    class Error(Exception):
        """The base of a driver's errors."""

    DatabaseError = ProgrammingError = OperationalError = InterfaceError = InternalError = Error
    DataError = IntegrityError = NotSupportedError = Error

    def __init__(self, heard: Heard, answers: dict[str, Answer]) -> None:
        self._heard = heard
        self._answers = answers

    Cursor: type[Any]

    def connect(self, *_arguments: Any, **_keywords: Any) -> Connection:
        """Connect."""
        return Connection(self)

    def answer(self, sql: str, parameters: Sequence[Any]) -> Answer:
        """Hear a statement, and answer it."""
        values = iter(parameters)
        written = " ".join(_PLACE.sub(lambda _: _written(next(values)), sql).split())
        self._heard(written)
        return next((rows for part, rows in self._answers.items() if part in written), ())


class Connection:
    """A connection."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self.autocommit, self.timeout = False, 0

    def cursor(self) -> Cursor:
        """Give a cursor."""
        return Cursor(self._fake)

    def getinfo(self, _what: int) -> str:
        """Name the driver."""
        return "libmsodbcsql-18.5.so"

    def close(self) -> None:
        """Close it."""

    commit = rollback = close

    def add_output_converter(self, *_: Any) -> None:
        """Take no notice."""


class Cursor:
    """A cursor; columns are called by number."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self._rows: list[tuple[Any, ...]] = []
        self.description: Any = None
        self.rowcount, self.arraysize = -1, 1

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Hear a statement."""
        self._rows = [tuple(row) for row in self._fake.answer(sql, parameters)]
        width = len(self._rows[0]) if self._rows else 60
        named = (_NAMED.findall(sql) if self._rows else []) + ["" for _ in range(width)]
        self.description = [(name, str, None, None, None, None, True) for name in named[:width]]
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give all rows."""
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Give some rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Give the next row."""
        return self._rows.pop(0) if self._rows else None

    def close(self) -> None:
        """Close it."""

    def setinputsizes(self, *_: Any) -> None:
        """Take no notice."""


Fake.Cursor = Cursor


def engine(heard: Heard, answers: dict[str, Answer]) -> Engine:
    """Make an engine for SQL Server that reaches nobody."""
    return create_engine(
        "mssql+pyodbc://reader@aos/AOS?driver=x", module=Fake(heard, answers), pool_pre_ping=True,
        isolation_level="READ COMMITTED",
    )  # fmt: skip


def _written(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
