"""The example for other consumers, run as they would run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.clean_records import Publisher, clean

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "consume_clean.py"


@pytest.fixture
def publisher(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics
) -> Iterator[Publisher]:
    ensure_topics(AdminClient(kafka.client()), topics.specs(), topics.replication)
    with closing(Publisher(kafka, registry_settings, topics)) as made:
        yield made


@pytest.mark.requirement("F3")
def test_the_example_prints_the_winner_of_each_reading(
    publisher: Publisher,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
) -> None:
    publisher.readings([clean("temperature", n, value=float(n)) for n in range(6)])
    publisher.readings(
        [
            clean("temperature", 1, value=10.0, source_version=2, revision=5),
            clean("temperature", 1, value=11.0, source_version=1, revision=9),
            clean("temperature", 2, value=20.0, revision=2),
            clean("temperature", 3, op="delete", value=None, source_version=2, flag=2),
            clean("temperature", 4, value=None, revision=2, flag=4),
        ],
    )
    publisher.readings([clean("temperature", 5, value=50.0, revision=9)], commit=False)
    publisher.readings([clean("wind", 7)])
    where = [kafka.bootstrap_servers, registry_settings.url, topics.named("example")]
    done = subprocess.run(
        [sys.executable, EXAMPLE, *where, topics.clean("temperature"), topics.clean("wind")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "JFK:temperature 2013-01-01T06:00:00+00:00 0.0 degC",
        "JFK:temperature 2013-01-01T07:00:00+00:00 10.0 degC",
        "JFK:temperature 2013-01-01T08:00:00+00:00 20.0 degC",
        "JFK:temperature 2013-01-01T11:00:00+00:00 5.0 degC",
        "JFK:wind 2013-01-01T13:00:00+00:00 5.5 m/s",
    ]
