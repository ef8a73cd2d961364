"""From raw readings to judged ones: the stream's own step, as a function of what it is given.

Readings that share source, mapping, table, zone and units are judged together, as arrays, by the
science of ``weather/``. A reading that cannot be used comes back with its reason instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import numpy as np

from runtime.errors import DataQuality
from schemas.columnar import Integers, numbers, strings
from schemas.mapping import Mapping as SourceMapping
from stream_app.judging.decoding import DeadLetter, Decoded, several
from stream_app.judging.heads import Head
from stream_app.judging.health import health_flags
from stream_app.judging.held import Books, held
from stream_app.judging.judged import Judged, joined
from stream_app.judging.placed import (
    calibration_flags,
    calibration_of,
    classes_of,
    metadata_flags,
)
from stream_app.judging.reading import Read, read
from stream_app.judging.table import Table, table_of
from stream_app.metadata.sensors import Sensor
from stream_app.metadata.turns import Turns
from stream_app.overrides.table import Overrides
from stream_app.rulesets.parts import parted
from stream_app.rulesets.table import Rulesets
from weather.arrays import Bools, Flags, Micros
from weather.circumstances import Circumstances, arrival_of
from weather.clean import Given, clean
from weather.corrections import ALL, Correction
from weather.limits import Timeliness
from weather.qc.arrival import Arrival
from weather.qc.flags import NOT_EVALUATED, SUSPECT, Flag, flags_like
from weather.rain import Counter
from weather.ruleset import Ruleset
from weather.time import LocalTime, to_utc

_MINUTE: Final = 60_000_000


class Folds(Protocol):
    """Who tells the two comings of a repeated hour apart."""

    def fold(
        self, told_by: str, observed_local: int, source_key: str, raw_offset: int, version: int
    ) -> int:
        """Say whether a row holds the first (0) or the second (1)."""

    def version(self, told_by: str, observed_local: int, source_key: str, version: int) -> int:
        """Give the version under which it is to stand in its hour."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges decoded readings by sensors, mappings, rulesets and what people say.

    ``allowed`` are the corrections that it makes. One that does not ``validate`` only cleans: all
    flags are 2, or 9 where a reading is missing. A mapping may take either from its own readings.
    Where ``turns`` tell of every change, what was looked up for one batch may serve the next.
    """

    sensors: Mapping[str, Sensor]
    mappings: Mapping[tuple[str, int], SourceMapping]
    rulesets: Rulesets = field(default_factory=Rulesets)
    future_tolerance_seconds: float = 300.0
    allowed: Correction = ALL
    validate: bool = True
    overrides: Overrides = field(default_factory=Overrides)
    turns: Turns | None = None

    def judged(
        self, parts: Sequence[Decoded], folds: Folds, dead: list[DeadLetter]
    ) -> dict[str, Judged]:
        """Judge readings, give them by parameter, and add to ``dead`` what cannot be used."""
        found: dict[str, list[Judged]] = {}
        for part in parts:
            for of_table in self._by_table(part, dead):
                if len(of_table.local):
                    found.setdefault(part.parameter, []).extend(self._judged(of_table, folds))
        return {parameter: joined(parts) for parameter, parts in found.items()}

    def _by_table(self, part: Decoded, dead: list[DeadLetter]) -> Iterator[Read]:
        """Part readings by what decides how they are to be read, and read them."""
        table_of_row = part.alike.tables[part.shared]
        tables = several(table_of_row)
        for number in tables:
            rows = np.flatnonzero(table_of_row == number)
            same = part if len(tables) == 1 else part.take(rows)
            try:
                record = same.heads[same.head[0]].record
                table = table_of(part.parameter, record, self.mappings)
            except DataQuality as error:
                dead += [DeadLetter(same.records.raw(row), error) for row in range(len(rows))]
            else:
                yield read(same, table, dead)

    def _judged(self, of_table: Read, folds: Folds) -> Iterator[Judged]:
        times = self._times(of_table, folds)
        for ruleset, rows in parted(self.rulesets.history, times.utc):
            if isinstance(rows, slice):
                yield self._by(ruleset, of_table, times)
            else:
                yield self._by(ruleset, of_table.take(rows), times.take(rows))

    def _by(self, ruleset: Ruleset, of_table: Read, times: _Times) -> Judged:
        decoded, table, utc = of_table.decoded, of_table.table, times.utc
        books = Books(self.sensors, self.overrides, self.turns)
        origins, origin, hands = held(decoded, utc, ruleset.version, books)
        known = _circumstances(of_table, classes_of(origins, origin) if ruleset.overrides else None)
        under_way = self._under_way(of_table, times, ruleset, known)
        readings = clean(
            table.parameter,
            _given(of_table),
            calibration_of(origins, origin),
            ruleset if self._judges(table) else None,
            self._allowed(table),
            known,
        )
        in_date = calibration_flags(origins, origin, utc)
        if not self._judges(table):
            in_date[:] = NOT_EVALUATED
        return Judged(
            parameter=table.parameter,
            origins=origins,
            origin=origin,
            hands=hands,
            offsets=decoded.records.offsets,
            published=decoded.records.published,
            keys=decoded.records.keys,
            source_key=strings(decoded.columns, "source_key"),
            extracted=numbers(decoded.columns, "extracted_at"),
            local=of_table.local,
            utc=utc,
            interval=np.full(len(utc), table.interval_micros),
            version=times.version,
            measures=readings.measures,
            corrections=readings.corrections,
            flag_measured=readings.flag,
            flag_time=self._flag_time(table, times, under_way),
            flag_metadata=metadata_flags(origins, origin),
            flag_calibration=in_date,
            in_future=under_way.ahead,
            deleted=origins.deletes[origin],
            behind=np.zeros(len(utc), np.int64),
            counters=self._counters(table, len(origins)),
            health=self._health(decoded, table),
            left_out=np.full(len(utc), table.left_out) if table.left_out else None,
            late=None if under_way.late is None else under_way.late & ~times.skipped,
        )

    def _under_way(
        self, of_table: Read, times: _Times, ruleset: Ruleset, known: Circumstances
    ) -> Arrival:
        """Look at the time from observing to reading; both stand in the raw record."""
        extracted = numbers(of_table.decoded.columns, "extracted_at")
        usual = Timeliness(self.future_tolerance_seconds / 60)
        return arrival_of(of_table.table.parameter, times.utc, extracted, ruleset, known, usual)

    def _flag_time(self, table: Table, times: _Times, under_way: Arrival) -> Flags:
        if not self._judges(table):
            return flags_like(len(times.utc), Flag.NOT_EVALUATED)
        flags = under_way.flags
        flags[times.skipped] = SUSPECT
        return flags

    def _judges(self, table: Table) -> bool:
        return self.validate and table.validate

    def _allowed(self, table: Table) -> Correction:
        return self.allowed if table.clean else Correction(0)

    def _health(self, decoded: Decoded, table: Table) -> Flags | None:
        if table.health is None or not self._judges(table):
            return None
        return health_flags(strings(decoded.columns, "source_flag"), table.health)

    def _counters(self, table: Table, count: int) -> Sequence[Counter | None]:
        allowed = self._allowed(table)
        counts = table.counter is not None and Correction.RAIN_FROM_COUNTER in allowed
        return (table.counter,) * count if counts else ()

    def _times(self, of_table: Read, folds: Folds) -> _Times:
        local, zone, version = of_table.local, of_table.table.zone, of_table.version
        utc, status = to_utc(local, zone)
        twice = np.flatnonzero(status == LocalTime.AMBIGUOUS)
        if len(twice):
            fold, version = np.zeros(len(local), np.int64), version.copy()
            fold[twice], version[twice] = _told(of_table, twice, folds)
            utc, status = to_utc(local, zone, fold)
        return _Times(utc, version, status == LocalTime.MISSING)


class _Times(NamedTuple):
    """When readings of a table were made, their versions, and whether the hour never was."""

    utc: Micros
    version: Integers
    skipped: Bools

    def take(self, rows: Integers) -> _Times:
        """Pick readings."""
        return _Times(self.utc[rows], self.version[rows], self.skipped[rows])


def told_by(head: Head) -> str:
    """Name whose rows are compared to tell the two comings of an hour apart."""
    return f"{head.source}/{head.sensor}"


def _told(of_table: Read, rows: Integers, folds: Folds) -> tuple[list[int], list[int]]:
    """Give fold and version of rows with a repeated local time."""
    decoded = of_table.decoded
    keys = strings(decoded.columns, "source_key").take(rows).bytes()
    found, versions = [], []
    for row, key in zip(rows.tolist(), keys, strict=True):
        who, local = told_by(decoded.heads[decoded.head[row]]), int(of_table.local[row])
        offset, version = int(decoded.records.offsets[row]), int(of_table.version[row])
        found.append(folds.fold(who, local, key.decode(), offset, version))
        versions.append(folds.version(who, local, key.decode(), version))
    return found, versions


def _given(of_table: Read) -> dict[str, Given]:
    table: Table = of_table.table
    return {
        name: Given(values, table.units[name], table.sentinels[name])
        for name, values in of_table.values.items()
    }


def _circumstances(of_table: Read, classes: Integers | None) -> Circumstances:
    """Say when and at what stations readings were made, and over how long rain fell."""
    table, minutes = of_table.table, None
    if table.parameter == "rainfall" and table.interval_micros and table.counter is None:
        minutes = np.full(len(of_table.local), table.interval_micros / _MINUTE)
    return Circumstances(of_table.local, classes, minutes)
