"""Rows corrupted, deleted and added by hand at each hop: named one by one, and mended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from devstack.sample import MAPPING
from devstack.stack import Stack
from operate.cli import app
from schemas.codec import Record
from schemas.registry import Registry
from schemas.topics import PARAMETERS
from tests.raw_topics import RawTopics
from tests.sinks import Rig
from tests.source_runs import Deployment
from tests.stage_process import StageProcess
from tests.stream_verdicts import Progress
from tests.waiting import eventually

TWO_DAYS = "DELETE FROM weather_hourly WHERE observed_at NOT BETWEEN '2013-11-02' AND '2013-11-04'"
NO_MINUTES = "DELETE FROM aws_minute"
UNDER_ONE_MARK = "UPDATE weather_hourly SET pressure = pressure + 1 WHERE id = ?"
GONE = "DELETE FROM weather_hourly WHERE id = ?"
LATE = """
INSERT INTO weather_hourly (id, station_id, observed_at, pressure, modified_at)
SELECT 900001, station_id, '2013-11-02 05:30:00', 1001, modified_at
FROM weather_hourly WHERE id = ?
"""
ADDED_ROW = """
INSERT INTO weather.pressure SELECT (made).* FROM (
    SELECT jsonb_populate_record(r, jsonb_build_object(
        'source_key', '900004',
        'observed_at', observed_at + interval '10 min',
        'observed_local', observed_local + interval '10 min')) AS made
    FROM weather.pressure AS r WHERE source_key = %s) AS row
"""


class Chain:
    """Source, stream and sink of one deployment, which run when they are told to."""

    def __init__(self, deployment: Deployment, rig: Rig, sample: Path, folder: Path) -> None:
        self.rig = rig
        self.sample = sample
        self._progress = Progress(rig.kafka, rig.topics)
        world = rig.kafka, rig.registry, rig.topics
        settings = {"instance": "one"}
        deployment.run(sample, MAPPING)
        self.stream = StageProcess("stream", settings, *world, folder / "stream.log")

    def flow(self) -> None:
        """Let everything run that is on its way."""
        eventually(self._progress.done)
        self.rig.load()

    def change(self, statement: str, *values: object) -> None:
        """Change the source behind everybody's back."""
        with closing(sqlite3.connect(self.sample)) as database, database:
            database.execute(statement, values)


@pytest.fixture
def chain(deployment: Deployment, rig: Rig, sample: Path, tmp_path: Path) -> Iterator[Chain]:
    with closing(sqlite3.connect(sample)) as database, database:
        database.execute(TWO_DAYS)
        database.execute(NO_MINUTES)
    made = Chain(deployment, rig, sample, tmp_path)
    with made.stream:
        made.flow()
        yield made


@pytest.fixture
def config(stack: Stack, chain: Chain, tmp_path: Path) -> Path:
    path = tmp_path / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": chain.rig.topics.namespace, "partitions": 2},
        "source": {"url": f"sqlite:///{chain.sample}", "mapping": str(MAPPING)},
        "sink": {"database_url": chain.rig.database_url},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def reconcile(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["reconcile", "--config", str(config), *words])


def found(config: Path, *words: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(reconcile(config, "--json", *words).stdout)
    return told


def follow(config: Path, told: Record) -> None:
    """Follow a reading whose raw record is given from its source to its table, and count it."""
    run = CliRunner().invoke
    at = datetime.fromtimestamp(told["observed_local"] / 1e6, UTC) + timedelta(hours=4)
    words = ["lineage", told["sensor_id"], at.isoformat(), "--config", str(config)]
    trace = json.loads(run(app, [*words, "--history", "--json"]).stdout)
    hops = {hop["name"]: hop for hop in trace["hops"]}
    assert trace["winner"] is True
    assert [*hops] == ["source", "mapping", "raw", "metadata", "clean", "table"]
    assert {hop["problem"] for hop in hops.values()} == {""}
    assert str(hops["source"]["says"]["id"]) == told["source_key"]
    assert hops["source"]["says"]["pressure"] == told["value"]
    assert hops["mapping"]["says"]["measures"]["value"] == {
        "column": "pressure", "unit": "hPa", "sentinels": [],
    }  # fmt: skip
    assert hops["raw"]["says"]["cursor"] == told["cursor"]
    for hop in ("clean", "table"):
        assert hops[hop]["says"]["raw_value"] == told["value"]
        assert hops[hop]["says"]["metadata_version"] == hops["metadata"]["place"]
        assert hops[hop]["says"]["flag"] == "good"
    for change in (["sensor", told["sensor_id"]], ["mapping", "sample:1", "--from", "2013-11-01"]):
        told_of = run(app, ["impact", *change, "--config", str(config), "--json"])
        counted = {one["parameter"]: one for one in json.loads(told_of.stdout)}
        assert counted["pressure"]["sensors"] == (1 if change[0] == "sensor" else 3)
    near = run(app, [*words[:2], "2013-11-02T06:00:01", *words[3:]])
    assert near.exit_code == 2
    assert "next to it are 2013-11-02T06:00:00Z and 2013-11-02T07:00:00Z" in near.stderr


def named(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(one["row"], one["hop"], one["cause"].partition(":")[0])
            for one in report["differences"]}  # fmt: skip


@pytest.mark.requirement("D7", "D9")
def test_what_was_tampered_with_at_any_hop_is_named_and_mended(
    chain: Chain, config: Path, deployment: Deployment, registry: Registry
) -> None:
    whole = found(config)
    assert (whole["sound"], whole["differences"]) == (True, [])
    assert all(t["source"] == t["raw"] == t["clean"] == t["table"] for t in whole["totals"])
    assert all(len(t["checksum"]) == 16 for t in whole["totals"])

    rows = sorted({r["source_key"] for r in deployment.raw("pressure") if r["value"]}, key=int)
    in_source, gone, raw_wrong, clean_wrong, table_wrong, table_gone, model = rows[:7]
    told = {r["source_key"]: r for r in deployment.raw("pressure")}
    follow(config, told[model])
    raw_topics = RawTopics(chain.rig.kafka, registry, chain.rig.topics)
    plain = {n: v for n, v in told[model].items() if n not in ("key", "partition")}
    half_past = plain["observed_local"] + 1_800_000_000
    raw_topics.publish("pressure", [
        {**plain, **{n: told[raw_wrong][n] for n in ("source_key", "observed_local")},
         "station_id": told[raw_wrong]["station_id"], "sensor_id": told[raw_wrong]["sensor_id"],
         "source_version": told[raw_wrong]["source_version"], "value": 950.0},
        {**plain, "source_key": "900002", "observed_local": half_past},
    ])  # fmt: skip
    clean = {r["source_key"]: r for r in raw_topics.clean("pressure")}
    chain.rig.publisher.readings([
        {**clean[clean_wrong], "raw_value": 960.0, "value": 960.0, "revision": 2**55},
        {**clean[model], "source_key": "900003", "observed_local": half_past + 1_000_000,
         "observed_at": clean[model]["observed_at"] + 1_801_000_000},
    ])  # fmt: skip
    chain.flow()
    chain.change(UNDER_ONE_MARK, in_source)
    chain.change(GONE, gone)
    chain.change(LATE, model)
    chain.rig.query("UPDATE weather.pressure SET flag = 4 WHERE source_key = %s", table_wrong)
    chain.rig.query("DELETE FROM weather.pressure WHERE source_key = %s", table_gone)
    chain.rig.query(ADDED_ROW, model)
    report = found(config, "--parameter", "pressure", "--from", "2013-11-01", "--to", "2013-11-06")
    assert report["sound"] is False
    assert named(report) == {
        (in_source, "source → raw", "corrupted"),
        (gone, "source → raw", "deleted in the source, or never there"),
        ("900001", "source → raw", "late commit"),
        (raw_wrong, "source → raw", "corrupted"),
        ("900002", "source → raw", "deleted in the source, or never there"),
        (raw_wrong, "raw → clean", "corrupted"),  # the stream keeps what it said beside neighbours
        (clean_wrong, "raw → clean", "corrupted"),
        ("900003", "raw → clean", "added"),
        (table_wrong, "clean → table", "corrupted"),
        (table_gone, "clean → table", "missing"),
        ("900004", "clean → table", "added"),
    }
    assert {hour["parameter"] for hour in report["hours"]} == {"pressure"}

    mended = found(config, "--repair")
    others = len(PARAMETERS) - 1  # a wide row that is late or gone is so for all of them
    assert mended["repaired"] == {
        "read_again": 6 + others, "taken_back": 4 + others, "left": [],
    }  # fmt: skip
    chain.flow()
    after = found(config)
    assert (after["sound"], named(after)) == (True, set())
    (ledger,) = chain.rig.query(
        "SELECT who, repaired, jsonb_array_length(findings) AS findings FROM ops.reconcile_run"
        " WHERE repaired > 0"
    )
    assert (ledger["repaired"], ledger["findings"]) == (10 + 2 * others, 11 + 2 * others)
