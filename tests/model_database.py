"""A SQL Server in miniature: concurrent transactions, and the answers that cursors ask of it.

It holds one table. What is asked of it are the very statements of the cursors, interpreted: their
conditions, order, limit and ties; so a test sees what a bound or a tie-break is good for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select

from producers.connection.server import Server
from tests.model_statements import Rows, answer

LAG: Final = 2
"""No transaction of the model lasts longer, in its seconds."""
_EPOCH: Final = datetime(2020, 1, 1)  # noqa: DTZ001 - the wall of a database that keeps UTC
Row = dict[str, Any]


def text(seconds: float) -> str:
    """Write a time as style 126 does, to the seventh digit."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="microseconds") + "0"


@dataclass
class _Transaction:
    began: int
    rows: dict[int, Row | None] = field(default_factory=dict)


class ModelDatabase:
    """One table, its open transactions, and SQL Server's counters; ``now`` in seconds."""

    def __init__(self) -> None:
        self.now = 0
        self.rows: dict[int, Row] = {}
        self.changes: dict[int, tuple[int, str]] = {}
        self.version = 0
        self._open: dict[int, _Transaction] = {}
        self._counter = 0
        self._highest = 0

    def write(self, transaction: int, row_id: int | None) -> None:
        """Insert a row, or change one that no other transaction holds."""
        if row_id is None:
            self._highest += 1
            row_id = self._highest
        elif not self._is_free(transaction, row_id):
            return
        self._counter += 1
        row = {"id": row_id, "station": "A", "at": "2020-01-01 00:00:00", "ta": self._counter}
        row |= {"changed": text(self.now), "rv": f"0x{self._counter:016X}"}
        self._rows_of(transaction)[row_id] = row

    def delete(self, transaction: int, row_id: int) -> None:
        """Delete a row that no other transaction holds."""
        if self._is_free(transaction, row_id):
            self._rows_of(transaction)[row_id] = None

    def commit(self, transaction: int) -> None:
        """Make what a transaction wrote visible, all at once."""
        done = self._open.pop(transaction, None)
        if done is None:
            return
        self.version += 1
        for row_id, row in done.rows.items():
            was = row_id in self.rows
            if row is None:
                self.rows.pop(row_id, None)
            else:
                self.rows[row_id] = row
            self.changes[row_id] = (self.version, "D" if row is None else "U" if was else "I")

    def tick(self) -> None:
        """Let a second pass; a transaction that would last too long is committed before."""
        for transaction, known in list(self._open.items()):
            if self.now + 1 - known.began >= LAG:
                self.commit(transaction)
        self.now += 1

    def commit_all(self) -> None:
        """End every transaction."""
        for transaction in list(self._open):
            self.commit(transaction)

    def lowest_active(self) -> str:
        """Give what MIN_ACTIVE_ROWVERSION() would."""
        held = [row["rv"] for each in self._open.values() for row in each.rows.values() if row]
        return min(held, default=f"0x{self._counter + 1:016X}")

    def seen(self) -> ModelDatabase:
        """Give what is committed by now, as a snapshot holds it."""
        copy = ModelDatabase()
        copy.now, copy.version, copy._counter = self.now, self.version, self._counter
        copy.rows, copy.changes = dict(self.rows), dict(self.changes)
        copy._open = self._open
        return copy

    def _rows_of(self, transaction: int) -> dict[int, Row | None]:
        return self._open.setdefault(transaction, _Transaction(self.now)).rows

    def _is_free(self, transaction: int, row_id: int) -> bool:
        held = [t for t, known in self._open.items() if row_id in known.rows]
        return row_id in self.rows and held in ([], [transaction])


class ModelEndpoints:
    """Stands for the endpoints of a database; between two statements others may work."""

    dialect = "mssql"

    def __init__(self, database: ModelDatabase) -> None:
        self.database = database
        self.between: Callable[[], None] | None = None

    def ask(self, _doing: str, work: Callable[[Any], Any], isolation: str | None = None) -> Any:
        """Lend a connection."""
        return work(_Connection(self, isolation))


class _Connection:
    def __init__(self, endpoints: ModelEndpoints, isolation: str | None) -> None:
        self.engine = endpoints
        self.info = {"aos_server": Server("mssql")}
        self._snapshot = endpoints.database.seen() if isolation == "SNAPSHOT" else None

    def execute(self, statement: Select[Any]) -> _Result:
        rows = answer(self._snapshot or self.engine.database, statement)
        work, self.engine.between = self.engine.between, None
        if work is not None:
            work()
        return _Result(rows)


class _Result:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @property
    def cursor(self) -> _Result:
        """Stand in for the driver's cursor too."""
        return self

    def fetchmany(self, count: int) -> Rows:
        given, self._rows = self._rows[:count], self._rows[count:]
        return given

    def close(self) -> None:
        """Have nothing to let go of."""

    def one(self) -> tuple[Any, ...]:
        (row,) = self._rows
        return row

    def scalar_one(self) -> Any:
        return self.one()[0]
