"""Rows of a source table become raw readings, by the mapping, untouched.

Nothing is dropped, judged or converted here: a NULL is a reading that is missing, and text stays
text even where it looks like a number, since what it means is for the stream to say. A number
travels in ``<measure>`` and anything else in ``<measure>_text``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from producers.cursors.marks import Marking, marks_of
from producers.publishing.encoding import RawReading, Record
from producers.publishing.messages import Batch
from producers.reading.choosing import EveryMaker, MakerByCode
from producers.reading.clocks import observation
from producers.reading.columns import PageColumns, ReadingColumns
from producers.reading.fetching import Row, Rows
from producers.reading.identifiers import identifier, identifiers
from producers.reading.makers import Maker, Measured, are_alike
from producers.reading.time_columns import observed_columns, observed_one_by_one
from producers.reading.times import Observed
from producers.reading.values import Values
from schemas.columnar import Column, Strings
from schemas.columnar_encoding import constant, side_by_side, strings_of
from schemas.mapping import AnyTable, LongTable, Mapping
from schemas.mapping_parts import Time

_ON_EVERY_TABLE: Final = ("station", "flag", "code", "position")


@dataclass(slots=True)
class Readings:
    """What a page of rows holds.

    Attributes:
        records: raw readings by parameter, in the order of the rows.
        unmapped: how many rows a code had that the mapping does not name; they are not published.
        batches: the records as messages, once they are encoded.
    """

    records: dict[str, Sequence[RawReading]] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)
    batches: Sequence[Batch] | None = None

    @property
    def count(self) -> int:
        """Readings of all parameters."""
        return sum(map(len, self.records.values()))


def columns_of(table: AnyTable) -> list[str]:
    """Name the columns that the mapping needs of a table, each once."""
    named = [getattr(table, name, None) for name in _ON_EVERY_TABLE]
    measured = [m.column for reading in table.readings for m in reading.measures.values()]
    wanted = [*table.key, *table.time.columns, *named, *measured]
    return list(dict.fromkeys(column for column in wanted if column))


class RowReader:
    """Makes raw readings of the rows of one table.

    A row holds the columns of :func:`columns_of`, in that order, then those of the cursor.
    """

    def __init__(self, mapping: Mapping, table: AnyTable, cursor: Marking) -> None:
        self._cursor = cursor
        self._at = {column: i for i, column in enumerate(columns_of(table))}
        self._tail = len(self._at)
        self._key = [self._at[column] for column in table.key]
        self._time = observation(table.time, self._at)
        self._time_at = _place_of_time(table.time, self._at)
        self._station = self._at[table.station]
        self._flag = self._at[table.flag] if table.flag else None
        self._makers = [Maker(mapping, table, reading, self._at) for reading in table.readings]
        positions = [reading.position for reading in table.readings]
        self._all = list(zip(self._makers, positions, strict=True))
        is_long = isinstance(table, LongTable)
        self._chosen = self._by_code(table) if isinstance(table, LongTable) else self._every
        self._alike = are_alike(self._makers, is_long=is_long)
        self._choose: EveryMaker | MakerByCode = (
            MakerByCode(self._station, *self._code_at(table), self._codes(table))
            if isinstance(table, LongTable)
            else EveryMaker(self._station, self._all)
        )

    def readings(self, rows: Sequence[Row], extracted_at: int) -> Readings:
        """Give all readings of ``rows``, as columns; ``extracted_at`` in UTC microseconds.

        Raises:
            DataQuality: the cursor's columns of a row do not hold what the cursor lives on.
        """
        if not rows or not self._alike:
            return self.one_by_one(rows, extracted_at)
        try:
            return self._at_once(rows, extracted_at)
        except (TypeError, ValueError, OverflowError):  # a value that no column can hold
            return self.one_by_one(rows, extracted_at)

    def _at_once(self, rows: Sequence[Row], extracted_at: int) -> Readings:
        found, made = Readings(), Measured()
        columns = (rows if isinstance(rows, Rows) else Rows([rows])).columns
        marks = marks_of(self._cursor, columns[self._tail :])
        shared = PageColumns(
            {
                **self._shared(rows, columns, marks.digits),
                "source_version": marks.versions,
                "cursor": marks.positions,
                "extracted_at": constant(extracted_at, len(rows)),
            }
        )
        for maker, sensors, numbers, places in self._choose(columns, found.unmapped):
            measures = maker.measures(columns, places, made)
            found.records[maker.parameter] = ReadingColumns(
                sensors, numbers, shared, measures, places, marks.deleted
            )
        return found

    def one_by_one(self, rows: Iterable[Row], extracted_at: int) -> Readings:
        """Give the same row by row: slower, and what :meth:`readings` is held to."""
        lists: dict[str, list[RawReading]] = {maker.parameter: [] for maker in self._makers}
        found = Readings({**lists})
        for row in rows:
            common = self._common(row, extracted_at)
            station = identifier(row[self._station])
            for maker, position in self._chosen(row, found.unmapped):
                lists[maker.parameter].append(maker(row, station, position, common))
        return found

    def _shared(
        self, rows: Sequence[Row], columns: Sequence[Values], digits: Strings | None
    ) -> dict[str, Column]:
        """Make the columns of what all readings of a row share."""
        local, text = self._times(rows, columns)
        flags = None if self._flag is None else columns[self._flag]
        return {
            "observed_local": local,
            "observed_text": text,
            "source_flag": (
                constant(None, len(rows)) if flags is None else identifiers(flags, nullable=True)
            ),
            "source_key": self._keys(columns, digits),
        }

    def _keys(self, columns: Sequence[Values], digits: Strings | None) -> Column:
        """Write the primary key of each row, columns parted by bars.

        Where the cursor's id, its last column, is one of them, its ``digits`` are written already.
        """
        ids = columns[-1]
        first, *rest = (
            digits if digits is not None and columns[at] is ids else identifiers(columns[at])
            for at in self._key
        )
        if not rest:
            return first
        bar = strings_of(["|"] * len(first.lengths))
        return side_by_side([first, *(part for key in rest for part in (bar, key))])

    def _times(self, rows: Sequence[Row], columns: Sequence[Values]) -> tuple[Column, Column]:
        if self._time_at is None:
            return observed_one_by_one([self._time(row) for row in rows])
        at, observed = self._time_at
        return observed_columns(columns[at], observed)

    def _common(self, row: Row, extracted_at: int) -> Record:
        local, text = self._time(row)
        flag = None if self._flag is None else row[self._flag]
        position, version, op = self._cursor.mark(row[self._tail :])
        return {
            "op": op,
            "observed_local": local,
            "observed_text": text,
            "source_flag": None if flag is None else identifier(flag),
            "source_key": "|".join([identifier(row[i]) for i in self._key]),
            "source_version": version,
            "cursor": position,
            "extracted_at": extracted_at,
        }

    def _every(self, _row: Row, _unmapped: Counter[str]) -> Sequence[tuple[Maker, object]]:
        return self._all

    def _codes(self, table: LongTable) -> dict[str, Maker]:
        both = zip(table.readings, self._makers, strict=True)
        return {reading.code: maker for reading, maker in both if reading.code is not None}

    def _code_at(self, table: LongTable) -> tuple[int, int | None]:
        return self._at[table.code], self._at[table.position] if table.position else None

    def _by_code(
        self, table: LongTable
    ) -> Callable[[Row, Counter[str]], Sequence[tuple[Maker, object]]]:
        makers = self._codes(table)
        code_at, position_at = self._code_at(table)

        def choose(row: Row, unmapped: Counter[str]) -> Sequence[tuple[Maker, object]]:
            code = identifier(row[code_at])
            if code not in makers:
                unmapped[code] += 1
                return ()
            return ((makers[code], None if position_at is None else row[position_at]),)

        return choose


def _place_of_time(
    how: Time, at: dict[str, int]
) -> tuple[int, Callable[[object], Observed]] | None:
    """Give the column of the time and how to read one, where it is a time as such."""
    if how.column is None or how.epoch or how.format:
        return None
    one = observation(how, {how.column: 0})
    return at[how.column], lambda value: one((value,))
