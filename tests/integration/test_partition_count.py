"""A new partition count, by the words of docs/partition-count.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from operate.cli import app
from runtime.kafka import KafkaSettings
from schemas.codec import Decoder
from schemas.registry import Registry, RegistrySettings
from schemas.topics import PARAMETERS, Topics
from stream_app.revisions import GENERATION
from tests.stage_process import StageProcess
from tests.stream_fleet import Fleet
from tests.stream_history import Teller, history
from tests.stream_verdicts import Progress, read_all, verdicts
from tests.waiting import eventually

STATIONS = 20
PAGE = Path(__file__).parents[2] / "docs" / "partition-count.md"
World = tuple[KafkaSettings, RegistrySettings, Topics]


def stream(world: World, log: Path, **settings: object) -> StageProcess:
    given = {"session_timeout_seconds": 6.0, **settings}
    return StageProcess("stream", given, *world, log)


def grow(world: World, folder: Path, count: int) -> Result:
    """Run the command of the page."""
    (command,) = re.findall(r"^ *aos (.+) 24$", PAGE.read_text("utf-8"), re.MULTILINE)
    kafka, registry, topics = world
    config = folder / "aos.yaml"
    document = {
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers},
        "registry": {"url": registry.url},
        "topics": {"namespace": topics.namespace, "partitions": topics.partitions},
    }
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    words = [*command.split(), str(count), "--config", str(config)]
    return CliRunner().invoke(app, words)


@pytest.mark.slow
@pytest.mark.requirement("D10")
def test_a_deployment_gets_more_partitions_and_loses_nothing(
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    namespace: str,
    tmp_path: Path,
) -> None:
    few, more = (Topics(namespace=namespace, partitions=count) for count in (2, 5))
    before: World = (kafka, registry_settings, few)
    told = history(STATIONS, 60, seed=9)
    teller = Teller(kafka, registry, few)
    teller.describe(STATIONS)
    teller.tell(told.take(told.minute < 30), piece=2000)
    teller.close_every_partition(STATIONS, 60)
    refused = grow(before, tmp_path, 5)
    assert refused.exit_code == 1
    assert "has not read" in refused.output
    with stream(before, tmp_path / "few") as running:
        eventually(Progress(kafka, few).done)
        assert "are in the group" in grow(before, tmp_path, 5).output
        assert running.stop() == 0, running.log
    assert grow(before, tmp_path, 2).exit_code == 2
    done = grow(before, tmp_path, 5)
    assert done.exit_code == 0, done.output
    assert "stream.generation: 1" in done.output
    with stream(before, tmp_path / "old") as old:
        assert old.wait() == 2, "a stage that has the old count refuses to start"
    after = Teller(kafka, registry, more)
    after.tell(told, piece=2000)  # the first half is told again: it must win in the new generation
    after.close_every_partition(STATIONS, 61)
    with Fleet((kafka, registry_settings, more), tmp_path / "more", {"generation": 1}, 60) as fleet:
        fleet.start("one")
        fleet.until_done()
    for parameter in PARAMETERS:
        found = verdicts(kafka, registry, more, parameter)
        assert found.repeats == 0
        assert len(found.final) == STATIONS * 62
    assert min(revisions(kafka, registry, more).values()) >= GENERATION


def revisions(kafka: KafkaSettings, registry: Registry, topics: Topics) -> dict[str, int]:
    """Give the winning revision of each temperature that was told again, by sensor and key."""
    decode = Decoder("clean_reading", registry.schema_of)
    winners: dict[str, tuple[int, int]] = {}
    for value in read_all(kafka, topics.clean("temperature"), topics.partitions):
        record = decode(value)
        if int(record["source_key"]) < 60:
            key = f"{record['sensor_id']} {record['source_key']}"
            version = record["source_version"], record["revision"]
            winners[key] = max(winners.get(key, version), version)
    return {key: revision for key, (_, revision) in winners.items()}
