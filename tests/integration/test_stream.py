"""The stream as a process on a real broker: exactly once, dead letters, an index, a clean stop."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from stream_app.revisions import ALONE
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.unit.stream_fakes import interval, mapping, metadata
from tests.waiting import eventually

STATIONS = ("EWR", "JFK", "LGA")
MINUTE = 60_000_000


@pytest.fixture
def raw_topics(kafka: KafkaSettings, registry: Registry, topics: Topics) -> RawTopics:
    made = RawTopics(kafka, registry, topics)
    made.publish_mapping(mapping("temperature"))
    return made


@pytest.fixture
def stream(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics, tmp_path: Path
) -> StageProcess:
    settings = {"instance": "one", "batch_records": 500}
    return StageProcess(
        "stream", settings, kafka, registry_settings, topics, tmp_path / "stream.log"
    )


def readings(first: int, number: int) -> list[dict[str, object]]:
    """Make minute readings of three stations, numbered by their keys."""
    return [
        raw(
            "temperature",
            station=STATIONS[n % 3],
            key=str(n),
            observed_local=local("2013-07-01T00:00:00") + n // 3 * MINUTE,
        )
        for n in range(first, first + number)
    ]


def keys(raw_topics: RawTopics) -> Counter[str]:
    return Counter(record["source_key"] for record in raw_topics.clean("temperature"))


def arrived(raw_topics: RawTopics, number: int) -> Counter[str]:
    """Wait until so many clean readings are there."""
    return eventually(lambda: found if (found := keys(raw_topics)).total() >= number else None)


@pytest.mark.requirement("B2", "B10", "E2")
def test_every_reading_comes_out_once_and_a_restart_repeats_none(
    raw_topics: RawTopics, stream: StageProcess
) -> None:
    raw_topics.publish("temperature", readings(0, 3000))
    with stream:
        assert arrived(raw_topics, 3000) == Counter(str(n) for n in range(3000))
        assert stream.stop() == 0
        raw_topics.publish("temperature", readings(3000, 30))
        stream.start()
        assert arrived(raw_topics, 3030) == Counter(str(n) for n in range(3030))
    revisions = {}
    for record in raw_topics.clean("temperature"):
        batch = record["revision"] % ALONE  # what had no neighbours stands in a band of its own
        revisions.setdefault(record["raw_partition"], []).append(batch)
    assert all(seen == sorted(seen) for seen in revisions.values())


def test_what_the_source_aborted_is_never_seen(raw_topics: RawTopics, stream: StageProcess) -> None:
    raw_topics.publish("temperature", readings(0, 30), commit=False)
    raw_topics.publish("temperature", readings(30, 30))
    with stream:
        assert arrived(raw_topics, 30) == Counter(str(n) for n in range(30, 60))


@pytest.mark.requirement("D3", "C5")
def test_broken_input_is_dead_lettered_with_its_bytes_and_the_rest_flows(
    raw_topics: RawTopics, stream: StageProcess
) -> None:
    warm = raw("temperature", key="warm", value=None, value_text="warm")
    timeless = raw("temperature", key="timeless", observed_local=None)
    raw_topics.publish("temperature", [warm, timeless, *readings(0, 3)])
    raw_topics.publish_bytes("temperature", b"\x00not avro", None)
    with stream:
        assert arrived(raw_topics, 3) == Counter("012")
        dead = eventually(lambda: d if len(d := raw_topics.dead_letters()) >= 4 else None)
    told = [dict(message.headers() or []) for message in dead]
    assert sorted(h["aos.reason"].decode() for h in told) == [
        "no_time",
        "not_a_number",
        "null_value",
        "unknown_schema",
    ]
    assert {h["__connect.errors.topic"].decode() for h in told} == {
        raw_topics.topics.raw("temperature")
    }
    assert b"\x00not avro" in [message.value() for message in dead]


@pytest.mark.requirement("B4")
def test_a_reading_of_an_unknown_sensor_is_passed_on_and_metadata_applies_once_it_is_there(
    raw_topics: RawTopics, stream: StageProcess
) -> None:
    raw_topics.publish("temperature", [raw("temperature", key="before")])
    with stream:
        arrived(raw_topics, 1)
        raw_topics.publish_metadata(metadata("JFK:temperature", interval(0, offset=1.0)))
        raw_topics.publish("temperature", [raw("temperature", key="after", source_version=2)])
        eventually(lambda: keys(raw_topics)["after"])
    # The first word on each: with its metadata, the first reading is soon sent again.
    found = {record["source_key"]: record for record in reversed(raw_topics.clean("temperature"))}
    assert (found["before"]["flag"], found["before"]["reason"]) == (2, "no_metadata")
    assert (found["after"]["flag"], found["after"]["value"]) == (1, 13.5)


@pytest.mark.requirement("D8", "D9")
def test_the_index_says_where_which_times_lie(raw_topics: RawTopics, stream: StageProcess) -> None:
    raw_topics.publish("temperature", readings(0, 1200))
    with stream:
        arrived(raw_topics, 1200)
    records = raw_topics.clean("temperature")
    for entry in raw_topics.index():
        inside = [
            record["observed_at"]
            for record in records
            if record["raw_partition"] == entry["partition"]
            and entry["first_offset"] <= record["raw_offset"] <= entry["last_offset"]
        ]
        assert entry["readings"] == len(inside)
        assert (entry["least_observed_at"], entry["greatest_observed_at"]) == (
            min(inside),
            max(inside),
        )
    assert sum(entry["readings"] for entry in raw_topics.index()) == 1200


@pytest.mark.requirement("B3")
def test_the_repeated_hour_is_told_apart_even_across_a_restart(
    raw_topics: RawTopics, stream: StageProcess
) -> None:
    night = local("2013-11-03T01:00:00")
    extracted = local("2013-11-03T12:00:00")
    first, second = (
        raw("temperature", key=key, observed_local=night, extracted_at=extracted)
        for key in ("7320", "7321")
    )
    with stream:
        raw_topics.publish("temperature", [first])
        arrived(raw_topics, 1)
        stream.kill()
        stream.start()
        raw_topics.publish("temperature", [second, first])
        arrived(raw_topics, 3)
    found = [(r["source_key"], r["observed_at"]) for r in raw_topics.clean("temperature")]
    five, six = local("2013-11-03T05:00:00"), local("2013-11-03T06:00:00")
    assert found == [("7320", five), ("7321", six), ("7320", five)]


@pytest.mark.requirement("D3")
def test_a_stream_whose_partitions_were_taken_over_stops_and_says_so(
    raw_topics: RawTopics, stream: StageProcess, kafka: KafkaSettings, topics: Topics
) -> None:
    with stream:
        raw_topics.publish("temperature", readings(0, 30))
        arrived(raw_topics, 30)
        for number in range(topics.partitions):
            newer = f"{topics.named('aos-stream')}-{number}"
            Producer(kafka.client(transactional_id=newer)).init_transactions()
        raw_topics.publish("temperature", readings(30, 30))
        assert stream.wait() == 1
    assert "Fenced" in stream.log
    assert keys(raw_topics).total() == 30


@pytest.mark.requirement("D3")
def test_a_stream_that_finds_its_position_dropped_names_the_lost_range(
    raw_topics: RawTopics, stream: StageProcess, kafka: KafkaSettings, topics: Topics
) -> None:
    with stream:
        raw_topics.publish("temperature", readings(0, 60))
        arrived(raw_topics, 60)
        assert stream.stop() == 0
        raw_topics.publish("temperature", readings(60, 60))
        drop_everything(kafka, topics)
        stream.start()
        assert stream.wait() == 1
    assert "were dropped before they were read" in stream.log


def drop_everything(kafka: KafkaSettings, topics: Topics) -> None:
    """Let retention do its worst: every raw temperature is gone."""
    admin = AdminClient(kafka.client())
    places = [
        TopicPartition(topics.raw("temperature"), number, OFFSET_END)
        for number in range(topics.partitions)
    ]
    for future in admin.delete_records(places).values():
        future.result(20)
