"""Whose partition it is: zombies write nothing, and of two workers of one name the older stops."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import PARAMETERS, Topics
from tests.stage_process import StageProcess
from tests.stream_fleet import Fleet
from tests.stream_history import Teller, Told, history
from tests.stream_verdicts import verdicts
from tests.waiting import eventually

STATIONS = 12
SETTINGS: dict[str, object] = {"session_timeout_seconds": 6.0, "batch_records": 250}


@pytest.fixture(scope="module")
def told() -> Told:
    return history(STATIONS, 300, seed=3)


@pytest.fixture
def fleet(
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    topics: Topics,
    told: Told,
    tmp_path: Path,
) -> Fleet:
    teller = Teller(kafka, registry, topics)
    teller.describe(STATIONS)
    teller.tell(told, piece=2000)
    teller.close_every_partition(STATIONS, 300)
    return Fleet((kafka, registry_settings, topics), tmp_path / "logs", SETTINGS, patience=90)


def records(kafka: KafkaSettings, registry: Registry, topics: Topics) -> dict[str, int]:
    """Count the clean records, none of which may repeat another."""
    found = {p: verdicts(kafka, registry, topics, p) for p in PARAMETERS}
    assert all(verdict.repeats == 0 for verdict in found.values())
    return {parameter: verdict.records for parameter, verdict in found.items()}


@pytest.mark.slow
@pytest.mark.requirement("E2")
def test_a_worker_that_slept_while_its_partitions_moved_writes_nothing_when_it_wakes(
    fleet: Fleet, kafka: KafkaSettings, registry: Registry, topics: Topics
) -> None:
    with fleet:
        fleet.start("one")
        fleet.until(0.2)
        sleeper = fleet.workers["one"]
        sleeper.signal(signal.SIGSTOP)
        assert not fleet.progress.done(), "it was stopped after the work"
        fleet.start("two")
        fleet.until_done()
        before = records(kafka, registry, topics)
        sleeper.signal(signal.SIGCONT)
        eventually(lambda: not sleeper.running or rejoined(sleeper))
        assert records(kafka, registry, topics) == before
        if not sleeper.running:
            assert sleeper.wait() == 1
            assert "Fenced: " in sleeper.log.splitlines()[-1]
        assert fleet.workers["two"].running


def rejoined(worker: StageProcess) -> bool:
    return worker.log.count("partitions taken") > 1


@pytest.mark.slow
@pytest.mark.requirement("D3")
def test_of_two_workers_of_one_name_the_newer_works_and_the_older_stops_and_says_why(
    fleet: Fleet, kafka: KafkaSettings, registry: Registry, topics: Topics, tmp_path: Path
) -> None:
    world = (kafka, registry_settings_of(fleet), topics)
    with fleet:
        fleet.start("one")
        fleet.until(0.1)
        older = fleet.workers["one"]
        newer = StageProcess("stream", {"instance": "one", **SETTINGS}, *world, tmp_path / "newer")
        with newer:
            assert older.wait() == 1, older.log
            eventually(fleet.progress.done)
            assert newer.stop() == 0, newer.log
    last = older.log.splitlines()[-1]
    assert last.startswith("Fenced: "), last
    records(kafka, registry, topics)


def registry_settings_of(fleet: Fleet) -> RegistrySettings:
    return fleet.world[1]
