"""Sensor metadata: station, sensor and calibration rows become a record for each position.

A fault in one sensor's rows keeps that sensor's metadata from being published, and no other's.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from producers.reading.identifiers import identifier, sensor_of
from producers.reading.times import utc_micros
from producers.sensors.validity import BEGINNING, FOR_EVER, Fact, Interval, checked, refined
from runtime.errors import DataQuality
from schemas.mapping import Metadata
from weather.angles import degrees

Record = dict[str, Any]
Row = Mapping[str, Any]
_VERSION_DIGITS: Final = 8
_PLACE: Final = ("x", "y", "crs", "elevation", "station_class")
_CLASSES: Final = range(1, 6)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the metadata tables, each a mapping from the names that our mapping has to values."""

    stations: list[Row] = field(default_factory=list)
    sensors: list[Row] = field(default_factory=list)
    calibrations: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Published:
    """Records to publish, by sensor id, and why other sensors are not among them."""

    records: dict[str, Record] = field(default_factory=dict)
    problems: list[DataQuality] = field(default_factory=list)


def sensor_records(rows: Rows, how: Metadata, source: str, published_at: int) -> Published:
    """Make the metadata record of every measuring position."""
    found, known = Published(), _Known(rows, how)
    for sensor_id, sensors in known.sensors.items():
        try:
            record = known.record(sensor_id, sensors)
        except DataQuality as error:
            found.problems.append(_about(sensor_id, error))
        else:
            found.records[sensor_id] = {**record, "source": source, "published_at": published_at}
    return found


def same(one: Row, other: Row) -> bool:
    """Say whether two records tell the same, whenever they were published."""
    return {**one, "published_at": 0} == {**other, "published_at": 0}


class _Known:
    """The rows, grouped by whom they concern."""

    def __init__(self, rows: Rows, how: Metadata) -> None:
        self._how = how
        self.sensors = _grouped(self._mapped(rows.sensors), self._sensor_id)
        self._stations = _grouped(rows.stations, lambda row: identifier(row["station"]))
        self._calibrations = _grouped(rows.calibrations, lambda row: identifier(row["sensor"]))

    def record(self, sensor_id: str, rows: list[Row]) -> Record:
        """Make what the rows of one measuring position say.

        Raises:
            DataQuality: they contradict one another, or hold what cannot be read.
        """
        station_id = identifier(rows[0]["station"])
        stations = [self._station(row) for row in self._stations[station_id]]
        if not stations:
            problem = f"station {station_id} is not in table {self._how.stations.table}"
            raise DataQuality(problem, reason="no_station", mend="add the station's row")
        calibrations = {
            key: [self._calibration(row) for row in self._calibrations[key]]
            for key in (identifier(row["key"]) for row in rows)
        }
        intervals = refined([self._sensor(row) for row in rows], stations, calibrations)
        return {
            "station_id": station_id,
            "sensor_id": sensor_id,
            "parameter": self._parameter(rows[0]),
            **_names(stations),
            "intervals": [_as_record(interval) for interval in intervals],
        }

    def _mapped(self, rows: Iterable[Row]) -> list[Row]:
        how = self._how.sensors
        return [row for row in rows if how is None or identifier(row["code"]) in how.codes]

    def _parameter(self, row: Row) -> str:
        """Name the parameter; a sensor that is but supposed to be there says it itself."""
        code, how = identifier(row["code"]), self._how.sensors
        return code if how is None else how.codes[code]

    def _sensor_id(self, row: Row) -> str:
        station = identifier(row["station"])
        return sensor_of(station, self._parameter(row), row.get("position"))

    def _station(self, row: Row) -> Fact:
        crs = identifier(row.get("crs_column")) or self._how.stations.crs
        content = {
            **{name: _text(row.get(name)) for name in ("name", "wigos_id")},
            **{name: _position(row, name) for name in ("x", "y")},
            "elevation": _number(row, "elevation"),
            "crs": crs,
            **_siting(row),
        }
        return self._fact(identifier(row["station"]), row, content)

    def _sensor(self, row: Row) -> Fact:
        content: Record = {name: _text(row.get(name)) for name in ("model", "serial")}
        content["height"] = _number(row, "height")
        return self._fact(identifier(row["key"]), row, content)

    def _calibration(self, row: Row) -> Fact:
        scale, offset = _number(row, "scale"), _number(row, "offset")
        content = {"scale": 1.0 if scale is None else scale, "offset": offset or 0.0}
        return self._fact(identifier(row["key"]), row, content)

    def _fact(self, key: str, row: Row, content: Record) -> Fact:
        start = utc_micros(row.get("valid_from"), self._how.zone)
        end = utc_micros(row.get("valid_to"), self._how.zone)
        return checked(
            key,
            BEGINNING if start is None else start,
            FOR_EVER if end is None else end,
            content,
        )


def _grouped(rows: Iterable[Row], by: Callable[[Row], str]) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[by(row)].append(row)
    return groups


def _names(stations: list[Fact]) -> Record:
    """Take the names that the station bears by now."""
    latest = max(stations, key=lambda fact: fact.start).content
    return {"station_name": latest["name"], "wigos_id": latest["wigos_id"]}


def _as_record(interval: Interval) -> Record:
    station = interval.station.content
    place: Record = {name: station[name] for name in _PLACE if name in station}
    calibration = interval.calibration
    judged = calibration.content if calibration else {"scale": 1.0, "offset": 0.0}
    due = calibration.end if calibration else FOR_EVER
    content = {**place, **interval.sensor.content, **judged, "calibration_due": _end(due)}
    return {
        "valid_from": interval.start,
        "valid_to": _end(interval.end),
        "metadata_version": _version(interval.sensor.key, content),
        "calibration_version": _version(calibration.key, judged) if calibration else None,
        "station_class": None,
        **content,
    }


def _siting(row: Row) -> Record:
    """Give the station's class, where one is told: what is not told names no other content."""
    told = _number(row, "station_class")
    if told is None:
        return {}
    if told not in _CLASSES:
        problem = f"station_class is {row['station_class']!r}, not 1 to 5"
        raise DataQuality(problem, reason="bad_class", mend="correct the row")
    return {"station_class": int(told)}


def _version(key: str, content: Record) -> str:
    """Name a content: alike on every machine, and another as soon as any of it is."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return f"{key}-{hashlib.sha256(text.encode()).hexdigest()[:_VERSION_DIGITS]}"


def _end(end: int) -> int | None:
    return None if end == FOR_EVER else end


def _text(value: object) -> str | None:
    return None if value is None else identifier(value)


def _position(row: Row, name: str) -> float | None:
    """Read a coordinate; text may be degrees, minutes and seconds."""
    value = row.get(name)
    try:
        return _number(row, name)
    except DataQuality:
        try:
            return degrees(identifier(value)) if identifier(value).strip() else None
        except ValueError as error:
            problem, mend = f"{name}: {error}", "correct the row"
            raise DataQuality(problem, reason="not_a_number", mend=mend) from error


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    try:
        return None if value is None else float(value)
    except ValueError as error:
        problem = f"{name} is {value!r}, not a number"
        raise DataQuality(problem, reason="not_a_number", mend="correct the row") from error


def _about(sensor_id: str, error: DataQuality) -> DataQuality:
    problem = f"metadata of {sensor_id}: {error.message}"
    return DataQuality(problem, reason=error.reason, mend=error.mend)
