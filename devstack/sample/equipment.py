"""Stations, their instruments and calibrations.

Where the stations lie is real; models, serial numbers and calibrations are made up. Every time here
is UTC. One thing happens: on 1 July 2013 at midnight of New York, JFK gets a new thermometer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Final

from devstack.sample.tables import Table, Value, as_text, from_data

INSTALLED: Final = as_text(datetime(2012, 1, 1, tzinfo=UTC))
REPLACED: Final = as_text(datetime(2013, 7, 1, 4, tzinfo=UTC))
REPLACED_AT: Final = ("JFK", "TA")
NEW_THERMOMETER_OFFSET: Final = -0.3
METRES_PER_FOOT: Final = 0.3048

PARAMETERS: Final = {
    "TA": "temperature",
    "HM": "humidity",
    "WS": "wind",
    "PA": "pressure",
    "RN": "rainfall",
}

_WIGOS: Final = {"EWR": "0-20000-0-72502", "JFK": "0-20000-0-74486", "LGA": "0-20000-0-72503"}


@dataclass(frozen=True, slots=True)
class Instrument:
    """A kind of instrument: the unit is the standard unit its calibration is in."""

    element: str
    model: str
    unit: str
    height: float
    resolution: float
    position: int = 1


_HOURLY: Final = (
    Instrument("TA", "platinum thermometer", "degC", 2.0, 0.1),
    Instrument("HM", "capacitive hygrometer", "%", 2.0, 0.01),
    Instrument("WS", "ultrasonic anemometer", "m/s", 10.0, 0.514444),
    Instrument("PA", "digital barometer", "hPa", 1.5, 0.1),
    Instrument("RN", "tipping bucket", "mm", 1.0, 0.254),
)

_MINUTELY: Final = (
    Instrument("TA", "platinum thermometer", "degC", 2.0, 0.01),
    Instrument("HM", "capacitive hygrometer", "%", 2.0, 0.01),
    Instrument("WS", "cup anemometer and vane", "m/s", 3.0, 0.001),
    Instrument("PA", "digital barometer", "hPa", 1.5, 0.001),
    Instrument("TA", "thermometer of a pyrheliometer", "degC", 2.0, 0.1, position=2),
)


_SITES: Final = {"EWR": _HOURLY, "JFK": _HOURLY, "LGA": _HOURLY, "UAT": _MINUTELY}


@dataclass(frozen=True, slots=True)
class _Fitted:
    """An instrument at a station, for as long as it hung there."""

    id: int
    station: str
    kind: Instrument
    serial: int
    valid_from: str
    valid_to: str | None

    def sensor(self) -> tuple[Value, ...]:
        kind = self.kind
        position = f"{self.station}:{PARAMETERS[kind.element]}"
        return (
            self.id,
            self.station,
            kind.element,
            kind.position,
            position if kind.position == 1 else f"{position}:{kind.position}",
            kind.model,
            f"{self.station}-{kind.element}-{kind.position}{self.serial:02}",
            kind.height,
            kind.resolution,
            self.valid_from,
            self.valid_to,
            self.valid_to or self.valid_from,
        )

    def calibration(self) -> tuple[Value, ...]:
        offset = NEW_THERMOMETER_OFFSET if self.valid_from == REPLACED else 0.0
        certificate = f"C-{self.valid_from[:4]}-{self.id:04}"
        until = self.valid_to
        modified = until or self.valid_from
        return (
            *(self.id, self.id, 1.0, offset, self.kind.unit),
            *(self.valid_from, until, certificate, modified),
        )


_STATION: Final = (
    *("station_id", "name", "wigos_id", "x", "y", "crs", "elevation", "barometer_height"),
    *("organisation", "station_class", "valid_from", "valid_to", "modified_at"),
)
_SENSOR: Final = (
    *("id", "station_id", "element", "position", "sensor_id", "model", "serial", "height"),
    *("resolution", "valid_from", "valid_to", "modified_at"),
)
_CALIBRATION: Final = (
    *("id", "sensor_row", "scale", "offset_value", "unit"),
    *("valid_from", "valid_to", "certificate", "modified_at"),
)


def tables() -> list[Table]:
    """Give the three tables, each before those that refer to it."""
    fitted = list(_all_fitted())
    return [
        Table("station", _STATION, [*_airports(), _tucson()]),
        Table("sensor", _SENSOR, [f.sensor() for f in fitted]),
        Table("calibration", _CALIBRATION, [f.calibration() for f in fitted]),
    ]


def _airports() -> Iterator[tuple[Value, ...]]:
    for row in from_data("airports.csv.xz"):
        code, ground = row["faa"], round(float(row["alt"]) * METRES_PER_FOOT, 1)
        place = (float(row["lon"]), float(row["lat"]), "EPSG:4326", ground, ground + 1.5)
        yield (
            code,
            row["name"],
            _WIGOS[code],
            *place,
            "ASOS network",
            2,
            INSTALLED,
            None,
            INSTALLED,
        )


def _tucson() -> tuple[Value, ...]:
    """Give 32.2297 N, 110.9553 W in zone 12 of UTM on NAD83, so that there is a way to go."""
    place = (504211.59, 3565897.54, "EPSG:26912", 786.0, 787.5)
    owner = ("University of Arizona", 3, INSTALLED, None, INSTALLED)
    return ("UAT", "University of Arizona, Tucson", None, *place, *owner)


def _all_fitted() -> Iterator[_Fitted]:
    numbers = count(1)
    for station, kinds in _SITES.items():
        for kind in kinds:
            replaced = REPLACED if (station, kind.element) == REPLACED_AT else None
            yield _Fitted(next(numbers), station, kind, 1, INSTALLED, replaced)
            if replaced:
                yield _Fitted(next(numbers), station, kind, 2, replaced, None)
