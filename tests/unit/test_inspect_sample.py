"""The sample: its proposal, unchanged, gives the readings that its own mapping gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from devstack.sample import MAPPING, build
from operate.cli import app
from producers.connection.database import open_engine, reading
from producers.connection.endpoints import Endpoints
from producers.reading.feed import TableFeed
from producers.reading.tables import check_mapping
from producers.sensors.metadata import sensor_records
from producers.sensors.metadata_tables import read_metadata
from producers.settings import SourceSettings
from schemas.mapping import Mapping, read_mapping
from weather.parameters import parameter_of
from weather.units import to_standard

pytestmark = [pytest.mark.requirement("A2", "A3", "A4", "B1"), pytest.mark.slow]
CLI = CliRunner()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inspect") / "sample.db"
    build(path)
    return path


@pytest.fixture(scope="module")
def written(sample: Path) -> Path:
    out = sample.parent / "out"
    ran = CLI.invoke(app, ["inspect", "--url", f"sqlite:///{sample}", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    return out


def readings(path: Path, mapping: Mapping) -> Iterator[tuple[Any, ...]]:
    """Give every reading as it will be understood: values in standard units, sentinels gone."""
    database = Endpoints.open(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    types = database.ask("reading", partial(check_mapping, mapping=mapping))
    for table in mapping.tables:
        feed = TableFeed(database, mapping, table, types[table.table], 50_000)
        for parameter, records in feed.next_page("").readings.records.items():
            mapped = mapping.reading_of(table.table, parameter)
            assert mapped is not None
            for record in records:
                values = record.as_record()
                same = (
                    values["sensor_id"], values["zone"], values["observed_local"],
                    values["source_key"], values["source_version"], values["source_flag"],
                    values["cursor"],
                )  # fmt: skip
                yield (*same, *measured(values, parameter, mapped))
    database.dispose()


def measured(values: dict[str, Any], parameter: str, mapped: Any) -> Iterator[Any]:
    for measure in parameter_of(parameter).measures:
        number, how = values[measure.name], mapped.measures.get(measure.name)
        unit = values["unit" if measure.name == "value" else f"{measure.name}_unit"]
        if number is None or (how and number in how.sentinels):
            yield None
        else:
            given = to_standard(np.array([number]), parameter, measure.name, unit)
            yield round(float(given[0]), 9)


def test_the_proposal_gives_the_readings_of_the_mapping_that_the_demo_runs(
    sample: Path, written: Path
) -> None:
    proposed = read_mapping(written / "mapping.yaml")
    ours = sorted(readings(sample, proposed), key=repr)
    theirs = sorted(readings(sample, read_mapping(MAPPING)), key=repr)
    assert len(ours) == 26_115 * 5 + 7_200
    assert ours == theirs


def test_the_proposal_tells_the_same_of_every_sensor(sample: Path, written: Path) -> None:
    engine = open_engine(SourceSettings(url=f"sqlite:///{sample}", mapping=sample))
    told = []
    for path in (written / "mapping.yaml", MAPPING):
        mapping = read_mapping(path)
        assert mapping.metadata is not None
        with reading(engine, "reading") as connection:
            rows = read_metadata(connection, mapping)
        told.append(sensor_records(rows, mapping.metadata, "sample", 0).records)
    engine.dispose()
    assert told[0] == told[1]
    assert len(told[0]) > 10


def test_every_guess_stands_beside_its_place_with_confidence_and_reason(written: Path) -> None:
    text = (written / "mapping.yaml").read_text(encoding="utf-8")
    assert "speed: {column: wind_speed, unit: mph}" in text
    assert "unit 0.90: values are multiples of 1.15078: whole knots" in text
    assert "zone 0.70: with it rows change 120 s after their observation" in text
    document = json.loads((written / "inspect.json").read_text(encoding="utf-8"))
    assert yaml.safe_load(text) == document["mapping"]
    assert document["mapping_problem"] == ""
    assert all(0 <= guess["confidence"] <= 1 and guess["reason"] for guess in document["guesses"])


def test_the_schema_document_has_keys_checks_and_relations(written: Path) -> None:
    page = (written / "schema.md").read_text(encoding="utf-8")
    assert "Rows: 26,115 (counted). Primary key: id." in page
    assert "- aws_minute (station_id) → station (station_id)" in page
    assert "index ix_aws_minute_modified: modified_at, id" in page
    assert "CHECK" not in page
    assert "check: `sensor_no >= 1`" in page


def test_the_profiles_find_what_is_wrong_with_the_sample(written: Path) -> None:
    document = json.loads((written / "inspect.json").read_text(encoding="utf-8"))
    measures = {
        (row["table"], row["code"], row["measure"]): row
        for row in document["quality"]["measures"]
    }  # fmt: skip
    assert measures["weather_hourly", None, "speed"]["out_of_range"] == 1  # 1048.36 mph
    assert measures["weather_hourly", None, "gust"]["missing"] == 20_778
    assert measures["aws_minute", "TA", "value"]["sentinels"] == 1_247
    assert measures["aws_minute", "TA", "value"]["out_of_range"] == 193
    stations = {row["station"]: row for row in document["quality"]["stations"]}
    assert stations["UAT"]["cadence_seconds"] == 60
    assert (stations["JFK"]["cadence_seconds"], stations["JFK"]["duplicates"]) == (3600, 1)
    volume = {row["table"]: row for row in document["volume"]["tables"]}
    assert volume["weather_hourly"]["rows_per_day"] == 72
    assert volume["aws_minute"]["last_write"] == "2018-10-19 06:59:20"


def test_a_table_that_is_not_there_is_a_usage_error(sample: Path) -> None:
    ran = CLI.invoke(app, ["inspect", "--url", f"sqlite:///{sample}", "--tables", "nowhere"])
    assert ran.exit_code == 2
    assert "weather_hourly" in ran.output
    assert (
        CLI.invoke(app, ["inspect", "--url", f"sqlite:///{sample}", "--zone", "Moon"]).exit_code
        == 2
    )
