"""Loading the readings of one parameter.

New readings are copied straight into the table, inside a savepoint. Where one of them is there
already, the copy is undone and goes to a stage table, from where it is merged; the table then is
merged into until a batch was all new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

import psycopg
from psycopg.sql import Composed

from runtime.errors import DataQuality
from schemas.dead_letters import Stage
from sink.batch import Counts, Message
from sink.columns import KEY, VERSION, table
from sink.database import Connection
from sink.destination import Decode, Entry, Reject, decoded
from sink.settings import Conflict
from sink.sqlstate import refuses_data, translated
from sink.statements import Statements
from sink.validation import Row, rows_of

ReadingEntry = Entry[Row]


class Readings:
    """The destination of one clean topic."""

    def __init__(self, parameter: str, decode: Decode, conflict: Conflict) -> None:
        self._table = table(parameter)
        self._decode = decode
        self._conflict = conflict
        self._sql = Statements.of(self._table, conflict)
        self._wire = [column.wire for column in self._table.columns]
        self._key = itemgetter(*map(self._table.position, KEY))
        self._version = itemgetter(*map(self._table.position, VERSION))
        self._deleted = itemgetter(self._table.position("deleted_at"))
        self._all_new = True

    def prepare(self, messages: Sequence[Message]) -> tuple[list[ReadingEntry], list[Reject]]:
        """Decode and validate."""
        good, records, rejects = decoded(messages, self._decode)
        entries: list[ReadingEntry] = []
        for message, row in zip(good, rows_of(self._table, records), strict=True):
            if isinstance(row, DataQuality):
                rejects.append(Reject(message, Stage.LOADING, row))
            else:
                entries.append(Entry(message, row))
        return entries, rejects

    def load(self, connection: Connection, entries: Sequence[ReadingEntry]) -> Counts:
        """Load the winner of each key."""
        rows = self._winners(entries)
        try:
            if self._all_new and self._copied(connection, rows):
                inserted, updated, deleted = len(rows), 0, self._deletes(rows)
            else:
                inserted, updated, deleted = self._merged(connection, rows)
                self._all_new = inserted == len(rows)
        except psycopg.Error as error:
            if refuses_data(error):
                raise translated(error, f"loading {self._table.name}") from error
            raise
        skipped = len(entries) - inserted - updated
        return Counts(len(entries), inserted, updated, skipped, deleted)

    def _winners(self, entries: Sequence[ReadingEntry]) -> list[Row]:
        """Give one row for each key, sorted: the newest, or the first where the first one stays."""
        winners: dict[tuple[str, int], Row] = {}
        keep_first = self._conflict is Conflict.SKIP
        for _, row in entries:
            known = winners.setdefault(self._key(row), row)
            if known is not row and not keep_first and self._version(row) > self._version(known):
                winners[self._key(row)] = row
        return [winners[key] for key in sorted(winners)]

    def _deletes(self, rows: Iterable[Row]) -> int:
        return sum(self._deleted(row) is not None for row in rows)

    def _copied(self, connection: Connection, rows: Sequence[Row]) -> bool:
        """Copy straight into the table; say whether that went, or else leave nothing behind."""
        try:
            with connection.transaction():
                self._copy(connection, self._sql.copy, rows)
        except psycopg.errors.UniqueViolation:
            return False
        return True

    def _merged(self, connection: Connection, rows: Sequence[Row]) -> tuple[int, int, int]:
        with connection.transaction():
            connection.execute(self._sql.make_stage)
            connection.execute(self._sql.empty_stage)
            self._copy(connection, self._sql.copy_to_stage, rows)
            inserted, updated, deleted = connection.execute(self._sql.merge).fetchall()[0]
        return inserted, updated, deleted

    def _copy(self, connection: Connection, statement: Composed, rows: Iterable[Row]) -> None:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(self._wire)
            for row in rows:
                copy.write_row(row)
