"""Tables that grow a column, records with a field more, and the ledger that is kept short."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
import yaml
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from typer.testing import CliRunner, Result

from operate.cli import app
from schemas import avsc
from schemas.registry import subject_of
from schemas.topics import clean_schema
from tests.clean_records import clean
from tests.sinks import Rig

Run = Callable[..., Result]


@pytest.fixture
def run(postgres: str, namespace: str, tmp_path: Path) -> Run:
    """Give a way to run ``aos db``."""
    config = tmp_path / "aos.yaml"
    settings = {"topics": {"namespace": namespace}, "sink": {"database_url": postgres}}
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, ["db", *words, "--config", str(config)])


@pytest.mark.requirement("C5")
def test_a_field_that_the_sink_does_not_know_stops_nothing(rig: Rig) -> None:
    rig.publisher.readings([clean("wind", 0)])
    topic = rig.topics.clean("wind")
    rig.publisher.send([(topic, b"JFK", _with_a_field_more(rig, topic, clean("wind", 1)))])
    rig.publisher.end(commit=True)
    counts = rig.load().counts
    assert (counts.inserted, counts.dead_lettered) == (2, 0)


def _with_a_field_more(rig: Rig, topic: str, record: dict[str, Any]) -> bytes:
    schema = {**avsc.load(clean_schema("wind"))}
    more = {"name": "gust_at", "type": ["null", "long"], "default": None}
    schema["fields"] = [*schema["fields"], more]
    with SchemaRegistryClient({"url": rig.registry.url}) as client:
        found = client.register_schema(subject_of(topic), Schema(json.dumps(schema), "AVRO"))
    body = BytesIO()
    fastavro.schemaless_writer(body, schema, {**record, "gust_at": 7})
    return b"\0" + int(found).to_bytes(4, "big") + body.getvalue()


@pytest.mark.requirement("C5")
def test_a_nullable_column_more_stops_nothing(rig: Rig) -> None:
    rig.load()
    rig.query("ALTER TABLE weather.wind ADD COLUMN gust_at timestamptz")
    rig.publisher.readings([clean("wind", 0), clean("wind", 1)])
    assert rig.load().counts.inserted == 2
    rig.publisher.readings([clean("wind", 1, revision=2), clean("wind", 2)])
    assert rig.load().counts.updated == 1
    assert [row["gust_at"] for row in rig.readings("wind")] == [None] * 3


@pytest.mark.requirement("C7", "D9")
def test_the_ledger_accounts_for_every_record_between_its_offsets(rig: Rig) -> None:
    topic = rig.topics.clean("wind")
    rig.publisher.readings([clean("wind", n) for n in range(5)])
    rig.load()
    changed = [clean("wind", 0, revision=2), clean("wind", 1, revision=2, op="delete")]
    rig.publisher.readings([*changed, clean("wind", 2), clean("wind", 9)])
    rig.publisher.send([(topic, b"JFK", b"no avro")])
    rig.publisher.end(commit=True)
    rig.load()
    entries = rig.query("SELECT * FROM ops.sink_batch WHERE topic = %s ORDER BY batch_id", topic)
    counts = ("records", "inserted", "updated", "skipped", "deleted", "dead_lettered")
    total = {name: sum(entry[name] for entry in entries) for name in counts}
    assert total == {
        "records": 10,
        "inserted": 6,
        "updated": 2,
        "skipped": 1,
        "deleted": 1,
        "dead_lettered": 1,
    }
    assert all(entry["duration"].total_seconds() > 0 for entry in entries)
    spans = [span for entry in entries for span in entry["offsets"].items()]
    reached: dict[str, int] = {}
    for partition, (first, following) in spans:
        assert reached.get(partition, first) <= first < following
        reached[partition] = following


@pytest.mark.requirement("C1")
def test_tidying_forgets_what_the_ledger_need_not_know_and_learns_cadences(
    rig: Rig, run: Run
) -> None:
    rig.publisher.readings([clean("wind", n) for n in range(5)])
    rig.load()
    rig.query("UPDATE ops.sink_batch SET started_at = now() - INTERVAL '31 days'")
    rig.publisher.readings([clean("rainfall", 0)])
    rig.load()  # at its start a sink on plain PostgreSQL tidies
    assert {row["topic"] for row in rig.query("SELECT topic FROM ops.sink_batch")} == {
        rig.topics.clean("rainfall")
    }
    assert "0 entries" in run("tidy").stdout
    found = rig.query("SELECT sensor_id, cadence::text FROM weather.sensor_cadence")
    assert found == [{"sensor_id": "JFK:wind", "cadence": "01:00:00"}]


@pytest.mark.requirement("F3")
def test_what_the_documents_ask_the_tables_can_be_asked(run: Run) -> None:
    run("migrate")
    told = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
    blocks = "".join(re.findall(r"```sql\n(.*?)```", told, re.DOTALL))
    asked = [q for q in re.sub(r"(?m)^--.*$", "", blocks).split(";") if q.strip()]
    assert len(asked) >= 4
    for query in asked:
        answer = run("query", query)
        assert answer.exit_code == 0, answer.output


@pytest.mark.requirement("C1")
def test_a_plan_is_the_sql_that_migrating_runs(run: Run, namespace: str) -> None:
    planned = run("plan").stdout
    assert "CREATE TABLE weather.rainfall" in planned
    assert "timescaledb" not in planned.splitlines()
    names = [entry["name"] for entry in json.loads(run("plan", "--json").stdout)]
    assert names[:2] == ["0001_readings", "0002_metadata"]
    ran = [entry["ran"] for entry in json.loads(run("migrate", "--json").stdout)]
    assert ran == names
    assert "up to date" in run("plan").stdout
    remarks = {e["migration"]: e["remark"] for e in json.loads(run("status", "--json").stdout)}
    assert remarks["0004_hypertables.timescaledb"] == "left out: plain PostgreSQL"
    assert remarks["0001_readings"] == ""
    roles = run("roles").stdout
    assert f'CREATE ROLE "{namespace}.aos_reader" LOGIN;' in roles
    assert "tidy" in run("policies").stdout
