"""What the page sees of the flow on real brokers: ends, what waits, and the source's cursors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.api.context import Context
from operate.page.eyes import Eyes
from operate.page.flow import Look, told
from operate.settings import Settings
from runtime.errors import AosError
from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.codec import Encoder
from schemas.registry import Registry, RegistrySettings, subject_of
from schemas.topics import Topics
from sink.settings import SinkSettings
from tests.api_fakes import Fleet
from tests.waiting import eventually

pytestmark = [
    pytest.mark.requirement("D11"),
    pytest.mark.backend("embedded Kafka and registry, native PostgreSQL"),
]


Answer = TypeVar("Answer")


def patiently(act: Callable[[], Answer]) -> Answer:
    """Do something as soon as the leaders of topics that were made a moment ago know of them."""

    def attempt() -> tuple[Answer] | None:
        try:
            return (act(),)
        except (AosError, KafkaException):
            return None

    (answer,) = eventually(attempt) or ()
    return answer


@pytest.fixture
def settings(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics, postgres: str
) -> Settings:
    sink = SinkSettings(database_url=postgres)
    ensure_topics(AdminClient(kafka.client()), topics.specs(), 1)
    return Settings(kafka=kafka, registry=registry_settings, topics=topics, sink=sink)


def publish(settings: Settings, records: int, cursor: bytes) -> None:
    """Publish readings of wind in one transaction, and how far the source has come in it."""
    name = settings.topics.named("page-test")
    producer = Producer(settings.kafka.client(transactional_id=name))
    patiently(lambda: producer.init_transactions(30))
    producer.begin_transaction()
    for _ in range(records):
        producer.produce(settings.topics.raw("wind"), b"reading", b"JFK", 0)
    producer.produce(settings.topics.cursors, cursor, b"aos/hourly")
    producer.commit_transaction(30)


def test_what_was_published_waits_until_the_stream_has_judged_it(
    settings: Settings, registry: Registry
) -> None:
    topics = settings.topics
    eyes = Eyes(Context(settings, Fleet()))
    before = patiently(eyes.look)
    assert (before.cursors, sum(before.raw.values())) == ((), 0)

    subject = subject_of(topics.cursors)
    encode = Encoder("source_cursor", registry.id_of(subject, "source_cursor"))
    cursor = {"source": "aos", "table": "hourly", "mode": "timestamp", "position": "7|3"}
    counts = {"rows": 3, "readings": 3, "identity": "i", "updated_at": time.time_ns() // 1000}
    publish(settings, 3, encode({**cursor, **counts, "instance": "a", "published": None}))

    # A transaction is seen a moment after it was committed: when its marks are written.
    seen = eventually(lambda: _with_cursors(patiently(Eyes(Context(settings, Fleet())).look)))
    (shown,) = seen.cursors
    assert (shown["table"], shown["position"], shown["readings"]) == ("hourly", "7|3", 3)
    eventually(lambda: _wind_lag(patiently(eyes.look), topics) == 3)

    group = topics.named(settings.stream.group)
    judged = Consumer(settings.kafka.client(group_id=group))
    reached = [TopicPartition(topics.raw("wind"), 0, 3)]
    patiently(lambda: judged.commit(offsets=reached, asynchronous=False))
    judged.close()
    assert _wind_lag(patiently(eyes.look), topics) == 0


def _with_cursors(look: Look) -> Look | None:
    return look if look.cursors else None


def _wind_lag(look: Look, topics: Topics) -> int:
    document = told((look,), topics)
    (wind,) = [one for one in document["parameters"] if one["parameter"] == "wind"]
    return int(wind["stream"]["lag"])
