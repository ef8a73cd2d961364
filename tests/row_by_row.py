"""The stream's judging once more, row by row: what the columns are held equal to.

Slow and plain: a raw record is a dictionary, a batch a list, and each clean record is made alone.
It shares with the stream what looks at one value (texts, versions) and the science, nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.mapping import Mapping as SourceMapping
from stream_app.judging.decoding import DeadLetter
from stream_app.judging.judge import Folds
from stream_app.judging.table import Table, table_of
from stream_app.judging.values import observed_local, values_of
from stream_app.judging.versions import version_of
from stream_app.metadata.sensors import NEVER_CALIBRATED, UNKNOWN, Placement, Sensor
from stream_app.transport.batch import Raw
from weather.arrays import Bools, Flags, Floats, Micros
from weather.circumstances import Circumstances
from weather.clean import Calibration, Given, Readings, clean
from weather.corrections import describe
from weather.derived import wind_components
from weather.parameters import parameter_of
from weather.qc.flags import Flag, aggregate, flags_like, overall
from weather.ruleset import DEFAULT, Ruleset
from weather.score import of_readings
from weather.time import LocalTime, is_ambiguous, to_utc

DELETE: Final = "delete"
_PARTS: Final = ("eastward", "northward")
_WORDS: Final = {Flag.SUSPECT: "range_suspect", Flag.FAIL: "range"}


class Row(NamedTuple):
    """A raw record: as it came, and as it was decoded."""

    raw: Raw
    record: Record


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
class RowJudge:
    """Judges decoded readings by sensors, mappings and a ruleset."""

    sensors: Mapping[str, Sensor]
    mappings: Mapping[tuple[str, int], SourceMapping]
    ruleset: Ruleset = DEFAULT
    future_tolerance_seconds: float = 300.0

    def judge(
        self, parameter: str, rows: Iterable[Row], folds: Folds, revision: int, now: int
    ) -> Verdicts:
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
                verdicts.clean.extend(self._clean(readable, table, folds, revision, now))
        return verdicts

    def _clean(
        self, read: list[_Read], table: Table, folds: Folds, revision: int, now: int
    ) -> list[Clean]:
        utc, versions, flag_time, late = self._times(read, table, folds)
        placements = self._placements(read, utc)
        readings = clean(
            table.parameter,
            _given(read, table),
            _calibration(placements),
            self.ruleset,
            known=_circumstances(read, table),
        )
        flag_metadata = _flag_metadata(placements)
        calibrated = _flag_calibration(placements, utc)
        judged = _Judged(
            table=table,
            records=[reading.row.record for reading in read],
            raws=[reading.row.raw for reading in read],
            placements=placements,
            local=[reading.local for reading in read],
            versions=versions,
            utc=utc,
            readings=readings,
            flag_time=flag_time,
            flag_metadata=flag_metadata,
            flag_calibration=calibrated,
            flag=overall(_measured(readings.flag, calibrated), flag_time, flag_metadata),
            in_future=late,
        )
        records = records_of(judged, self.ruleset.version, revision, now)
        return [
            Clean(raw, table.parameter, record)
            for raw, record in zip(judged.raws, records, strict=True)
        ]

    def _times(
        self, read: list[_Read], table: Table, folds: Folds
    ) -> tuple[Micros, list[int], Flags, np.ndarray[Any, np.dtype[np.bool_]]]:
        local = np.array([reading.local for reading in read], dtype=np.int64)
        fold, versions = _told(read, local, table.zone, folds)
        utc, status = to_utc(local, table.zone, fold)
        extracted = np.array([r.row.record["extracted_at"] for r in read], dtype=np.int64)
        in_future = utc > extracted + round(self.future_tolerance_seconds * 1e6)
        flags = flags_like(len(read), Flag.GOOD)
        flags[in_future | (status == LocalTime.MISSING)] = Flag.SUSPECT
        return utc, versions, flags, in_future

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


def _told(read: list[_Read], local: Micros, zone: str, told: Folds) -> tuple[Micros, list[int]]:
    folds, versions = np.zeros(len(read), dtype=np.int64), [one.version for one in read]
    for i in np.flatnonzero(is_ambiguous(local, zone)):
        record = read[i].row.record
        row = f"{record['source']}/{record['sensor_id']}", read[i].local, record["source_key"]
        folds[i] = told.fold(*row, read[i].row.raw.offset, read[i].version)
        versions[i] = told.version(*row, read[i].version)
    return folds, versions


def _given(read: list[_Read], table: Table) -> dict[str, Given]:
    values = np.array([reading.values for reading in read], dtype=np.float64)
    return {
        name: Given(values[:, i], table.units[name], table.sentinels[name])
        for i, name in enumerate(table.measures)
    }


def _circumstances(read: list[_Read], table: Table) -> Circumstances:
    local = np.array([reading.local for reading in read], dtype=np.int64)
    known = table.parameter == "rainfall" and table.interval_micros
    minutes = np.array([table.interval_micros / 60e6 for _ in read]) if known else None
    return Circumstances(observed_local=local, minutes=minutes)


def _calibration(placements: list[Placement]) -> Calibration:
    return Calibration(
        scale=np.array([p.scale for p in placements]),
        offset=np.array([p.offset for p in placements]),
    )


def _flag_metadata(placements: list[Placement]) -> Flags:
    unknown = np.array([p is UNKNOWN for p in placements])
    return np.where(unknown, Flag.NOT_EVALUATED, Flag.GOOD).astype(np.int32)


def _flag_calibration(placements: list[Placement], utc: Micros) -> Flags:
    found = [
        2 if one.expires == NEVER_CALIBRATED else 3 if at >= one.expires else 1
        for one, at in zip(placements, utc.tolist(), strict=True)
    ]
    return np.array(found, np.int32)


def _measured(flags: Flags, calibrated: Flags) -> Flags:
    return np.where(flags == Flag.MISSING, flags, aggregate(flags, calibrated))


@dataclass(frozen=True, slots=True)
class _Judged:
    """Readings of one table with everything that was found out about them; all equally long."""

    table: Table
    records: Sequence[Record]
    raws: Sequence[Raw]
    placements: Sequence[Placement]
    local: Sequence[int]
    versions: Sequence[int]
    utc: Micros
    readings: Readings
    flag_time: Flags
    flag_metadata: Flags
    flag_calibration: Flags
    flag: Flags
    in_future: Bools


def records_of(judged: _Judged, ruleset: str, revision: int, now: int) -> list[Record]:
    """Give a clean record for each reading, in their order."""
    table = judged.table
    unit = parameter_of(table.parameter).main.unit
    shared = {
        "parameter": table.parameter,
        "unit": unit,
        "ruleset_version": ruleset,
        "revision": revision,
        "processed_at": now,
    }
    names, columns = zip(*_columns(judged), strict=True)
    rows = zip(
        judged.records, judged.raws, judged.placements, zip(*columns, strict=True), strict=True
    )
    return [
        _finished(
            {
                **shared,
                **_origin(record, raw),
                **placement.fields,
                **dict(zip(names, row, strict=True)),
            }
        )
        for record, raw, placement, row in rows
    ]


def _columns(judged: _Judged) -> Iterator[tuple[str, Sequence[Any]]]:
    yield "observed_at", judged.utc.tolist()
    yield "interval_start", (judged.utc - judged.table.interval_micros).tolist()
    yield "observed_local", judged.local
    yield "source_version", judged.versions
    yield "flag", judged.flag.tolist()
    yield "flag_time", judged.flag_time.tolist()
    yield "flag_metadata", judged.flag_metadata.tolist()
    yield "flag_calibration", judged.flag_calibration.tolist()
    yield "score", _nullable(_scores(judged))
    yield "reason", _reasons(judged)
    yield "corrections", describe(judged.readings.corrections)
    for name, measure in judged.readings.measures.items():
        single = name == "value"
        yield name, _nullable(measure.value)
        yield f"raw_{name}", _nullable(measure.raw_value)
        yield "flag_range" if single else f"flag_{name}_range", measure.flag_range.tolist()
    if "direction" in judged.readings.measures:
        speed, direction = (judged.readings.measures[n].value for n in ("speed", "direction"))
        for name, part in zip(_PARTS, wind_components(speed, direction), strict=True):
            yield name, _nullable(part)


def _scores(judged: _Judged) -> Floats:
    flags = {
        "flag_range" if name == "value" else f"flag_{name}_range": measure.flag_range
        for name, measure in judged.readings.measures.items()
    }
    found = of_readings(
        {**flags, "flag_time": judged.flag_time, "flag_calibration": judged.flag_calibration},
        judged.flag == Flag.MISSING,
    )
    return np.where(judged.flag == Flag.NOT_EVALUATED, np.nan, found.score)


def _origin(record: Record, raw: Raw) -> Record:
    return {
        "station_id": record["station_id"],
        "sensor_id": record["sensor_id"],
        "source_name": record["source"],
        "source_rank": record["source_rank"],
        "source_table": record["source_table"],
        "source_key": record["source_key"],
        "mapping_version": record["mapping_version"],
        "extracted_at": record["extracted_at"],
        "op": record["op"],
        "raw_topic": raw.topic,
        "raw_partition": raw.partition,
        "raw_offset": raw.offset,
    }


def _nullable(values: Floats) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _reasons(judged: _Judged) -> list[str | None]:
    reasons: list[str | None] = [None] * len(judged.records)
    for i in (judged.flag != Flag.GOOD).nonzero()[0].tolist():
        reasons[i] = ",".join(_words(judged, i)) or None
    return reasons


def _words(judged: _Judged, i: int) -> Iterator[str]:
    if judged.flag[i] == Flag.MISSING:
        yield "missing"
    for name, measure in judged.readings.measures.items():
        if word := _WORDS.get(Flag(int(measure.flag_range[i]))):
            yield word if name == "value" else f"{name}_{word}"
    if judged.flag_time[i] != Flag.GOOD:
        yield "time_in_future" if judged.in_future[i] else "time_never_was"
    if judged.flag_calibration[i] == Flag.SUSPECT:
        yield "calibration_expired"
    if judged.flag_metadata[i] == Flag.NOT_EVALUATED:
        yield "no_metadata"
    if judged.flag[i] in (Flag.SUSPECT, Flag.FAIL):
        yield "low_score"


def _finished(record: Record) -> Record:
    """Take the judgement off a deletion: it says only that the reading is gone."""
    if record["op"] != DELETE:
        return record
    measures = [m.name for m in parameter_of(record["parameter"]).measures]
    gone: Record = {
        "flag": int(Flag.NOT_EVALUATED),
        "score": None,
        "reason": "deleted",
        "corrections": None,
        "flag_calibration": int(Flag.NOT_EVALUATED),
    }
    for name in measures:
        flag = "flag_range" if name == "value" else f"flag_{name}_range"
        gone |= {name: None, f"raw_{name}": None, flag: int(Flag.NOT_EVALUATED)}
    if record["parameter"] == "wind":
        gone |= dict.fromkeys(_PARTS)
    return record | gone
