"""The mapping: which tables and columns of a source are which parameter, in which unit and zone.

It is data, not code: a YAML file that the source reads by, that is published on ``aos.mapping.v1``
and that every reading names by version. Two shapes of table are known: *wide* (a row holds several
parameters, one column each) and *long* (a row holds one sensor's reading; a column says which).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from runtime.errors import Configuration, DataQuality
from runtime.refusals import refusal
from schemas.cursors import Cursor
from schemas.mapping_parts import Part, Time, Via, unset
from weather.parameters import parameter_of
from weather.units import known_units

Parameter = Literal["rainfall", "temperature", "humidity", "wind", "pressure"]


class Measure(Part):
    """One measured quantity: its column, its unit as stored, what stands for *missing* there."""

    column: str
    unit: str
    sentinels: tuple[float | str, ...] = ()


class Reading(Part):
    """One parameter that a row holds.

    ``code`` is what a long table's code column says for it; ``position`` counts the sensors of one
    kind in a row of a wide table.
    """

    parameter: Parameter
    measures: dict[str, Measure]
    code: str | None = None
    position: int | None = Field(default=None, ge=1)
    interval_seconds: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _measures_fit(self) -> Self:
        allowed = [m.name for m in parameter_of(self.parameter).measures]
        if extra := set(self.measures) - set(allowed):
            problem = f"{self.parameter} has {', '.join(allowed)}, not {', '.join(sorted(extra))}"
            raise ValueError(problem)
        if allowed[0] not in self.measures:
            problem = f"{self.parameter} needs {allowed[0]}"
            raise ValueError(problem)
        for name, measure in self.measures.items():
            if measure.unit not in (known := known_units(self.parameter, name)):
                problem = f"unit {measure.unit!r} of {name} is not one of {', '.join(known)}"
                raise ValueError(problem)
        return self


class Table(Part):
    """What is common to both shapes.

    ``via`` and ``constants`` (a column's name, and what it would hold) give a row the columns that
    it lacks: a station's sensor stands in another table, or the only station stands nowhere.
    """

    table: str
    db_schema: str | None = None
    via: Via | None = None
    constants: dict[str, str] = Field(default_factory=dict)
    key: tuple[str, ...] = Field(min_length=1)
    cursor: Cursor
    station: str
    time: Time
    flag: str | None = None
    readings: tuple[Reading, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _readings_of_one_parameter_agree(self) -> Self:
        """Hold what the stream knows only by table and parameter to one answer."""
        known: dict[str, tuple[Any, ...]] = {}
        for reading in self.readings:
            sentinels = {name: set(m.sentinels) for name, m in reading.measures.items()}
            told = (sentinels, reading.interval_seconds)
            if known.setdefault(reading.parameter, told) != told:
                problem = (
                    f"the readings of {reading.parameter} differ in sentinels, measures or "
                    "interval_seconds: give all of them the same"
                )
                raise ValueError(problem)
        return self


class WideTable(Table):
    """A row for each station and time, a column for each measure."""

    shape: Literal["wide"]

    @model_validator(mode="after")
    def _sensors_differ(self) -> Self:
        sensors = [(reading.parameter, reading.position or 1) for reading in self.readings]
        if twice := {name for name, position in sensors if sensors.count((name, position)) > 1}:
            problem = f"{', '.join(sorted(twice))} stands twice: give each a position of its own"
            raise ValueError(problem)
        return self


class LongTable(Table):
    """A row for each sensor and time; ``code`` is the column that names the parameter.

    ``position`` is the column that counts a station's sensors of one kind from 1.
    """

    shape: Literal["long"]
    code: str
    position: str | None = None

    @model_validator(mode="after")
    def _codes_are_there(self) -> Self:
        codes = [reading.code for reading in self.readings]
        if None in codes or len(set(codes)) < len(codes):
            problem = "every reading of a long table needs a code of its own"
            raise ValueError(problem)
        if any(reading.position for reading in self.readings):
            problem = "a position belongs to a reading of a wide table; here it is a column"
            raise ValueError(problem)
        return self


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

    zone: str = "UTC"
    stations: StationTable
    sensors: SensorTable | None = None
    calibrations: CalibrationTable | None = None

    @model_validator(mode="after")
    def _calibrations_are_of_sensors(self) -> Self:
        if self.calibrations and not self.sensors:
            problem = "calibrations belong to sensors: name the table of sensors, too"
            raise ValueError(problem)
        return self


AnyTable = Annotated[WideTable | LongTable, Field(discriminator="shape")]


class Mapping(Part):
    """The whole mapping of one source."""

    source: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    rank: int = Field(default=0, ge=-1023, le=1023)
    """Of two sources that tell of one reading, the one of higher rank is believed."""
    licence: str = ""
    """Terms on which others may use the readings: an SPDX id, or the address of their text."""
    tables: tuple[AnyTable, ...] = Field(min_length=1)
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _tables_differ(self) -> Self:
        """Hold tables apart by what a reading tells of its own: the name, without the schema."""
        names = [table.table for table in self.tables]
        if twice := {name for name in names if names.count(name) > 1}:
            problem = (
                f"table {min(twice)} is mapped twice: give all its readings in one place; read a "
                "table of this name in another schema by a view, or as a source of its own"
            )
            raise ValueError(problem)
        return self

    @property
    def key(self) -> str:
        """Key of the mapping on its topic."""
        return f"{self.source}:{self.version}"

    def reading_of(self, table: str, parameter: str) -> Reading | None:
        """Give how ``table`` holds ``parameter``.

        Where it does so under several codes, they agree in all but code and unit, which each
        reading tells itself. A mapping is one version of one source: which one a reading was read
        by, its own ``source`` and ``mapping_version`` say.
        """
        readings = (r for t in self.tables if t.table == table for r in t.readings)
        return next((r for r in readings if r.parameter == parameter), None)

    def as_json(self) -> str:
        """Give the document as it is published."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


def published_mapping(document: str) -> Mapping:
    """Read a mapping back from its topic.

    Raises:
        DataQuality: it is none, or one of a later release than ours.
    """
    try:
        return Mapping.model_validate_json(document)
    except ValidationError as error:
        problem = f"no mapping of ours: {error}"
        raise DataQuality(problem, reason="bad_mapping") from error


def sensor_id(station: str, parameter: str, position: int = 1) -> str:
    """Name a measuring position.

    >>> sensor_id("JFK", "temperature"), sensor_id("UAT", "temperature", 2)
    ('JFK:temperature', 'UAT:temperature:2')
    """
    return f"{station}:{parameter}" if position == 1 else f"{station}:{parameter}:{position}"


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        Configuration: it is not there, no YAML, or no mapping; the message names place and mend.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
        raise _refused(path, problem) from error
    except yaml.YAMLError as error:
        raise _refused(path, f"it is not YAML: {' '.join(str(error).split())}") from error
    return parse_mapping(document, path)


def parse_mapping(document: Any, path: Path) -> Mapping:
    """Make a mapping of what a file holds.

    Raises:
        Configuration: it is none, or a draft in which something is still to be set.
    """
    if open_places := list(unset(document)):
        problem = f"still to be set by someone who knows the source: {', '.join(open_places)}"
        raise _refused(path, problem)
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        found = error.errors()
        # A list of which every item is refused counts as empty: the items say enough.
        own = [e for e in found if e["type"] != "too_short" or len(found) == 1]
        told = (f"{_place(e['loc'], document)}: {refusal(e)}" for e in own)
        raise _refused(path, "; ".join(told)) from error


def _place(location: Sequence[int | str], document: Any) -> str:
    """Name a place: a table by its name, a reading by its code or parameter, not by a number."""
    named: list[str] = []
    spot = document
    for before, part in zip((None, *location), location, strict=False):
        if isinstance(before, int) and part in {"wide", "long"}:
            continue  # which shape it was held to, no key of the document
        spot = _below(spot, part)
        names = (_below(spot, key) for key in ("table", "code", "parameter"))
        known = next((name for name in names if isinstance(name, str)), part)
        named.append(str(known if isinstance(part, int) else part))
    return ".".join(named)


def _below(spot: Any, part: int | str) -> Any:
    try:
        return spot[part]
    except (LookupError, TypeError):
        return None


def _refused(path: Path, problem: str) -> Configuration:
    mend = "correct the file; docs/mapping.md shows every key"
    return Configuration.of("source.mapping", str(path), problem, mend=mend)
