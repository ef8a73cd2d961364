"""Silent sensors on a real broker: the clock of a topic, the event, the return, a restart."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from runtime.kafka import KafkaSettings
from schemas.codec import Record
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from stream_app.silence.clock import clocks
from tests.raw_records import raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.unit.stream_fakes import mapping
from tests.waiting import eventually

SILENT, HEARD = "silent", "heard"
SECOND = 1_000_000
MINUTE = 60 * SECOND
NOW = 2_000_000_000 * SECOND


@pytest.fixture
def raw_topics(kafka: KafkaSettings, registry: Registry, topics: Topics) -> RawTopics:
    made = RawTopics(kafka, registry, topics)
    made.publish_mapping(mapping("temperature"))
    return made


def transactional(kafka: KafkaSettings, topics: Topics) -> Producer:
    made = Producer(kafka.client(transactional_id=topics.named("test-clock")))
    made.init_transactions()
    return made


def write(producer: Producer, topic: str, *seconds: int) -> None:
    for at in seconds:
        producer.produce(topic, b"x", partition=0, timestamp=at * 1000)
    producer.flush()


@pytest.mark.requirement("D6")
def test_the_clock_stands_at_the_first_record_that_is_unread(
    raw_topics: RawTopics, kafka: KafkaSettings, topics: Topics
) -> None:
    topic, other = topics.raw("temperature"), topics.raw("wind")
    producer = transactional(kafka, topics)
    producer.begin_transaction()
    write(producer, topic, 1_000, 2_000, 3_000)
    producer.commit_transaction()

    def clock(position: int) -> int:
        return clocks(kafka, 0, {topic: position, other: 0}, NOW)[topic]

    assert [clock(0), clock(2)] == [1_000 * SECOND, 3_000 * SECOND]
    assert clock(3) == NOW  # behind it stands nothing but the transaction's own mark
    producer.begin_transaction()
    write(producer, topic, 4_000)
    assert clock(3) == NOW  # not committed
    producer.abort_transaction()
    producer.begin_transaction()
    write(producer, topic, 5_000)
    producer.commit_transaction()
    assert clock(3) == 5_000 * SECOND
    assert clocks(kafka, 0, {other: 0}, NOW) == {other: NOW}


@pytest.fixture
def stream(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics, tmp_path: Path
) -> StageProcess:
    settings = {
        "instance": "one",
        "silence_floor_seconds": 60,
        "silence_check_seconds": 0.3,
        "metrics_port": 0,
    }
    return StageProcess(
        "stream", settings, kafka, registry_settings, topics, tmp_path / "stream.log"
    )


def now() -> int:
    return time.time_ns() // 1_000_000_000 * SECOND


def minutes(sensor: str, *ago: int) -> list[tuple[int, Record]]:
    """Make readings that were observed, and published a second later, so many minutes ago."""
    times = [now() - back * MINUTE for back in sorted(ago, reverse=True)]
    return [(at + SECOND, reading(sensor, at)) for at in times]


def reading(sensor: str, at: int) -> Record:
    station = sensor.split(":", maxsplit=1)[0]
    return raw(
        "temperature",
        station=station,
        key=f"{sensor}{at}",
        sensor_id=sensor,
        zone="UTC",
        observed_local=at,
        source_version=at,
        extracted_at=at + SECOND,
    )


def states(raw_topics: RawTopics, number: int) -> list[tuple[str, str]]:
    """Wait for so many events; give sensor and state of each, by sensor and time."""
    found = eventually(lambda: f if len(f := raw_topics.silences()) >= number else None)
    return [(e["sensor_id"], e["state"]) for e in sorted(found, key=lambda e: e["sensor_id"])]


@pytest.mark.requirement("D6")
def test_a_sensor_that_misses_its_rhythm_is_told_of_and_so_is_its_return(
    raw_topics: RawTopics, stream: StageProcess
) -> None:
    gone, fresh = "JFK:temperature", "JFK:temperature:2"
    history = [*minutes(gone, *range(10, 20)), *minutes(fresh, *range(20))]
    raw_topics.publish_at("temperature", history)
    with stream:
        assert states(raw_topics, 1) == [(gone, SILENT)]
        (event,) = raw_topics.silences()
        assert event["since"] == event["last_observed_at"] == history[9][1]["observed_local"]
        assert event["expected_cadence_seconds"] == pytest.approx(60, abs=1)
        assert event["limit_seconds"] == pytest.approx(180, abs=3)
        eventually(lambda: served(stream, "silent_sensors") == 1)
        raw_topics.publish("temperature", [reading(gone, now())])
        assert states(raw_topics, 2) == [(gone, SILENT), (gone, HEARD)]
        eventually(lambda: served(stream, "silent_sensors") == 0)
        eventually(lambda: served(stream, "readings_total") == 31)


@pytest.mark.requirement("D4")
def test_a_restart_forgets_no_silence_and_makes_none_up(
    raw_topics: RawTopics, stream: StageProcess
) -> None:
    gone, fresh, other = (f"JFK:temperature{n}" for n in ("", ":2", ":3"))
    raw_topics.publish_at(
        "temperature", [*minutes(gone, *range(10, 20)), *minutes(fresh, *range(1, 20))]
    )
    with stream:
        assert states(raw_topics, 1) == [(gone, SILENT)]
        stream.kill()
        # While nobody looks, an hour's backlog comes in, and a sensor that has been silent since.
        raw_topics.publish_at("temperature", minutes(other, *range(30, 40)))
        stream.start()
        assert states(raw_topics, 2) == [(gone, SILENT), (other, SILENT)]
        raw_topics.publish("temperature", [reading(gone, now())])
        assert states(raw_topics, 3) == [(gone, SILENT), (gone, HEARD), (other, SILENT)]


def served(stream: StageProcess, name: str) -> float:
    """Ask the stream for a metric of temperature."""
    url = re.findall(r'"url": "([^"]+)"', stream.log)[-1]
    line = f'aos_stream_{name}{{parameter="temperature"}} '
    told = httpx.get(url, trust_env=False).text
    return float(told.split(line)[1].split()[0])
