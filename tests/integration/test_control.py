"""The running pipeline, driven over HTTP from outside its processes: nothing lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.stack import Stack
from schemas.topics import Topics
from tests.pipeline import Pipeline, running
from tests.waiting import eventually

CONNECTORS = ("aos-source", "aos-stream", "timescale-sink")
SINK = "timescale-sink"


@pytest.fixture
def pipeline(stack: Stack, topics: Topics, postgres: str, tmp_path: Path) -> Iterator[Pipeline]:
    with running(stack, topics, postgres, tmp_path) as made:
        yield made


def offsets(pipeline: Pipeline, connector: str) -> dict[tuple[Any, ...], int]:
    found = pipeline.get(f"/connectors/{connector}/offsets")["offsets"]
    return {tuple(one["partition"].values()): one["offset"]["kafka_offset"] for one in found}


@pytest.mark.slow
@pytest.mark.requirement("D5", "D9")
def test_the_running_pipeline_is_steered_over_http(pipeline: Pipeline) -> None:
    pipeline.insert(*range(1, 7))
    eventually(lambda: pipeline.rows() == 6, seconds=180)
    assert [pipeline.state(name) for name in CONNECTORS] == ["RUNNING"] * 3
    a_pause_lets_the_lag_grow(pipeline)
    offsets_set_back_double_nothing(pipeline)
    a_dead_letter_is_mended(pipeline)
    a_reading_is_followed(pipeline)
    a_killed_stage_is_missed(pipeline)


def a_pause_lets_the_lag_grow(pipeline: Pipeline) -> None:
    pipeline.order("pause", SINK, "PAUSED")
    pipeline.insert(*range(7, 13))
    eventually(lambda: (hop := pipeline.hop(SINK))["status"] == "STOP" and hop["lag"] >= 12)
    eventually(lambda: pipeline.hop("aos-stream")["status"] == "OK")
    eventually(lambda: "paused by order" in pipeline.get("/health/live")["message"])
    assert pipeline.rows() == 6
    pipeline.order("resume", SINK, "RUNNING")
    eventually(lambda: pipeline.hop(SINK)["lag"] == 0)
    assert pipeline.rows() == 12


def offsets_set_back_double_nothing(pipeline: Pipeline) -> None:
    for name in CONNECTORS:
        pipeline.order("stop", name, "STOPPED")
    before = {name: offsets(pipeline, name) for name in CONNECTORS[1:]}
    told = pipeline.query("SELECT sum(records) AS n FROM ops.sink_batch")[0]["n"]
    asked = pipeline.get("/connectors/aos-source/offsets")
    for one in asked["offsets"]:
        one["offset"] = None
    assert pipeline.api.patch("/connectors/aos-source/offsets", json=asked).is_success
    asked = pipeline.get("/connectors/aos-stream/offsets")
    for one in asked["offsets"]:
        one["offset"]["kafka_offset"] = 0
    assert pipeline.api.patch("/connectors/aos-stream/offsets", json=asked).is_success
    assert pipeline.api.delete(f"/connectors/{SINK}/offsets").is_success
    assert not any(offsets(pipeline, SINK).values())
    for name in CONNECTORS:
        pipeline.order("resume", name, "RUNNING")
    raw, clean = before["aos-stream"], before[SINK]
    eventually(
        lambda: all(at > raw[place] for place, at in offsets(pipeline, "aos-stream").items())
    )
    eventually(lambda: all(at >= clean[place] for place, at in offsets(pipeline, SINK).items()))
    eventually(lambda: all(pipeline.hop(name)["lag"] == 0 for name in CONNECTORS[1:]))
    assert pipeline.query("SELECT sum(records) AS n FROM ops.sink_batch")[0]["n"] >= told + 24
    assert (pipeline.rows(), pipeline.rows("wind")) == (12, 12)
    keys = "SELECT DISTINCT source_key, observed_at, value FROM weather.temperature"
    assert len(pipeline.query(keys)) == 12


def a_dead_letter_is_mended(pipeline: Pipeline) -> None:
    pipeline.insert(13, ta="warm")
    (letter,) = eventually(lambda: pipeline.get("/api/v1/dead-letters"))
    shown = pipeline.get(f"/api/v1/dead-letters/{letter['letter']}")
    assert shown["contents"]["fields"]["value_text"] == "warm"
    path = f"/api/v1/dead-letters/{letter['letter']}/edit"
    changes = {"changes": {"value": 21.5, "value_text": None}}
    answer = pipeline.api.post(path, json=changes, headers={"X-Operator": "mary"}).json()
    assert answer["state"] == "redriven", answer
    mended = "SELECT value FROM weather.temperature WHERE source_key = '13'"
    assert eventually(lambda: pipeline.query(mended)) == [{"value": 21.5}]
    (act,) = pipeline.get("/api/v1/dead-letters/history")
    assert (act["who"], act["state"]) == ("mary", "done")
    again = pipeline.api.post("/api/v1/dead-letters/redrive", json={"letters": [letter["letter"]]})
    assert [one["state"] for one in again.json()] == ["already"]


def a_reading_is_followed(pipeline: Pipeline) -> None:
    way = pipeline.get("/api/v1/lineage/A:temperature/2020-01-01T04:00Z")
    assert way["winner"] is True
    assert way["hops"][0]["name"] == "source"
    (touched,) = pipeline.get("/api/v1/impact/sensor/A:temperature")
    assert touched["readings"] == 13
    pipeline.query("CALL ops.learn_cadence()")
    fresh = {one["parameter"]: one for one in pipeline.get("/api/v1/freshness")["parameters"]}
    assert set(fresh) == {"temperature", "wind"}
    assert fresh["wind"]["newest"].startswith("2020-01-01T04:00")
    assert (fresh["wind"]["cadence_seconds"], fresh["wind"]["late"]) == (3600, 1)
    assert pipeline.get("/api/v1/reconciliations") == []


def a_killed_stage_is_missed(pipeline: Pipeline) -> None:
    eventually(lambda: pipeline.api.get("/health/live").status_code == 200)
    eventually(lambda: pipeline.get("/health")["status"] == "healthy")
    pipeline.processes["sink"].kill()
    pipeline.insert(14)
    dead = f"{SINK}: no worker says anything"
    eventually(lambda: dead in pipeline.get("/health/live")["message"])
    assert pipeline.api.get("/health/live").status_code == 503
    assert pipeline.state(SINK) == "UNASSIGNED"
    eventually(lambda: (hop := pipeline.hop(SINK))["status"] == "STOP" and hop["lag"] >= 2)
    health = eventually(lambda: not (found := pipeline.api.get("/health")).is_success and found)
    assert dead in health.json()["message"]
    assert pipeline.rows() == 13
