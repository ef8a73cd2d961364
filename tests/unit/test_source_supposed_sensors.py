"""Metadata of a source that has stations and no table of sensors, and positions written as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from producers.connection.database import open_engine, reading
from producers.sensors.metadata import Rows, sensor_records
from producers.sensors.metadata_tables import read_metadata
from producers.settings import SourceSettings
from schemas.mapping import Mapping, Metadata
from tests.sources import document
from tests.unit.inspect_databases import fill
from weather.angles import degrees

pytestmark = pytest.mark.requirement("A2", "B4")
STATIONS = {"table": "stations", "station": "no", "name": "name", "x": "lon", "y": "lat"}


def published(path: Path, rows: list[tuple[Any, ...]]) -> Any:
    """Read the metadata of a database that has nothing but stations."""
    schema = "CREATE TABLE stations (no TEXT, name TEXT, lat, lon);"
    fill(path, schema, {"stations": rows})
    mapping = Mapping.model_validate({**document(), "metadata": {"stations": STATIONS}})
    engine = open_engine(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    try:
        with reading(engine, "reading the metadata") as connection:
            found = read_metadata(connection, mapping)
    finally:
        engine.dispose()
    assert mapping.metadata is not None
    return sensor_records(found, mapping.metadata, "little", published_at=5)


def test_every_station_has_the_sensors_that_the_readings_speak_of(tmp_path: Path) -> None:
    found = published(tmp_path / "a.db", [("A", "Alpha", 37.5, 127.0), ("B ", None, None, None)])
    assert found.problems == []
    kinds = {r["parameter"] for t in document()["tables"] for r in t["readings"]}
    assert set(found.records) == {f"{name}:{kind}" for name in "AB" for kind in kinds}
    record = found.records["A:temperature"]
    (interval,) = record["intervals"]
    assert (record["station_name"], interval["x"], interval["y"]) == ("Alpha", 127.0, 37.5)
    assert (interval["serial"], interval["height"], interval["scale"]) == (None, None, 1.0)


def test_positions_may_be_degrees_minutes_and_seconds(tmp_path: Path) -> None:
    rows = [("A", None, "37°34'12\"N", "126,5"), ("B", None, "4 O", "1°W")]
    found = published(tmp_path / "a.db", rows)
    (interval,) = found.records["A:temperature"]["intervals"]
    assert (interval["x"], interval["y"]) == (126.5, 37.57)
    assert {problem.reason for problem in found.problems} == {"not_a_number"}
    assert "'4 O' is no angle" in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "angle"),
    [
        ("402443N", 40.411944444), ("034041W", -3.678055556), ("S 33 52.5", -33.875),
        ("-33.5", -33.5), ("126:57:57", 126.965833333),
    ],
)  # fmt: skip
def test_angles_are_read_as_they_are_written(text: str, angle: float) -> None:
    assert degrees(text) == angle


@pytest.mark.parametrize("text", ["", "N", "37 61", "4°24'O", "-4W", "N 4 S", "4 5 6 7"])
def test_what_is_no_angle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no angle"):
        degrees(text)


def test_calibrations_without_sensors_are_refused() -> None:
    calibrations = {"table": "c", "key": "id", "sensor": "s", "scale": "a", "offset": "b"}
    with pytest.raises(ValidationError, match="name the table of sensors"):
        Metadata.model_validate({"stations": STATIONS, "calibrations": calibrations})


def test_no_metadata_at_all_gives_no_rows(tmp_path: Path) -> None:
    fill(tmp_path / "a.db", "CREATE TABLE a (x);", {})
    mapping = Mapping.model_validate({**document(), "metadata": None})
    engine = open_engine(SourceSettings(url=f"sqlite:///{tmp_path / 'a.db'}", mapping=tmp_path))
    with reading(engine, "reading the metadata") as connection:
        assert read_metadata(connection, mapping) == Rows()
    engine.dispose()
