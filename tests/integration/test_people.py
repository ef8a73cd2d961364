"""Rulesets and flags by hand, from the command line through the running stream to the readings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from devstack.stack import Stack
from operate.cli import app
from runtime.kafka import KafkaSettings
from schemas.codec import Record
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.unit.stream_fakes import interval, mapping, metadata
from tests.waiting import eventually

MINUTE = 60_000_000
START = local("2013-07-01T04:00:00")
SENSOR = "JFK:temperature"
Run = Callable[..., Result]


@pytest.fixture
def run(stack: Stack, topics: Topics, tmp_path: Path) -> Run:
    """Give a way to run a command on the stack."""
    config = tmp_path / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": topics.namespace, "partitions": topics.partitions},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, [*words, "--config", str(config)])


@pytest.fixture
def raw_topics(kafka: KafkaSettings, registry: Registry, topics: Topics) -> RawTopics:
    made = RawTopics(kafka, registry, topics)
    made.publish_mapping(mapping("temperature"))
    made.publish_metadata(metadata(SENSOR, interval(0)))
    return made


@pytest.fixture
def stream(
    raw_topics: RawTopics,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    tmp_path: Path,
) -> Iterator[StageProcess]:
    settings = {"group": "people", "silence_check_seconds": 3600}
    log = tmp_path / "log"
    with StageProcess(
        "stream", settings, kafka, registry_settings, raw_topics.topics, log
    ) as process:
        yield process


def readings(first: int, number: int) -> list[Record]:
    return [
        raw(
            "temperature",
            key=str(n),
            zone="UTC",
            observed_local=START + n * MINUTE,
            extracted_at=START + (n + 1) * MINUTE,
            value=20 + n % 7 * 0.3,
        )
        for n in range(first, first + number)
    ]


def final(raw_topics: RawTopics) -> dict[int, Record]:
    """Give the record that wins of each minute."""
    found: dict[int, Record] = {}
    for one in raw_topics.clean("temperature"):
        minute = (one["observed_at"] - START) // MINUTE
        rank = one["source_version"], one["revision"]
        if (
            minute not in found
            or (found[minute]["source_version"], found[minute]["revision"]) < rank
        ):
            found[minute] = one
    return found


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def at(minute: int) -> str:
    return f"2013-07-01T04:{minute:02}Z"


@pytest.mark.requirement("B6", "B12", "D9")
def test_what_people_say_reaches_readings_of_the_past_and_of_the_future_without_a_restart(
    run: Run, raw_topics: RawTopics, stream: StageProcess, tmp_path: Path
) -> None:
    raw_topics.publish("temperature", readings(0, 30))
    eventually(lambda: len(final(raw_topics)) == 30)
    assert {r["ruleset_version"] for r in final(raw_topics).values()} == {"default-4"}

    words = "flag", SENSOR, at(5), at(8), "--as", "4", "--why", "shade off", "--by", "anna"
    (standing,) = told(run(*words, "--json"))
    assert (standing["about"], standing["as"], standing["by"]) == (SENSOR, 4, "anna")
    word = f"by_hand:{standing['id']}"
    eventually(lambda: by_reason(raw_topics, word) == {5, 6, 7})

    plain = json.loads(run("ruleset", "show", "default-4").stdout)
    plain["version"] = "strict-1"
    plain["limits"]["temperature.value"]["suspect"] = [-10, 21.5]
    file = tmp_path / "strict.json"
    file.write_text(json.dumps(plain), encoding="utf-8")
    (published,) = told(run("ruleset", "publish", str(file), "--from", at(20), "--json"))
    assert (published["from"], published["until"]) == ("2013-07-01T04:20:00Z", None)
    eventually(lambda: judged_by(raw_topics, "strict-1") == set(range(20, 30)))

    told(run("flag", "lift", standing["id"], "--why", "wrong day", "--by", "ben", "--json"))
    raw_topics.publish("temperature", readings(30, 10))
    eventually(lambda: judged_by(raw_topics, "strict-1") == set(range(20, 40)))
    eventually(lambda: not by_reason(raw_topics, word))
    found = final(raw_topics)
    suspect = {minute for minute, record in found.items() if record["flag_range"] == 3}
    assert suspect == {minute for minute in range(20, 40) if minute % 7 == 6}
    assert stream.running

    (lifted,) = told(run("flag", "list", "--all", "--json"))
    assert (lifted["lifted_by"], lifted["lifted_why"]) == ("ben", "wrong day")
    assert "nobody says anything" in run("flag", "list").stdout
    assert "strict-1" in run("ruleset", "list").stdout

    plain["limits"]["temperature.value"]["suspect"] = [-10, 22]
    file.write_text(json.dumps(plain), encoding="utf-8")
    other = run("ruleset", "publish", str(file), "--from", at(20))
    assert (other.exit_code, "another ruleset has this version" in other.stderr) == (2, True)


def by_reason(raw_topics: RawTopics, word: str) -> set[int]:
    return {m for m, record in final(raw_topics).items() if word in (record["reason"] or "")}


def judged_by(raw_topics: RawTopics, version: str) -> set[int]:
    return {m for m, record in final(raw_topics).items() if record["ruleset_version"] == version}
