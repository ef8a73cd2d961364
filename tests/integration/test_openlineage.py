"""OpenLineage events on a topic of the deployment."""

from __future__ import annotations

import json

import pytest

from operate.lineage.telling import lineage_of
from operate.settings import Settings
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from schemas.topics import Topics


@pytest.mark.requirement("D9")
def test_a_topic_hears_of_a_run(kafka: KafkaSettings, topics: Topics) -> None:
    lineage = {"transport": "kafka", "namespace": "weather"}
    settings = Settings(kafka=kafka, topics=topics, lineage=lineage)
    with lineage_of(settings, "sink"):
        pass
    topic = topics.named(settings.lineage.topic)
    told = [(m.key(), json.loads(m.value() or b"")) for m in read_to_end(kafka, topic)]
    assert [event["eventType"] for _, event in told] == ["START", "COMPLETE"]
    assert {key for key, _ in told} == {f"run:weather/{topics.named('sink')}".encode()}
