"""What a new owner of a partition finds: its state, and poison that must not stop the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer

from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.unit.stream_fakes import interval, mapping, metadata
from tests.waiting import eventually

MINUTE = 60_000_000
START = local("2013-07-01T06:00:00")
World = tuple[KafkaSettings, RegistrySettings, Topics]


@pytest.fixture
def world(kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics) -> World:
    return kafka, registry_settings, topics


@pytest.fixture
def raw_topics(kafka: KafkaSettings, registry: Registry, topics: Topics) -> RawTopics:
    made = RawTopics(kafka, registry, topics)
    made.publish_mapping(mapping("temperature"))
    made.publish_metadata(metadata("JFK:temperature", interval(0)))
    return made


def worker(name: str, world: World, log: Path) -> StageProcess:
    return StageProcess("stream", {"instance": name}, *world, log)


def minute(number: int, value: float) -> dict[str, object]:
    return raw("temperature", key=str(number), observed_local=START + number * MINUTE, value=value)


def abort_state(kafka: KafkaSettings, topics: Topics) -> None:
    """Let an aborted transaction end every partition of the state topic: it is no state."""
    producer = Producer(kafka.client(transactional_id=topics.named("test-state")))
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(topics.partitions):
        producer.produce(topics.state, b"no state", b"partition", number)
    producer.flush()
    producer.abort_transaction()


def restored(log: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == "state restored"]


@pytest.mark.requirement("B6", "D4")
@pytest.mark.parametrize("last", ["committed", "aborted"])
def test_state_moves_with_its_partition_whatever_transaction_is_the_last(
    last: str, raw_topics: RawTopics, world: World, tmp_path: Path
) -> None:
    with worker("one", world, tmp_path / "one") as one:
        raw_topics.publish("temperature", [minute(n, 12.0) for n in range(5)])
        eventually(lambda: len(raw_topics.clean("temperature")) == 5)
        one.kill()
    if last == "aborted":
        abort_state(world[0], world[2])
    with worker("one", world, tmp_path / "two") as two:
        raw_topics.publish("temperature", [minute(5, 30.0)])
        eventually(lambda: len(raw_topics.clean("temperature")) == 6)
    (told,) = (r for r in raw_topics.clean("temperature") if r["source_key"] == "5")
    assert told["flag_step"] in (3, 4), "what came before was forgotten"
    lines = restored(two.log)
    assert sorted(line["sensors"] for line in lines) == [0, 1]
    assert all(line["seconds"] >= 0 for line in lines)


@pytest.mark.requirement("B2", "C5")
def test_a_poisoned_partition_goes_on_and_stops_no_other(
    raw_topics: RawTopics, world: World, tmp_path: Path
) -> None:
    good = raw_topics.framed("temperature", raw("temperature"))
    poison = [
        good + good[5:],  # two bodies in one message
        good[:-3],
        good[:5] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + good[5:],
        good[:1] + b"\x7f\xff\xff\xff" + good[5:],
        b"",
        b"\x00" + b"x" * 999_000,  # its dead letter is longer than what a raw topic takes
    ]
    strange = [
        raw("temperature", key="zone", zone="Nowhere/At_All"),
        raw("temperature", key="unit", unit="furlong"),
    ]
    others = [raw("temperature", station=f"S{n}", key=f"other {n}") for n in range(40)]
    with worker("one", world, tmp_path / "log") as stream:
        for message in poison:
            raw_topics.publish_bytes("temperature", message)
        raw_topics.publish("temperature", [*strange, minute(1, 12.0), *others])
        eventually(lambda: len(raw_topics.clean("temperature")) >= 41)
        dead = eventually(
            lambda: d if len(d := raw_topics.dead_letters()) >= len(poison) + 2 else None
        )
        assert stream.running
        assert stream.stop() == 0
    assert len(dead) == len(poison) + len(strange)
    assert {m.value() or b"" for m in dead} >= set(poison)
    keys = {record["source_key"] for record in raw_topics.clean("temperature")}
    assert keys == {"1", *(f"other {n}" for n in range(40))}
