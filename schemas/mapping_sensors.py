"""Tables of metadata in a mapping: stations, their sensors, and the calibrations of these."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from schemas.mapping_parts import Part, Zone
from schemas.mapping_tables import Parameter


class StationTable(Part):
    """Columns of the station table; of the optional ones, what is not there is left out."""

    table: str
    db_schema: str | None = None
    station: str
    name: str | None = None
    wigos_id: str | None = None
    x: str | None = None
    y: str | None = None
    crs: str = "EPSG:4326"
    crs_column: str | None = None
    elevation: str | None = None
    station_class: str | None = None
    """The WMO's siting class, 1 (best) to 5: rulesets may have limits of their own for some."""
    valid_from: str | None = None
    valid_to: str | None = None


class SensorTable(Part):
    """Columns of the sensor table: a row for each instrument at a measuring position."""

    table: str
    db_schema: str | None = None
    key: str
    station: str
    code: str
    codes: dict[str, Parameter]
    position: str | None = None
    model: str | None = None
    serial: str | None = None
    height: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None


class CalibrationTable(Part):
    """Columns of the calibration table: value = scale * measured + offset, in the standard unit."""

    table: str
    db_schema: str | None = None
    key: str
    sensor: str
    scale: str
    offset: str
    valid_from: str | None = None
    valid_to: str | None = None


class Metadata(Part):
    """Where stations, sensors and calibrations stand, and the zone of their validity times.

    Without ``sensors`` every station is supposed to have the sensors that the readings of the
    mapping speak of; nothing is known of them but their station's place.
    """

    zone: Zone = "UTC"
    stations: StationTable
    sensors: SensorTable | None = None
    calibrations: CalibrationTable | None = None

    @model_validator(mode="after")
    def _calibrations_are_of_sensors(self) -> Self:
        if self.calibrations and not self.sensors:
            problem = "calibrations belong to sensors: name the table of sensors, too"
            raise ValueError(problem)
        return self
