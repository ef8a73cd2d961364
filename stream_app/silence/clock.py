"""Up to which moment a raw topic has been read: the clock by which its sensors are judged.

It is not the wall clock, or a stream that was stopped for a day would find every sensor silent for
a day; nor the newest reading, or nobody would be silent when all of them are. It is the time at
which the first record that is still unread was published, and now where everything is read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Final

from confluent_kafka import Message, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from runtime.kafka_read import is_end, reader

_SECONDS: Final = 10.0


def utc_now() -> int:
    """Give the time of this machine, in UTC microseconds."""
    return time.time_ns() // 1000


def published_at(message: Message) -> int:
    """Give when a record was published, in UTC microseconds."""
    return int(message.timestamp()[1]) * 1000


def clocks(
    kafka: KafkaSettings, partition: int, positions: Mapping[str, int], now: int
) -> dict[str, int]:
    """Give the clock of each topic that is read up to its position; ``now`` in UTC microseconds.

    Raises:
        Transient: the broker does not answer.
    """
    found: dict[str, int] = {}
    with closing(reader(kafka, client_id="aos-stream-clock")) as consumer:
        consumer.assign([TopicPartition(topic, partition, at) for topic, at in positions.items()])
        while len(found) < len(positions):
            message = consumer.poll(_SECONDS)
            if message is None:
                problem = f"the ends of {', '.join(positions)} [{partition}] cannot be asked for"
                raise Transient(problem, mend="see whether the brokers are up")
            found.setdefault(
                str(message.topic()), now if is_end(message) else min(now, published_at(message))
            )
    return found
