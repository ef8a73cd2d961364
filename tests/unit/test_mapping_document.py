"""The mapping document says what happens, in names that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from devstack.sample import MAPPING
from operate.cli import app
from schemas import avsc
from schemas.mapping import read_mapping
from schemas.mapping_document import document, lines
from schemas.topics import Topics, clean_schema, raw_schema

pytestmark = pytest.mark.requirement("B1")
ROOT = Path(__file__).parents[2]
COPY = ROOT / "docs" / "mapping-sample.md"


def test_the_copy_in_the_docs_is_that_of_the_sample() -> None:
    assert COPY.read_text(encoding="utf-8") == document(read_mapping(MAPPING))


def test_every_field_that_it_names_is_in_the_schemas() -> None:
    topics = Topics()
    schemas = {topics.raw(p): raw_schema(p) for p in ("rainfall", "wind")}
    schemas |= {topics.clean(p): clean_schema(p) for p in ("rainfall", "wind")}
    seen = set()
    for line in lines(read_mapping(MAPPING)):
        for told in (line.raw, line.clean):
            topic, _, fields = told.partition(": ")
            if topic in schemas:
                known = {field["name"] for field in avsc.load(schemas[topic])["fields"]}
                assert set(fields.split(", ")) <= known
                seen.add(topic)
    assert seen == set(schemas)


def test_every_table_column_that_it_names_is_in_the_migrations() -> None:
    sql = "".join(p.read_text() for p in sorted((ROOT / "sink" / "migrations").glob("*.sql")))
    named = {name for line in lines(read_mapping(MAPPING)) for name in line.table.split(", ")}
    columns = {name.rpartition(".")[2] for name in named if name}
    assert {"raw_speed", "observed_at", "calibration_scale"} <= columns
    assert {column for column in columns if not re.search(rf"\b{column}\b", sql)} == set()


def test_conversion_sentinels_and_limits_stand_beside_each_measure() -> None:
    told = {line.source: line for line in lines(read_mapping(MAPPING))}
    speed, air = told["weather_hourly.wind_speed"], told["aws_minute[element = TA].value"]
    assert speed.conversion == "mph → m/s: x * 0.44704"
    assert speed.rule == "outside 0 to 75 m/s: flag 4"
    assert "-7999.0" in air.missing


def test_the_command_writes_it_and_refuses_a_mapping_that_is_none(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["mapping", "document", "--file", str(MAPPING)])
    assert (ran.exit_code, ran.output) == (0, COPY.read_text(encoding="utf-8"))
    assert CliRunner().invoke(app, ["mapping", "check", "--file", str(MAPPING)]).exit_code == 0
    (tmp_path / "draft.yaml").write_text("source: SET-ME\n")
    refused = CliRunner().invoke(app, ["mapping", "check", "--file", str(tmp_path / "draft.yaml")])
    assert refused.exit_code == 2
    assert "still to be set by someone who knows the source: source" in refused.output
