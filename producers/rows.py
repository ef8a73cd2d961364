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

from producers.clocks import observation
from producers.cursors import Mark
from producers.encoding import RawReading
from producers.identifiers import identifier, sensor_of
from schemas.mapping import AnyTable, LongTable, Mapping, Reading, Table
from weather.parameters import parameter_of

Record = dict[str, Any]
Row = Sequence[Any]
_NUMBERS: Final = (int, float, Decimal)
_ON_EVERY_TABLE: Final = ("station", "flag", "code", "position")


@dataclass(slots=True)
class Readings:
    """What a page of rows holds.

    Attributes:
        records: raw readings by parameter, in the order of the rows.
        unmapped: how many rows a code had that the mapping does not name; they are not published.
    """

    records: dict[str, list[RawReading]] = field(default_factory=dict)
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
        self._station = self._at[table.station]
        self._flag = self._at[table.flag] if table.flag else None
        self._makers = [_Maker(mapping, table, reading, self._at) for reading in table.readings]
        positions = [reading.position for reading in table.readings]
        self._all = list(zip(self._makers, positions, strict=True))
        self._chosen = self._by_code(table) if isinstance(table, LongTable) else self._every

    def readings(self, rows: Iterable[Row], extracted_at: int) -> Readings:
        """Give all readings of ``rows``; ``extracted_at`` in UTC microseconds.

        Raises:
            DataQuality: the cursor's columns of a row do not hold what the cursor lives on.
        """
        found = Readings({maker.parameter: [] for maker in self._makers})
        for row in rows:
            common = self._common(row, extracted_at)
            station = identifier(row[self._station])
            for maker, position in self._chosen(row, found.unmapped):
                found.records[maker.parameter].append(maker(row, station, position, common))
        return found

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

    def __call__(self, row: Row, station: str, position: object, common: Record) -> RawReading:
        head = self._heads.get((station, position)) or self._head(station, position)
        measures: Record = {}
        for name, text_name, at in self._measures:
            measures[name], measures[text_name] = (None, None) if at is None else measured(row[at])
        return RawReading(head, common, measures)

    def _head(self, station: str, position: object) -> Record:
        sensor = sensor_of(station, self.parameter, position)
        head = {"station_id": station, "sensor_id": sensor, **self._constant}
        self._heads[station, position] = head
        return head


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
