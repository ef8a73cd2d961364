"""Topics that were made a moment ago: their leader does not know yet that it is one."""

from __future__ import annotations

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from operate.kafka_offsets import beginnings, ends
from runtime.kafka import KafkaSettings

TOPICS, PARTITIONS = 12, 4


@pytest.mark.requirement("D3")
def test_topics_that_were_just_made_are_asked_until_their_leader_knows_of_them(
    kafka: KafkaSettings, namespace: str
) -> None:
    names = [f"{namespace}.young{number}" for number in range(TOPICS)]
    places = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
    made = [NewTopic(name, PARTITIONS, 1) for name in names]
    making, asking = AdminClient(kafka.client()), AdminClient(kafka.client())
    for done in making.create_topics(made).values():
        done.result()
    nothing = dict.fromkeys(((p.topic, p.partition) for p in places), 0)
    assert ends(asking, places) == nothing
    assert beginnings(asking, places) == nothing
