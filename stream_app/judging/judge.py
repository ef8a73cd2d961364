"""From raw readings to clean ones: the stream's own step, as a function of what it is given.

Readings that share source, mapping, table and parameter are judged together, as arrays, by the
science of ``weather/``. A reading that cannot be used comes back with its reason instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.dead_letters import Stage
from schemas.mapping import Mapping as SourceMapping
from stream_app.judging.clean_record import Judged, records_of
from stream_app.judging.table import Table, table_of
from stream_app.judging.values import observed_local, values_of
from stream_app.judging.versions import version_of
from stream_app.metadata.sensors import UNKNOWN, Placement, Sensor
from stream_app.transport.batch import Raw
from stream_app.window.state import Overlay
from weather.arrays import Flags, Micros
from weather.clean import Calibration, Given, clean
from weather.qc.flags import Flag, flags_like, overall
from weather.ruleset import DEFAULT, Ruleset
from weather.time import LocalTime, is_ambiguous, to_utc


class Row(NamedTuple):
    """A raw record: as it came, and as it was decoded."""

    raw: Raw
    record: Record


class DeadLetter(NamedTuple):
    """A raw record that cannot be used, and why."""

    raw: Raw
    error: DataQuality
    stage: Stage = Stage.CLEANING


class Clean(NamedTuple):
    """A clean reading on its way: the raw record gives key and partition."""

    raw: Raw
    parameter: str
    record: Record


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What became of a batch: each of its records stands in one of the two."""

    clean: list[Clean]
    dead: list[DeadLetter]


class _Read(NamedTuple):
    row: Row
    local: int
    version: int
    values: list[float]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges decoded readings by sensors, mappings and a ruleset."""

    sensors: Mapping[str, Sensor]
    mappings: Mapping[tuple[str, int], SourceMapping]
    ruleset: Ruleset = DEFAULT
    future_tolerance_seconds: float = 300.0

    def judge(self, parameter: str, rows: Iterable[Row], overlay: Overlay, now: int) -> Verdicts:
        """Judge readings of one parameter; ``now`` (UTC micros) becomes their processing time."""
        verdicts = Verdicts([], [])
        for rows_of_table in _by_table(rows):
            try:
                table = table_of(parameter, rows_of_table[0].record, self.mappings)
            except DataQuality as error:
                verdicts.dead.extend(DeadLetter(row.raw, error) for row in rows_of_table)
                continue
            readable = _read(rows_of_table, table, verdicts)
            if readable:
                verdicts.clean.extend(self._clean(readable, table, overlay, now))
        return verdicts

    def _clean(self, read: list[_Read], table: Table, overlay: Overlay, now: int) -> list[Clean]:
        utc, flag_time, late = self._times(read, table, overlay)
        placements = self._placements(read, utc)
        readings = clean(
            table.parameter, _given(read, table), _calibration(placements), self.ruleset
        )
        flag_metadata = _flag_metadata(placements)
        judged = Judged(
            table=table,
            records=[reading.row.record for reading in read],
            raws=[reading.row.raw for reading in read],
            placements=placements,
            local=[reading.local for reading in read],
            versions=[reading.version for reading in read],
            utc=utc,
            readings=readings,
            flag_time=flag_time,
            flag_metadata=flag_metadata,
            flag=overall(readings.flag, flag_time, flag_metadata),
            in_future=late,
        )
        records = records_of(judged, self.ruleset.version, overlay.revision, now)
        return [
            Clean(raw, table.parameter, record)
            for raw, record in zip(judged.raws, records, strict=True)
        ]

    def _times(
        self, read: list[_Read], table: Table, overlay: Overlay
    ) -> tuple[Micros, Flags, np.ndarray[Any, np.dtype[np.bool_]]]:
        local = np.array([reading.local for reading in read], dtype=np.int64)
        utc, status = to_utc(local, table.zone, _folds(read, local, table.zone, overlay))
        extracted = np.array([r.row.record["extracted_at"] for r in read], dtype=np.int64)
        in_future = utc > extracted + round(self.future_tolerance_seconds * 1e6)
        flags = flags_like(len(read), Flag.GOOD)
        flags[in_future | (status == LocalTime.MISSING)] = Flag.SUSPECT
        return utc, flags, in_future

    def _placements(self, read: list[_Read], utc: Micros) -> list[Placement]:
        sensors = self.sensors
        found = []
        for reading, observed_at in zip(read, utc.tolist(), strict=True):
            sensor = sensors.get(reading.row.record["sensor_id"])
            found.append(sensor.at(observed_at) if sensor else UNKNOWN)
        return found


def _by_table(rows: Iterable[Row]) -> list[list[Row]]:
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        r = row.record
        key = (r["source"], r["mapping_version"], r["source_table"], r["zone"], *_units(r))
        grouped.setdefault(key, []).append(row)
    return list(grouped.values())


def _units(record: Record) -> tuple[str, ...]:
    if "unit" in record:
        return (record["unit"],)
    return (record["speed_unit"], record["direction_unit"], record["gust_unit"])


def _read(rows: list[Row], table: Table, verdicts: Verdicts) -> list[_Read]:
    readable = []
    for row in rows:
        try:
            read = _read_row(row, table)
        except DataQuality as error:
            verdicts.dead.append(DeadLetter(row.raw, error))
        else:
            readable.append(read)
    return readable


def _read_row(row: Row, table: Table) -> _Read:
    record = row.record
    values = values_of(record, table.measures)
    return _Read(row, observed_local(record), version_of(record), values)


def _folds(read: list[_Read], local: Micros, zone: str, overlay: Overlay) -> Micros:
    folds = np.zeros(len(read), dtype=np.int64)
    for i in np.flatnonzero(is_ambiguous(local, zone)):
        record = read[i].row.record
        told_by = f"{record['source']}/{record['sensor_id']}"
        folds[i] = overlay.fold(told_by, read[i].local, record["source_key"])
    return folds


def _given(read: list[_Read], table: Table) -> dict[str, Given]:
    values = np.array([reading.values for reading in read], dtype=np.float64)
    return {
        name: Given(values[:, i], table.units[name], table.sentinels[name])
        for i, name in enumerate(table.measures)
    }


def _calibration(placements: list[Placement]) -> Calibration:
    return Calibration(
        scale=np.array([p.scale for p in placements]),
        offset=np.array([p.offset for p in placements]),
    )


def _flag_metadata(placements: list[Placement]) -> Flags:
    unknown = np.array([p is UNKNOWN for p in placements])
    return np.where(unknown, Flag.NOT_EVALUATED, Flag.GOOD).astype(np.int32)
