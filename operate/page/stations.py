"""Stations with their sensors and newest readings, a page at a time, by the key of the last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from psycopg.rows import dict_row

from operate.freshness import Limits
from sink.database import Connection

Document = dict[str, Any]

_WGS84: Final = "EPSG:4326"

# Of whom metadata or readings tell, as weather.latest does.
_PAGE: Final = """
SELECT station_id FROM (
    SELECT station_id FROM weather.sensor
    WHERE deleted_at IS NULL AND station_id > %(after)s
    UNION
    SELECT split_part(sensor_id, ':', 1) FROM weather.sensor_cadence
    WHERE split_part(sensor_id, ':', 1) > %(after)s
) AS known
ORDER BY station_id
LIMIT %(limit)s
"""

# A sensor as metadata has it now; of one without metadata its id says station and parameter.
_SENSORS: Final = """
SELECT coalesce(described.station_id, split_part(sensor_id, ':', 1)) AS station_id, sensor_id,
       coalesce(described.parameter, known.parameter) AS parameter,
       station_name, wigos_id, x, y, crs, elevation, height, model, serial,
       calibration_due, extract(epoch FROM known.cadence)::float8 AS cadence_seconds
FROM (
    SELECT DISTINCT ON (sensor_id) *
    FROM weather.sensor
    WHERE station_id = ANY(%(stations)s) AND deleted_at IS NULL AND valid_from <= now()
    ORDER BY sensor_id, valid_from DESC, published_at DESC
) AS described
FULL JOIN (
    SELECT * FROM weather.sensor_cadence
    WHERE split_part(sensor_id, ':', 1) = ANY(%(stations)s)
) AS known USING (sensor_id)
ORDER BY sensor_id
"""

_LATEST: Final = """
SELECT sensor_id, measure, observed_at, value, raw_value, unit, flag, score, reason,
       latitude, longitude
FROM weather.latest
WHERE sensor_id = ANY(%(sensors)s)
"""


def stations(connection: Connection, after: str, limit: int) -> Document:
    """Give the stations behind ``after`` in the order of their ids, and where the next page begins.

    ``next`` is null where there are no more.
    """
    asked = {"after": after, "limit": limit + 1}
    found = [name for (name,) in connection.execute(_PAGE, asked)]
    ids = found[:limit]
    following = ids[-1] if len(found) > limit else None
    return {"stations": _described(connection, ids), "next": following}


def station(connection: Connection, name: str) -> Document | None:
    """Give one station; None where neither metadata nor readings tell of it."""
    found = _described(connection, [name])
    return found[0] if found[0]["sensors"] else None


def _described(connection: Connection, ids: list[str]) -> list[Document]:
    cursor = connection.cursor(row_factory=dict_row)
    sensors = cursor.execute(_SENSORS, {"stations": ids}).fetchall()
    names = [row["sensor_id"] for row in sensors]
    return grouped(ids, sensors, cursor.execute(_LATEST, {"sensors": names}).fetchall())


def grouped(
    ids: Sequence[str], sensors: Iterable[Document], newest: Iterable[Document]
) -> list[Document]:
    """Put the measures under their sensors, and the sensors under their stations."""
    measures: dict[str, list[Document]] = {}
    for row in newest:
        measures.setdefault(row["sensor_id"], []).append(row)
    of_station: dict[str, list[Document]] = {station: [] for station in ids}
    for row in sensors:
        of_station[row["station_id"]].append({**row, "latest": measures.get(row["sensor_id"], [])})
    return [_station(station, members) for station, members in of_station.items()]


def with_limits(found: list[Document], limits: Limits) -> list[Document]:
    """Add to each sensor after how long it is late: as the API and the doctor hold it to be."""
    for sensor in (one for station in found for one in station["sensors"]):
        known = sensor["cadence_seconds"]
        wait = limits.wait(timedelta(seconds=known) if known else None)
        sensor["late_after_seconds"] = wait.total_seconds()
    return found


def _station(station: str, sensors: Sequence[Document]) -> Document:
    described = next((one for one in sensors if one["station_name"]), sensors[0] if sensors else {})
    return {
        "station_id": station,
        "name": described.get("station_name"),
        "wigos_id": described.get("wigos_id"),
        "elevation": described.get("elevation"),
        **_place(sensors),
        "sensors": [_sensor(one) for one in sensors],
    }


def _sensor(row: Document) -> Document:
    kept = ("sensor_id", "parameter", "model", "serial", "height", "calibration_due")
    latest: list[Document] = row["latest"]
    first = latest[0] if latest else {}
    told = ("observed_at", "flag", "score", "reason")
    values = ("measure", "value", "raw_value", "unit")
    return {
        **{name: row[name] for name in kept},
        "cadence_seconds": row["cadence_seconds"],
        **{name: first.get(name) for name in told},
        "values": [{name: one[name] for name in values} for one in latest],
    }


def _place(sensors: Iterable[Document]) -> Document:
    """Say where a station is in WGS84: as its readings do, or as metadata does in that system."""
    for sensor in sensors:
        for one in sensor["latest"]:
            if one["latitude"] is not None and one["longitude"] is not None:
                return {"latitude": one["latitude"], "longitude": one["longitude"]}
        if sensor["crs"] == _WGS84 and sensor["x"] is not None:
            return {"latitude": sensor["y"], "longitude": sensor["x"]}
    return {"latitude": None, "longitude": None}
