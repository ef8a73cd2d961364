"""Metadata that comes late, or changes what was: the readings it concerns are sent again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.kafka import KafkaSettings
from schemas.codec import Record
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.unit.stream_fakes import interval, mapping, metadata
from tests.waiting import eventually

SENSOR = "JFK:temperature"
MINUTE = 60_000_000
START = local("2013-07-01T04:00:00")
"""Midnight in New York, in UTC."""

Key = tuple[str, int]
Deploy = Callable[[str], tuple[RawTopics, StageProcess]]


@pytest.fixture
def deploy(
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> Deploy:
    """Make raw topics and a stream that reads them, under a name."""

    def deployed(name: str) -> tuple[RawTopics, StageProcess]:
        named = topics.model_copy(update={"namespace": topics.named(name).replace(".", "-")})
        made = RawTopics(kafka, registry, named)
        made.publish_mapping(mapping("temperature"))
        # So slow that a task takes several rounds, and can be killed between them.
        settings = {"instance": "one", "batch_records": 100, "again_records_per_second": 200}
        log = tmp_path / f"{name}.log"
        return made, StageProcess("stream", settings, kafka, registry_settings, named, log)

    return deployed


def reading(n: int, station: str = "JFK", **changes: Any) -> Record:
    """Make the reading of a minute: it rises and falls, and jumps now and then."""
    value = 20 + n % 7 * 0.3 + (4.0 if n % 40 == 0 else 0.0)
    return raw(
        "temperature",
        station=station,
        key=f"{station}{n}",
        zone="UTC",
        observed_local=START + n * MINUTE,
        extracted_at=START + (n + 1) * MINUTE,
        **{"value": value, **changes},
    )


def readings(first: int, number: int, *stations: str) -> list[Record]:
    return [reading(n, s) for n in range(first, first + number) for s in stations or ("JFK",)]


def final(raw_topics: RawTopics) -> dict[Key, Record]:
    """Give of each reading the record that wins."""
    found: dict[Key, Record] = {}
    for record in raw_topics.clean("temperature"):
        key = record["sensor_id"], record["observed_at"]
        if key not in found or rank(found[key]) < rank(record):
            found[key] = record
    return found


def rank(record: Record) -> tuple[int, int]:
    return record["source_version"], record["revision"]


def done(stream: StageProcess, times: int = 1) -> bool:
    return stream.log.count("judged again: ") >= times


def described(raw_topics: RawTopics, *versions: Record) -> None:
    raw_topics.publish_metadata(metadata(SENSOR, *versions))


@pytest.mark.requirement("B4")
def test_readings_of_an_unknown_sensor_are_sent_again_when_its_metadata_comes(
    deploy: Deploy,
) -> None:
    raw_topics, stream = deploy("late")
    raw_topics.publish("temperature", readings(0, 60, "JFK", "LGA"))
    with stream:
        eventually(lambda: len(final(raw_topics)) == 120)
        assert {r["flag_metadata"] for r in final(raw_topics).values()} == {2}
        described(raw_topics, interval(START + 10 * MINUTE, offset=1.5))
        eventually(lambda: done(stream))
    for (sensor, at), record in final(raw_topics).items():
        known = sensor == SENSOR and at >= START + 10 * MINUTE
        assert record["flag_metadata"] == (1 if known else 2)
        moved = record["value"] - record["raw_value"]
        assert moved == pytest.approx(1.5 if known else 0.0)
    sent = [r for r in raw_topics.clean("temperature") if r["sensor_id"] == "LGA:temperature"]
    assert len(sent) - len({r["observed_at"] for r in sent}) <= 1  # a jump that could be told later


BEFORE = interval(0, metadata_version="m1")
MOVED = interval(
    START + 100 * MINUTE,
    START + 300 * MINUTE,
    metadata_version="m2",
    calibration_version="c2",
    scale=2.0,
    offset=-20.0,
    y=41.0,
)
CHANGED = (
    {**BEFORE, "valid_to": START + 100 * MINUTE},
    MOVED,
    interval(START + 300 * MINUTE, metadata_version="m3", height=10.0),
)


def told(raw_topics: RawTopics) -> None:
    """Tell of a morning: corrections and deletions among the readings, others in between."""
    some = readings(0, 400, "JFK", "LGA", "EWR")
    raw_topics.publish("temperature", some)
    late = [reading(n, source_version=2, value=30.0) for n in (150, 290, 399)]
    gone = [reading(n, source_version=2, op="delete", value=None) for n in (160, 301)]
    raw_topics.publish("temperature", [*late, *gone])


def verdicts(raw_topics: RawTopics) -> dict[Key, Record]:
    """Give what was found out about each reading, without when and in which batch."""
    by_chance = ("revision", "processed_at", "raw_offset", "raw_topic")
    return {
        key: {name: value for name, value in record.items() if name not in by_chance}
        for key, record in final(raw_topics).items()
    }


@pytest.mark.requirement("B4", "E2")
def test_a_change_of_the_past_leads_to_what_would_have_been_had_it_been_known_though_it_is_killed(
    deploy: Deploy,
) -> None:
    known, reference = deploy("known")
    described(known, *CHANGED)
    told(known)
    known.publish("temperature", readings(400, 60))
    with reference:
        eventually(lambda: len(final(known)) == 1260)

    raw_topics, stream = deploy("changed")
    described(raw_topics, BEFORE)
    told(raw_topics)
    with stream:
        eventually(lambda: len(final(raw_topics)) == 1200)
        described(raw_topics, *CHANGED)
        eventually(lambda: sent(raw_topics))
        stream.kill()
        raw_topics.publish("temperature", readings(400, 60))
        before = Counter(map(place, sent(raw_topics)))
        assert 0 < before.total() < 300
        stream.start()
        eventually(lambda: done(stream))
        eventually(lambda: len(final(raw_topics)) == 1260)
        assert verdicts(raw_topics) == verdicts(known)
        assert final(raw_topics)[SENSOR, START + 160 * MINUTE]["op"] == "delete"
        once = sent(raw_topics)
        stream.stop()
        stream.start()
        raw_topics.publish("temperature", readings(460, 1))
        eventually(lambda: len(final(raw_topics)) == 1261)
        assert len(sent(raw_topics)) == len(once)
    pairs = Counter((*place(r), r["source_version"], r["revision"]) for r in once)
    assert set(pairs.values()) == {1}


def sent(raw_topics: RawTopics) -> list[Record]:
    """Give the readings that were made by the metadata that came later."""
    return [r for r in raw_topics.clean("temperature") if r["metadata_version"] == "m2"]


def place(record: Record) -> Key:
    return record["sensor_id"], record["observed_at"]
