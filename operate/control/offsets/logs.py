"""What the brokers keep of partitions, and how far a group has come."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.control.offsets.places import Log
from operate.kafka_offsets import beginnings, ends
from runtime.kafka import translated


def logs_of(admin: AdminClient, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Log]:
    """Say what is kept of each partition, for readers of what is committed.

    Raises:
        AosError: the brokers do not answer, or a topic is gone.
    """
    wanted = [TopicPartition(*place) for place in places]
    firsts, after = beginnings(admin, wanted), ends(admin, wanted)
    ids = _ids(admin, {place.topic for place in wanted})
    return {place: Log(firsts[place], after[place], ids[place[0]]) for place in firsts}


def partitions_of(admin: AdminClient, topics: Iterable[str]) -> list[tuple[str, int]]:
    """Name every partition of those topics that are there.

    Raises:
        AosError: the brokers do not answer.
    """
    try:
        present = admin.list_topics(timeout=10).topics
    except KafkaException as error:
        raise translated(error, "asking which topics there are") from error
    return [
        (name, number)
        for name in topics
        if name in present
        for number in sorted(present[name].partitions)
    ]


def _ids(admin: AdminClient, topics: set[str]) -> dict[str, str]:
    if not topics:
        return {}
    asked = admin.describe_topics(TopicCollection([*topics]), request_timeout=10)
    try:
        return {name: str(future.result().topic_id) for name, future in asked.items()}
    except KafkaException as error:
        raise translated(error, "asking for the ids of topics") from error
