"""Raw records of all five parameters, as the source publishes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.codec import Record
from schemas.mapping import sensor_id

_ONE = {"unit": "degC", "value": 12.5, "value_text": None}
_WIND = {
    "speed_unit": "m/s",
    "direction_unit": "degree",
    "gust_unit": "m/s",
    "speed": 3.0,
    "speed_text": None,
    "direction": 270.0,
    "direction_text": None,
    "gust": 6.5,
    "gust_text": None,
}
_UNITS = {"rainfall": "mm", "temperature": "degC", "humidity": "%", "pressure": "hPa"}


def local(text: str) -> int:
    """Give a wall clock time as whole microseconds.

    >>> local("1970-01-01T00:00:01")
    1000000
    """
    wall = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return round(wall.timestamp()) * 1_000_000


def raw(
    parameter: str = "temperature", station: str = "JFK", key: str = "1", **changes: Any
) -> Record:
    """Make a raw record of noon on 2013-07-01 in New York."""
    measures = _WIND if parameter == "wind" else _ONE | {"unit": _UNITS[parameter]}
    return {
        "station_id": station,
        "sensor_id": sensor_id(station, parameter),
        "zone": "America/New_York",
        "source": "sample",
        "source_rank": 0,
        "source_table": "weather_hourly",
        "mapping_version": 1,
        "op": "upsert",
        "observed_local": local("2013-07-01T12:00:00"),
        "observed_text": None,
        "source_flag": None,
        "source_key": key,
        "source_version": 1,
        "cursor": "2013-07-01 16:02:00|1",
        "extracted_at": local("2013-07-01T17:00:00"),
        **measures,
        **changes,
    }
