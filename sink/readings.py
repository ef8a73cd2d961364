"""Loading the readings of one parameter.

New readings are copied straight into the table. Where one of them is there already, the copy is
undone, and the table is asked which it knows, now and for the batches that follow: what is unknown
is copied, what is newer goes to a stage table and is merged from there. Where most are newer, to
ask gains nothing and all is merged. When a batch was all new, the next one is copied again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple, Self

import numpy as np
import psycopg
from psycopg.sql import Identifier

from schemas.columnar import Integers
from schemas.topics import clean_schema
from sink.batch import Counts, Message
from sink.columns import Table, table
from sink.copying import LargePieces, Piece, binary
from sink.database import Connection
from sink.decoding import LineDecoder, SchemaOf
from sink.destination import Reject, guarded
from sink.known import sift
from sink.lines import Lines
from sink.settings import Conflict
from sink.sqlstate import refuses_data, translated
from sink.statements import Statements
from sink.turns import Turns


class Way(IntEnum):
    """How a batch is loaded; where a key turns out to be there, the next one does."""

    COPY = 0
    ASK = 1
    MERGE = 2


class Copy(NamedTuple):
    """The winner of each key, and the bytes that copy them, in pieces."""

    rows: Integers
    data: list[Piece]


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings as lines, of which ``rows`` are meant; record by record beside ``messages``.

    ``copy`` is ready only where nothing was left out.
    """

    messages: Sequence[Message]
    table: Table
    lines: Lines
    rows: Integers
    copy: Copy | None = None

    def __len__(self) -> int:
        """Count the rows that are meant."""
        return len(self.rows)

    def message(self, index: int) -> Message:
        """Give the record of a row."""
        return self.messages[int(self.rows[index])]

    def pick(self, indexes: Sequence[int]) -> Self:
        """Mean some of these rows; nothing is copied."""
        chosen = self.rows[np.asarray(indexes, np.int64)]
        return type(self)(self.messages, self.table, self.lines, chosen)

    def ready(self, conflict: Conflict) -> Self:
        """Make what is copied; where every row wins, its bytes are the only copy of the lines."""
        lines, copy = self.arranged(conflict)
        return replace(self, lines=lines if len(copy.rows) == len(lines) else self.lines, copy=copy)

    def arranged(self, conflict: Conflict) -> tuple[Lines, Copy]:
        """Put the lines of the winners in order."""
        rows = self.winners(conflict)
        lines = self.lines.arranged(rows)
        return lines, Copy(rows, binary([lines.data]))

    def winners(self, conflict: Conflict) -> Integers:
        """Give one row for each key, by key: the newest, or the first where the first one stays."""
        sensor, time = self.lines.keys(self.rows)
        first_comes_last = np.arange(len(self.rows))[::-1]
        version = self.lines.versions(self.rows) if conflict is Conflict.UPDATE else ()
        order = np.lexsort((first_comes_last, *version, time, sensor))
        sensor, time = sensor[order], time[order]
        is_last = np.ones(len(order), np.bool_)
        is_last[:-1] = (sensor[1:] != sensor[:-1]) | (time[1:] != time[:-1])
        return self.rows[order[is_last]]


class ReadingTable:
    """The destination of one clean topic."""

    def __init__(
        self,
        parameter: str,
        schema_of: SchemaOf,
        conflict: Conflict,
        target: Identifier | None = None,
        turns: Turns | None = None,
    ) -> None:
        """``target``: another table that is made like the parameter's own."""
        self._turns = turns or Turns()
        self._table = table(parameter)
        self._decode = LineDecoder(clean_schema(parameter), schema_of, self._table)
        self._conflict = conflict
        target = target or Identifier("weather", parameter)
        self._sql = Statements.of(self._table, conflict, target)
        self._way = Way.COPY

    def prepare(self, messages: Sequence[Message]) -> tuple[Readings, list[Reject]]:
        """Decode, validate, and make what is copied: the database is busy with the batch before."""
        kept, lines, rejects = self._decode(messages)
        readings = Readings(kept, self._table, lines, np.arange(len(kept)))
        return readings.ready(self._conflict), rejects

    def load(self, connection: Connection, entries: Readings, *, alone: bool = False) -> Counts:
        """Load the winner of each key."""
        copy = entries.copy or entries.arranged(self._conflict)[1]
        try:
            found = self._loaded(connection, entries, copy, alone=alone)
        except psycopg.Error as error:
            if refuses_data(error):
                raise translated(error, f"loading {self._table.name}") from error
            raise
        self._way = _way_after(found, len(copy.rows))
        skipped = len(entries) - found.inserted - found.updated
        return replace(found, records=len(entries), skipped=skipped)

    def _loaded(
        self, connection: Connection, entries: Readings, copy: Copy, *, alone: bool
    ) -> Counts:
        """Load in the way that is expected to do; where a key is there after all, in the next."""
        while True:
            try:
                with guarded(connection, alone=alone):
                    return self._load(connection, entries, copy)
            except psycopg.errors.UniqueViolation:
                if self._way is Way.MERGE:  # not of the key: somebody wants more to be unique
                    raise
                self._way = Way(self._way + 1)
                if alone:
                    raise

    def _load(self, connection: Connection, entries: Readings, copy: Copy) -> Counts:
        again = entries.copy is None
        if self._way is Way.COPY:
            return self._copied(connection, entries.lines, copy)
        if self._way is Way.MERGE:
            return self._merged(connection, copy.data, again=again)
        lines = entries.lines
        with self._turns.busy():
            unknown, newer = sift(connection, self._sql.ask, lines, copy.rows)
        found = Counts()
        if len(unknown):
            found += self._copied(connection, lines, _copy_of(lines, unknown))
        if len(newer):
            found += self._merged(connection, _copy_of(lines, newer).data, again=again)
        return found

    def _copied(self, connection: Connection, lines: Lines, copy: Copy) -> Counts:
        """Copy straight into the table."""
        self._copy(connection, self._sql.copy, copy.data)
        return Counts(inserted=len(copy.rows), deleted=int(lines.deleted[copy.rows].sum()))

    def _merged(self, connection: Connection, data: Sequence[Piece], *, again: bool) -> Counts:
        """Merge from the stage; ``again``: something may be left in it of this transaction."""
        if connection.execute(self._sql.stage_is_missing).fetchone() == (True,):
            connection.execute(self._sql.make_stage)
        if again:
            connection.execute(self._sql.empty_stage)
        self._copy(connection, self._sql.copy_to_stage, data)
        with self._turns.busy():
            inserted, updated, deleted = connection.execute(self._sql.merge).fetchall()[0]
        return Counts(inserted=inserted, updated=updated, deleted=deleted)

    def _copy(self, connection: Connection, statement: bytes, data: Sequence[Piece]) -> None:
        with (
            self._turns.asking(),
            connection.cursor() as cursor,
            cursor.copy(statement, writer=LargePieces(cursor)) as copy,
        ):
            self._turns.rest()  # the database waits for lines, and has something to do from now on
            for piece in data:
                copy.write(piece)


def _copy_of(lines: Lines, rows: Integers) -> Copy:
    return Copy(rows, binary([lines.write(rows)]))


def _way_after(found: Counts, rows: int) -> Way:
    if found.inserted == rows:
        return Way.COPY
    return Way.MERGE if 2 * found.updated > rows else Way.ASK
