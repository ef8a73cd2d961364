"""Rows of a source table become raw readings, by the mapping, untouched.

Nothing is dropped, judged or converted here: a NULL is a reading that is missing, and text stays
text even where it looks like a number, since what it means is for the stream to say. A number
travels in ``<measure>`` and anything else in ``<measure>_text``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol

from producers.cursors import Mark
from producers.publishing.encoding import RawReading
from producers.reading.clocks import observation
from producers.reading.columns import ReadingColumns, Values, measured_columns, observed_columns
from producers.reading.identifiers import identifier, sensor_of
from producers.reading.times import Observed
from schemas.mapping import AnyTable, LongTable, Mapping, Reading, Table
from schemas.mapping_parts import Time
from weather.parameters import parameter_of

Record = dict[str, Any]
Row = Sequence[Any]
Shared = dict[str, Values]
_NUMBERS: Final = (int, float, Decimal)
_ON_EVERY_TABLE: Final = ("station", "flag", "code", "position")


@dataclass(slots=True)
class Readings:
    """What a page of rows holds.

    Attributes:
        records: raw readings by parameter, in the order of the rows.
        unmapped: how many rows a code had that the mapping does not name; they are not published.
    """

    records: dict[str, Sequence[RawReading]] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)

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


def measured(value: object) -> tuple[float | None, str | None]:
    """Give a measured value as (number, None), or as (None, text) where it is none.

    >>> measured(71), measured("12.3"), measured(None)
    ((71.0, None), (None, '12.3'), (None, None))
    """
    if value is None:
        return None, None
    if isinstance(value, _NUMBERS):
        return float(value), None
    return None, str(value)


class Marks(Protocol):
    """What is needed of a cursor here: what it says of a row."""

    def mark(self, tail: Row) -> Mark:
        """Read the cursor's own columns of a row."""


class RowReader:
    """Makes raw readings of the rows of one table.

    A row holds the columns of :func:`columns_of`, in that order, then those of the cursor.
    """

    def __init__(self, mapping: Mapping, table: AnyTable, cursor: Marks) -> None:
        self._cursor = cursor
        self._at = {column: i for i, column in enumerate(columns_of(table))}
        self._tail = len(self._at)
        self._key = [self._at[column] for column in table.key]
        self._time = observation(table.time, self._at)
        self._time_at = _place_of_time(table.time, self._at)
        self._station = self._at[table.station]
        self._flag = self._at[table.flag] if table.flag else None
        self._makers = [_Maker(mapping, table, reading, self._at) for reading in table.readings]
        positions = [reading.position for reading in table.readings]
        self._all = list(zip(self._makers, positions, strict=True))
        self._chosen = self._by_code(table) if isinstance(table, LongTable) else self._every
        self._alike = _are_alike(self._makers, is_long=isinstance(table, LongTable))

    def readings(self, rows: Sequence[Row], extracted_at: int) -> Readings:
        """Give all readings of ``rows``, as columns; ``extracted_at`` in UTC microseconds.

        Raises:
            DataQuality: the cursor's columns of a row do not hold what the cursor lives on.
        """
        if not rows or not self._alike:
            return self.one_by_one(rows, extracted_at)
        found = Readings()
        columns: list[Values] = list(zip(*rows, strict=True))
        shared = self._shared(rows, columns, extracted_at)
        stations = [identifier(station) for station in columns[self._station]]
        for maker, sensors, places in self._sensors(rows, stations, found.unmapped):
            measures = maker.measures(columns)
            found.records[maker.parameter] = ReadingColumns(sensors, shared, measures, places)
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

    def _shared(self, rows: Sequence[Row], columns: list[Values], extracted_at: int) -> Shared:
        """Make the columns of what all readings of a row share."""
        local, text = self._times(rows, columns)
        marks = [self._cursor.mark(tail) for tail in zip(*columns[self._tail :], strict=True)]
        positions, versions, ops = zip(*marks, strict=True)
        keys = [map(identifier, columns[at]) for at in self._key]
        flags = [None] * len(rows) if self._flag is None else columns[self._flag]
        return {
            "op": ops,
            "observed_local": local,
            "observed_text": text,
            "source_flag": [None if flag is None else identifier(flag) for flag in flags],
            "source_key": list(map("|".join, zip(*keys, strict=True))),
            "source_version": versions,
            "cursor": positions,
            "extracted_at": [extracted_at] * len(rows),
        }

    def _times(self, rows: Sequence[Row], columns: list[Values]) -> tuple[Values, Values]:
        if self._time_at is None:
            each = [self._time(row) for row in rows]
            return [local for local, _ in each], [text for _, text in each]
        at, observed = self._time_at
        return observed_columns(columns[at], observed)

    def _sensors(
        self, rows: Sequence[Row], stations: list[str], unmapped: Counter[str]
    ) -> Iterable[tuple[_Maker, list[Record], list[int]]]:
        """Say which sensor each reading is of, and in which row it stands, by parameter."""
        found: dict[str, tuple[_Maker, list[Record], list[int]]] = {}
        for at, (row, station) in enumerate(zip(rows, stations, strict=True)):
            for maker, position in self._chosen(row, unmapped):
                entry = found.get(maker.parameter)
                if entry is None:
                    entry = found[maker.parameter] = (maker, [], [])
                entry[1].append(maker.sensor(station, position))
                entry[2].append(at)
        return found.values()

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

    def _every(self, _row: Row, _unmapped: Counter[str]) -> Sequence[tuple[_Maker, object]]:
        return self._all

    def _by_code(
        self, table: LongTable
    ) -> Callable[[Row, Counter[str]], Sequence[tuple[_Maker, object]]]:
        makers = {
            reading.code: maker for reading, maker in zip(table.readings, self._makers, strict=True)
        }
        code_at = self._at[table.code]
        position_at = self._at[table.position] if table.position else None

        def choose(row: Row, unmapped: Counter[str]) -> Sequence[tuple[_Maker, object]]:
            code = identifier(row[code_at])
            if code not in makers:
                unmapped[code] += 1
                return ()
            return ((makers[code], None if position_at is None else row[position_at]),)

        return choose


class _Maker:
    """Makes the raw readings of one parameter; what is constant for a sensor is made once."""

    def __init__(
        self, mapping: Mapping, table: Table, reading: Reading, at: dict[str, int]
    ) -> None:
        self.parameter: str = reading.parameter
        self._constant = _constant(mapping, table, reading)
        self._measures = [
            (
                name,
                f"{name}_text",
                at[reading.measures[name].column] if name in reading.measures else None,
            )
            for name in _measures(reading)
        ]
        self._heads: dict[tuple[str, object], Record] = {}

    @property
    def places(self) -> object:
        """Where its measures stand: makers with the same places read the same columns."""
        return self._measures

    def __call__(self, row: Row, station: str, position: object, common: Record) -> RawReading:
        measures: Record = {}
        for name, text_name, at in self._measures:
            measures[name], measures[text_name] = (None, None) if at is None else measured(row[at])
        return RawReading(self.sensor(station, position), common, measures)

    def sensor(self, station: str, position: object) -> Record:
        """Give what is constant for a sensor."""
        return self._heads.get((station, position)) or self._head(station, position)

    def measures(self, columns: list[Values]) -> Shared:
        """Make the columns of what was measured."""
        made: Shared = {}
        for name, text_name, at in self._measures:
            values = [None] * len(columns[0]) if at is None else columns[at]
            made[name], made[text_name] = measured_columns(values, measured)
        return made

    def _head(self, station: str, position: object) -> Record:
        sensor = sensor_of(station, self.parameter, position)
        head = {"station_id": station, "sensor_id": sensor, **self._constant}
        self._heads[station, position] = head
        return head


def _are_alike(makers: Sequence[_Maker], *, is_long: bool) -> bool:
    """Say whether each parameter's readings stand in columns of their own."""
    by_parameter: dict[str, list[_Maker]] = {}
    for maker in makers:
        by_parameter.setdefault(maker.parameter, []).append(maker)
    return all(
        len(same) == 1 or (is_long and all(maker.places == same[0].places for maker in same))
        for same in by_parameter.values()
    )


def _place_of_time(
    how: Time, at: dict[str, int]
) -> tuple[int, Callable[[object], Observed]] | None:
    """Give the column of the time and how to read one, where it is a time as such."""
    if how.column is None or how.epoch or how.format:
        return None
    one = observation(how, {how.column: 0})
    return at[how.column], lambda value: one((value,))


def _measures(reading: Reading) -> list[str]:
    return [measure.name for measure in parameter_of(reading.parameter).measures]


def _constant(mapping: Mapping, table: Table, reading: Reading) -> Record:
    return {
        "zone": table.time.zone,
        "source": mapping.source,
        "source_rank": mapping.rank,
        "source_table": table.table,
        "mapping_version": mapping.version,
        **_units(reading),
    }


def _units(reading: Reading) -> Record:
    """Give the units as stored; a measure that is not mapped is null, in the standard unit."""
    mapped = {name: measure.unit for name, measure in reading.measures.items()}
    standard = {m.name: m.unit for m in parameter_of(reading.parameter).measures}
    units = standard | mapped
    if list(units) == ["value"]:
        return {"unit": units["value"]}
    return {f"{name}_unit": unit for name, unit in units.items()}
