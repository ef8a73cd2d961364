"""SIGKILL for the sink in the middle of its work, again and again."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from runtime.kafka import KafkaSettings
from schemas.codec import Record
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.clean_records import clean
from tests.sinks import Rig
from tests.stage_process import StageProcess

KILLS = int(os.environ.get("AOS_FAULT_ROUNDS", "5"))
READINGS = 1200 * KILLS
PARAMETERS = ("wind", "pressure")


@pytest.fixture
def rig(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics, postgres: str
) -> Iterator[Rig]:
    with closing(Rig(kafka, registry_settings, topics, postgres)) as made:
        yield made


@pytest.mark.requirement("C2", "C3")
def test_a_sink_that_is_killed_again_and_again_loads_the_winner_of_every_key(
    rig: Rig, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    draw = random.Random(20130101)  # noqa: S311 - the same run every time
    records = [_reading(draw) for _ in range(READINGS)]
    for start in range(0, READINGS, 500):
        rig.publisher.readings(records[start : start + 500])
    killed = 0
    for target in sorted(draw.sample(range(READINGS * 9 // 10), KILLS)):
        with _sink(rig, log, once=False) as process:
            _wait_until_loaded(rig, process, target)
            threading.Event().wait(draw.random() * 0.02)
            process.kill()
            killed += process.wait() == -signal.SIGKILL
    assert killed == KILLS
    assert _loaded(rig) < READINGS, "the kills came after the work was done"
    with _sink(rig, log, once=True) as process:
        assert process.wait() == 0
    for parameter in PARAMETERS:
        found = {_key(row): _version(row) for row in rig.readings(parameter)}
        assert found == _winners(records, parameter)
    assert _loaded(rig) == READINGS


def _reading(draw: random.Random) -> Record:
    parameter, station = draw.choice(PARAMETERS), draw.choice(["JFK", "LGA", "EWR"])
    version = {"source_version": draw.randrange(3), "revision": draw.randrange(1_000_000)}
    return clean(parameter, draw.randrange(500), station, **version)


def _winners(records: list[Record], parameter: str) -> dict[tuple[str, str], tuple[int, int]]:
    winners: dict[tuple[str, str], tuple[int, int]] = {}
    for record in records:
        if record["parameter"] == parameter:
            key = _key(record)
            winners[key] = max(winners.get(key, (-1, -1)), _version(record))
    return winners


def _key(record: Record) -> tuple[str, str]:
    return record["sensor_id"], record["source_key"]


def _version(record: Record) -> tuple[int, int]:
    return record["source_version"], record["revision"]


def _sink(rig: Rig, log: Path, once: bool) -> StageProcess:
    settings = {
        "database_url": rig.database_url,
        "instance_id": "sink-1",  # its successor takes over at once
        "batch_rows": 100,
        "batch_seconds": 0.05,
    }
    return StageProcess("sink", settings, rig.kafka, rig.registry, rig.topics, log, once=once)


def _wait_until_loaded(rig: Rig, process: StageProcess, target: int) -> None:
    pause = threading.Event()
    for _ in range(6000):
        assert process.running, "the sink ended by itself"
        if _loaded(rig) >= target:
            return
        pause.wait(0.01)
    pytest.fail(f"the sink did not get to {target} records")


def _loaded(rig: Rig) -> int:
    """Count the records that are loaded: the ledger is committed with them."""
    try:
        (row,) = rig.query("SELECT coalesce(sum(records), 0)::int AS n FROM ops.sink_batch")
    except psycopg.errors.UndefinedTable:
        return 0
    return int(row["n"])
