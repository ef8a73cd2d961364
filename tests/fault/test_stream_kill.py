"""The stream is killed again and again while it works: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from runtime.kafka import KafkaSettings
from schemas.codec import Record
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.unit.stream_fakes import mapping
from tests.waiting import eventually

ROUNDS = int(os.environ.get("AOS_FAULT_ROUNDS", "5"))
PER_ROUND = 6000
SEED = 20131103
MINUTE = 60_000_000


def readings(first: int, number: int) -> list[Record]:
    return [
        raw(
            "temperature",
            station=f"S{n % 40}",
            key=str(n),
            observed_local=local("2013-01-01T00:00:00") + n // 40 * MINUTE,
        )
        for n in range(first, first + number)
    ]


@pytest.mark.requirement("E2")
def test_a_killed_stream_loses_and_doubles_nothing(
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    pick = random.Random(SEED)  # noqa: S311 - the same moments in every run
    raw_topics = RawTopics(kafka, registry, topics)
    raw_topics.publish_mapping(mapping("temperature"))
    settings = {"instance": "one", "batch_records": 300}
    stream = StageProcess("stream", settings, kafka, registry_settings, topics, tmp_path / "log")
    with stream:
        for number in range(ROUNDS):
            raw_topics.publish("temperature", readings(number * PER_ROUND, PER_ROUND))
            time.sleep(pick.uniform(0.5, 3.5))
            stream.kill()
            stream.start()
        total = ROUNDS * PER_ROUND
        found = eventually(
            lambda: f if len(f := raw_topics.clean("temperature")) >= total else None, seconds=120
        )
    assert Counter(record["source_key"] for record in found) == Counter(
        str(n) for n in range(total)
    )
    by_partition: dict[int, list[int]] = {}
    for record in found:
        by_partition.setdefault(record["raw_partition"], []).append(record["raw_offset"])
    assert all(offsets == sorted(offsets) for offsets in by_partition.values())
