"""A month judged once more by other rules: looked at, and made to stand while readings come."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from devstack.stack import Stack
from operate.api.app import build
from operate.api.context import Context
from operate.cli import app
from operate.settings import load
from runtime.kafka_read import read_to_end
from schemas.codec import Decoder, Encoder, Record
from schemas.registry import Registry, subject_of
from schemas.rulesets import PublishedRuleset
from schemas.topics import Topics
from sink.columns import table
from stream_app.replay.shadow import shadow_topic
from tests.api_fakes import Fleet
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.sinks import Rig
from tests.stage_process import Process, StageProcess
from tests.unit.stream_fakes import interval, mapping, metadata
from tests.waiting import eventually
from weather.limits import Span
from weather.ruleset import DEFAULT, Ruleset
from weather.ruleset_text import to_plain

HOUR = 3_600_000_000
START = local("2013-06-20T00:00:00")
JULY = ("2013-07-01T00:00Z", "2013-08-01T00:00Z")
CHANCE = {"revision", "processed_at", "raw_topic", "raw_partition", "raw_offset", "extracted_at"}

Key = tuple[str, int]


def reading(n: int, station: str = "JFK", **changes: Any) -> Record:
    """Make the reading of an hour: it rises and falls, jumps now and then, stands still in July."""
    value = 20 + n % 24 * 0.5 + (8.5 if n % 90 == 0 else 0.0)
    observed = START + n * HOUR
    given = {"value": 21.5 if 400 <= n < 420 else value, **changes}
    return raw(
        "temperature",
        station=station,
        key=f"{station}{n}",
        zone="UTC",
        observed_local=observed,
        extracted_at=observed + HOUR,
        **given,
    )


def hours(first: int, end: int) -> list[Record]:
    return [reading(n, station) for n in range(first, end) for station in ("JFK", "LGA")]


LATE = [
    reading(993, source_version=2, value=33.0),
    reading(996, source_version=2, op="delete", value=None),
    reading(990, "LGA", source_version=2, value=12.0),
]
"""What the source says of July's last days while July is judged again.

Not of its first: what has no neighbours any more is judged by itself, or by those of its batch.
"""


Live = tuple[RawTopics, StageProcess]


class Worlds:
    """Raw topics, each with a stream that reads them."""

    def __init__(self, rig: Rig, registry: Registry, folder: Path) -> None:
        self._rig = rig
        self._registry = registry
        self._folder = folder

    def made(self, topics: Topics, **settings: Any) -> Live:
        """Make one."""
        found = RawTopics(self._rig.kafka, self._registry, topics)
        found.publish_mapping(mapping("temperature"))
        known = (metadata(f"{name}:temperature", interval(0)) for name in ("JFK", "LGA"))
        found.publish_metadata(*known)
        where = self._rig.kafka, self._rig.registry, topics
        log = self._folder / f"{topics.namespace}.log"
        return found, StageProcess("stream", {"instance": "one", **settings}, *where, log)


@pytest.fixture
def worlds(rig: Rig, registry: Registry, tmp_path: Path) -> Worlds:
    return Worlds(rig, registry, tmp_path)


@pytest.fixture
def config(stack: Stack, rig: Rig, tmp_path: Path) -> Path:
    path = tmp_path / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": rig.topics.namespace, "partitions": 2},
        "stream": {"batch_records": 300},
        "sink": {"database_url": rig.database_url},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def aos(config: Path, *words: str) -> Any:
    result = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if result.stdout.startswith(("{", "[")) else result.stdout


def rows(rig: Rig) -> dict[Key, Record]:
    """Give what the table says of each reading, as a clean record would."""
    names = [name for name in table("temperature").names if name not in CHANCE]
    return {
        (row["sensor_id"], plain(row["observed_at"])): {
            **{name: plain(row[name]) for name in names if name != "deleted_at"},
            "op": "delete" if row["deleted_at"] else "upsert",
        }
        for row in rig.readings("temperature")
    }


def plain(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return round(value.replace(tzinfo=UTC).timestamp() * 1_000_000)


def final(raw_topics: RawTopics) -> dict[Key, Record]:
    """Give of each reading the clean record that wins, but for what is by chance."""
    found: dict[Key, Record] = {}
    for record in sorted(raw_topics.clean("temperature"), key=rank):
        kept = {name: value for name, value in record.items() if name not in CHANCE}
        found[record["sensor_id"], record["observed_at"]] = kept
    return found


def rank(record: Record) -> tuple[int, int]:
    return record["source_version"], record["revision"]


def strict() -> Ruleset:
    """Give rules by which some of July fails: then its neighbours are judged otherwise, too."""
    known = DEFAULT.limits["temperature", "value"]
    limits = replace(known, fail=Span(-40.0, 36.0), suspect=Span(-10.0, 30.5))
    return replace(
        DEFAULT, version="strict-1", limits={**DEFAULT.limits, ("temperature", "value"): limits}
    )


@pytest.mark.requirement("D8", "B6", "B12")
def test_a_month_by_other_rules_is_compared_and_promoted_while_readings_come(
    worlds: Worlds, rig: Rig, registry: Registry, config: Path, tmp_path: Path
) -> None:
    raw_topics, stream = worlds.made(rig.topics)
    scratch, reference = worlds.made(Topics(namespace=f"{rig.topics.namespace}-s", partitions=2))
    rules = tmp_path / "strict.json"
    rules.write_text(json.dumps(to_plain(strict())), encoding="utf-8")
    raw_topics.publish("temperature", hours(0, 1000))
    rig.load()  # makes the tables
    with stream, reference, rig.in_background():
        eventually(lambda: len(rows(rig)) == 2000)
        raw_topics.publish("temperature", [*LATE, *hours(1000, 1010)])
        asked = ("--from", JULY[0], "--to", JULY[1], "--ruleset", str(rules), "--name", "july")
        ready = aos(config, "replay", *asked, "--json")
        assert (ready["state"], ready["readings_done"]) == ("ready", ready["readings_total"])
        raw_topics.publish("temperature", hours(1010, 1020))
        (of,) = (d for d in aos(config, "replay", "diff", "july", "--json") if d["compared"])
        assert of["counts"]["judged"] > 100
        assert {(1, 3), (3, 4)} <= {(row["was"], row["becomes"]) for row in of["flags"]}
        assert "judged otherwise" in aos(config, "replay", "diff", "july")
        assert aos(config, "replay", "promote", "july", "--json")["state"] == "promoted"
        raw_topics.publish("temperature", hours(1020, 1030))

        publish_ruleset(registry, rig, scratch.topics)
        scratch.publish("temperature", hours(0, 1000))
        scratch.publish("temperature", [*LATE, *hours(1000, 1030)])
        eventually(lambda: len(final(scratch)) == 2060)
        eventually(lambda: rows(rig) == final(scratch))
    assert Counter(row["ruleset_version"] for row in rows(rig).values()) == {
        "strict-1": 2 * 744, DEFAULT.version: 2060 - 2 * 744,
    }  # fmt: skip


@pytest.mark.requirement("D8", "D10")
def test_a_replay_that_is_killed_goes_on_and_speaks_in_the_place_of_what_was_said_before_it(
    worlds: Worlds, rig: Rig, registry: Registry, config: Path, tmp_path: Path
) -> None:
    raw_topics, stream = worlds.made(rig.topics, validate_data=False)  # as if by other code
    raw_topics.publish("temperature", hours(240, 400))
    with stream:
        eventually(lambda: len(final(raw_topics)) == 320)
        rig.load()
        assert {row["flag_step"] for row in rows(rig).values()} == {2}
        asked = ["replay", "--from", JULY[0], "--to", JULY[1], "--name", "mend", "--rate", "60"]
        command = [sys.executable, "-m", "operate", *asked, "--config", str(config)]
        with Process(command, tmp_path / "replay.log") as process:
            eventually(lambda: any(one["readings_sent"] for one in listed(config)))
            process.kill()
        (broken,) = listed(config)
        assert broken["state"] == "judging"
        assert broken["readings_done"] < broken["readings_total"]
        api = TestClient(build(Context(load(config), Fleet())), base_url="http://127.0.0.1")
        assert api.post("/api/v1/replays/mend/resume").status_code == 202
        eventually(lambda: api.get("/api/v1/replays/mend").json()["state"] == "ready")
        once = Counter(
            (r["sensor_id"], r["observed_at"], r["revision"]) for r in shadow(rig, registry)
        )
        assert set(once.values()) == {1}
        assert len({key[:2] for key in once}) == 2 * (400 - 264)
        assert api.post("/api/v1/replays/mend/promote").status_code == 202
        eventually(lambda: api.get("/api/v1/replays").json()[0]["state"] == "promoted")
    rig.load()
    july = START + 264 * HOUR
    flags = {(at >= july, row["flag_step"]) for (_, at), row in rows(rig).items()}
    assert flags == {(False, 2), (True, 1), (True, 3)}

    left = api.get("/api/v1/replays/mend/diff").json()
    assert [one["counts"]["readings"] for one in left] == [0] * 5
    assert api.delete("/api/v1/replays/mend").json()["state"] == "dropped"
    assert api.get("/api/v1/replays/none").status_code == 400
    admin = AdminClient(rig.kafka.client())
    gone = shadow_topic(rig.topics, "mend", "temperature")
    eventually(lambda: gone not in admin.list_topics(timeout=30).topics)
    refused = lost(config, rig)
    assert refused.exit_code == 2
    assert "retention has dropped raw records of these times: " in refused.stderr
    assert "begin at 2013-07-" in refused.stderr


def listed(config: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aos(config, "replay", "list", "--json")
    return found


def shadow(rig: Rig, registry: Registry) -> list[Record]:
    decode = Decoder("clean_reading", registry.schema_of)
    topic = shadow_topic(rig.topics, "mend", "temperature")
    return [decode(m.value()) for n in range(2) for m in read_to_end(rig.kafka, topic, n)]


def lost(config: Path, rig: Rig) -> Result:
    """Drop some of July's raw records, and ask for July."""
    admin = AdminClient(rig.kafka.client())
    asked = [TopicPartition(rig.topics.raw("temperature"), n, -1) for n in range(2)]
    for future in admin.delete_records(asked).values():
        future.result(30)
    words = ["replay", "--from", JULY[0], "--to", JULY[1], "--config", str(config)]
    return CliRunner().invoke(app, words)


def publish_ruleset(registry: Registry, rig: Rig, topics: Topics) -> None:
    """Let the rules hold for July from the beginning."""
    july = [plain(datetime.fromisoformat(text)) for text in JULY]
    held = replace(strict(), valid_from=july[0], valid_until=july[1])
    record = PublishedRuleset(held, "test", None, 0).to_record()
    value = Encoder("ruleset", registry.id_of(subject_of(topics.rulesets), "ruleset"))(record)
    producer = Producer(rig.kafka.client())
    producer.produce(topics.rulesets, value, held.version.encode())
    assert producer.flush(30) == 0
