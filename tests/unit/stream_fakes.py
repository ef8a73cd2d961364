"""Small stand-ins at the stream's seams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.codec import Record
from schemas.mapping import Mapping


@dataclass(frozen=True)
class Fetched:
    """A record as a consumer gives it."""

    topic: str
    partition: int = 0
    offset: int = 0
    key: bytes | None = b"JFK"
    value: bytes | None = None


def mapping(parameter: str, **reading: Any) -> Mapping:
    """Make a mapping of one wide table with one parameter."""
    measures = (
        {name: {"column": name, "unit": unit} for name, unit in WIND_UNITS.items()}
        if parameter == "wind"
        else {"value": {"column": "v", "unit": UNITS[parameter], "sentinels": ["MM", -99.0]}}
    )
    table = {
        "shape": "wide",
        "table": "weather_hourly",
        "key": ["id"],
        "cursor": {"column": "modified_at", "id": "id"},
        "station": "station_id",
        "time": {"column": "observed_at", "zone": "America/New_York"},
        "readings": [{"parameter": parameter, "measures": measures, **reading}],
    }
    return Mapping.model_validate({"source": "sample", "version": 1, "tables": [table]})


UNITS = {"rainfall": "mm", "temperature": "degC", "humidity": "%", "pressure": "hPa"}
WIND_UNITS = {"speed": "m/s", "direction": "degree", "gust": "m/s"}


def metadata(sensor: str, *intervals: Record) -> Record:
    """Make the metadata record of a sensor."""
    return {
        "station_id": sensor.split(":", maxsplit=1)[0],
        "sensor_id": sensor,
        "parameter": sensor.split(":")[1],
        "station_name": None,
        "wigos_id": "0-20000-0-74486",
        "source": "sample",
        "intervals": list(intervals),
        "published_at": 0,
    }


def interval(valid_from: int, valid_to: int | None = None, **changes: Any) -> Record:
    """Make a validity interval in WGS84."""
    return {
        "valid_from": valid_from,
        "valid_to": valid_to,
        "metadata_version": "m1",
        "calibration_version": "c1",
        "x": -73.78,
        "y": 40.64,
        "crs": "EPSG:4326",
        "elevation": 4.0,
        "height": 2.0,
        "model": None,
        "serial": None,
        "scale": 1.0,
        "offset": 0.0,
        "calibration_due": None,
        **changes,
    }
