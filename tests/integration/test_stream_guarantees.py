"""The stream on a real broker: the other guarantee, verdicts that change, the latest readings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from schemas.codec import Decoder, Record
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.stream_verdicts import Progress
from tests.unit.stream_fakes import interval, mapping, metadata
from tests.waiting import eventually

MINUTE = 60_000_000
START = local("2013-07-01T06:00:00")


@pytest.fixture
def raw_topics(kafka: KafkaSettings, registry: Registry, topics: Topics) -> RawTopics:
    made = RawTopics(kafka, registry, topics)
    made.publish_mapping(mapping("temperature"))
    made.publish_metadata(metadata("JFK:temperature", interval(0)))
    return made


def stage(
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    log: Path,
    **settings: object,
) -> StageProcess:
    given = {"instance": "one", **settings}
    return StageProcess("stream", given, kafka, registry, topics, log)


def minute(number: int, value: float, **changes: object) -> Record:
    at = START + number * MINUTE
    return raw(
        "temperature", key=str(number), observed_local=at, value=value, source_version=1, **changes
    )


def clean(raw_topics: RawTopics, number: int) -> list[Record]:
    """Wait until so many clean records are there."""
    return eventually(
        lambda: found if len(found := raw_topics.clean("temperature")) >= number else None
    )


def latest(kafka: KafkaSettings, registry: Registry, topics: Topics) -> list[Record]:
    decode = Decoder("clean_reading", registry.schema_of)
    return [
        decode(message.value())
        for partition in range(topics.partitions)
        for message in read_to_end(kafka, topics.latest("temperature"), partition)
    ]


@pytest.mark.requirement("B2", "E2")
def test_at_least_once_loses_nothing_and_goes_on_where_it_was(
    raw_topics: RawTopics,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    stream = stage(
        kafka,
        registry_settings,
        topics,
        tmp_path / "log",
        processing_guarantee="at_least_once",
        batch_records=500,
    )
    raw_topics.publish("temperature", [minute(n, 12.0 + n % 3) for n in range(1200)])
    with stream:
        clean(raw_topics, 1200)
        assert stream.stop() == 0
        raw_topics.publish("temperature", [minute(n, 12.0 + n % 3) for n in range(1200, 1210)])
        stream.start()
        found = eventually(
            lambda: k if {str(n) for n in range(1210)} <= set(k := keys(raw_topics)) else None
        )
    assert set(found) == {str(n) for n in range(1210)}
    # A clean stop repeats nothing: what is there twice was sent again for its verdict.
    versions = {(r["source_key"], r["revision"]) for r in raw_topics.clean("temperature")}
    assert len(versions) == sum(found.values())


@pytest.mark.requirement("B10", "D5")
def test_the_group_is_told_what_a_killed_worker_had_done_and_could_not_say(
    raw_topics: RawTopics,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    settings = {
        "processing_guarantee": "at_least_once",
        "silence_check_seconds": 0.3,
        "instance": "",  # a member without a name leaves the group at once
    }
    progress = Progress(kafka, topics)
    with stage(kafka, registry_settings, topics, tmp_path / "log", **settings) as stream:
        raw_topics.publish("temperature", [minute(n, 12.0 + n % 3) for n in range(20)])
        eventually(progress.done)
        assert stream.stop() == 0
        before = len(raw_topics.clean("temperature"))
        go_back(kafka, topics)  # as if it had been killed before it could commit its offsets
        assert not progress.done()
        stream.start()
        eventually(progress.done)
    assert len(raw_topics.clean("temperature")) == before


def go_back(kafka: KafkaSettings, topics: Topics) -> None:
    """Set the group's offsets of the temperatures back to the beginning."""
    places = [TopicPartition(topics.raw("temperature"), n, 0) for n in range(topics.partitions)]
    asked = ConsumerGroupTopicPartitions(topics.named("aos-stream"), places)
    admin = AdminClient(kafka.client())
    for done in admin.alter_consumer_group_offsets([asked]).values():
        assert not any(place.error for place in done.result().topic_partitions)


def keys(raw_topics: RawTopics) -> Counter[str]:
    return Counter(record["source_key"] for record in raw_topics.clean("temperature"))


@pytest.mark.requirement("B6", "B10")
def test_a_spike_is_told_when_the_next_reading_shows_it_even_after_a_restart(
    raw_topics: RawTopics,
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    values = [12.0, 12.1, 12.0, 12.2, 12.1, 30.0]
    with stage(kafka, registry_settings, topics, tmp_path / "log") as stream:
        raw_topics.publish("temperature", [minute(n, v) for n, v in enumerate(values)])
        clean(raw_topics, len(values))
        stream.kill()  # what was read is forgotten; it is read again from the topic
        stream.start()
        raw_topics.publish("temperature", [minute(6, 12.1)])
        found = clean(raw_topics, len(values) + 2)
    told = [r for r in found if r["source_key"] == "5"]
    assert told[0]["flag_spike"] == 2
    assert told[-1]["flag_spike"] in (3, 4)
    assert "spike" in told[-1]["reason"]
    assert told[-1]["revision"] > told[0]["revision"]
    newest = latest(kafka, registry, topics)
    assert newest[-1]["source_key"] == "6"


@pytest.mark.requirement("B10")
def test_the_latest_reading_does_not_go_backwards(
    raw_topics: RawTopics,
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    with stage(kafka, registry_settings, topics, tmp_path / "log"):
        raw_topics.publish("temperature", [minute(n, 12.0 + n / 10) for n in (1, 3)])
        clean(raw_topics, 2)
        raw_topics.publish("temperature", [minute(2, 12.2)])
        eventually(lambda: keys(raw_topics)["2"] or None)
    times = [record["observed_at"] for record in latest(kafka, registry, topics)]
    assert times == sorted(times)
    assert len(set(times)) == 1
