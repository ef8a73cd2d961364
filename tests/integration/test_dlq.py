"""A dead letter's way: found, shown, mended, redriven, loaded; and all of it on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from devstack.stack import Stack
from operate.cli import app
from runtime.kafka_read import read_to_end
from tests.clean_records import clean
from tests.sinks import Rig

Run = Callable[..., Result]


@pytest.fixture
def run(stack: Stack, rig: Rig, tmp_path: Path) -> Run:
    """Give a way to run a command on the stack, with the database of the sink."""
    config = tmp_path / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": rig.topics.namespace, "partitions": 2},
        "sink": {"database_url": rig.database_url},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, ["dlq", *words, "--config", str(config)])


@pytest.mark.requirement("D9")
def test_a_dead_letter_is_edited_and_redriven_once_and_keeps_its_version(
    run: Run, rig: Rig
) -> None:
    wrong = clean("pressure", op="upset", source_version=7)
    rig.publisher.readings([wrong, clean("pressure", number=1)])
    assert rig.load().counts.dead_lettered == 1
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["letter"].endswith("weather.sink.dlq.v1:0:0")
    assert listed["redriven"] == ""
    (count,) = json.loads(run("list", "--by", "reason", "--by", "station", "--json").stdout)
    assert (count["letters"], count["station"]) == (1, "JFK")

    shown = json.loads(run("show", "sink:0:0", "--json").stdout)
    assert shown["contents"]["fields"]["op"] == "upset"
    assert shown["contents"]["problem"] == ""
    assert shown["headers"]["__connect.errors.stage"] == "TASK_PUT"
    assert "__connect.errors.topic" in run("show", "sink:0:0").stdout

    beyond = run("show", "sink:0:99")
    assert beyond.exit_code == 2
    assert "the topic keeps 0 to before 1" in beyond.stderr
    assert run("edit", "sink:0:0", "op=upsert", "colour=red").exit_code == 2
    edited = run("edit", "sink:0:0", "op=upsert", "--json")
    assert json.loads(edited.stdout)[0]["state"] == "redriven"
    rig.load()
    rows = rig.readings("pressure")
    assert [(row["source_key"], row["source_version"]) for row in rows] == [("0", 7), ("1", 1)]

    again = json.loads(run("redrive", "sink:0:0", "--json").stdout)
    assert [one["state"] for one in again] == ["already"]
    assert "redriven" in json.loads(run("list", "--json").stdout)[0]["redriven"]
    (act,) = json.loads(run("history", "--json").stdout)
    assert (act["state"], act["attempt"]) == ("done", 1)
    assert act["origin"].endswith("dlq.v1:0:0")
    assert ".weather.clean.pressure.v1:" in act["destination"]
    assert act["detail"] == {"changes": ["op=upsert"]}


def test_a_filter_redrives_what_it_means_with_key_and_bytes_as_they_were(
    run: Run, rig: Rig
) -> None:
    stations = ["JFK", "LGA", "JFK"]
    rig.publisher.readings(
        clean("wind", station=station, number=n, op="upset") for n, station in enumerate(stations)
    )
    rig.load()
    assert run("redrive").exit_code == 2
    assert len(json.loads(run("redrive", "--station", "JFK", "--dry-run", "--json").stdout)) == 2
    told = run("redrive", "--station", "JFK")
    assert told.stdout.splitlines()[-1] == "2 redriven"
    assert run("redrive", "--all").stdout.splitlines()[-2:] == ["2 already", "1 redriven"]
    assert run("redrive", "--station", "LGA", "--again").stdout.splitlines()[-1] == "1 redriven"
    topic = rig.topics.clean("wind")
    records = [m for number in range(2) for m in read_to_end(rig.kafka, topic, number)]
    assert len(records) == 3 + 2 + 1 + 1
    by_key: dict[object, set[tuple[object, object]]] = {}
    for message in records:
        by_key.setdefault(message.key(), set()).add((message.partition(), message.value()))
    assert {key: len(found) for key, found in by_key.items()} == {b"JFK": 2, b"LGA": 1}
