"""Reading a topic from its beginning to its end: for what is remembered on topics, not streamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated

_PATIENCE_SECONDS: Final = 30.0
_BATCH: Final = 5000


def reader(settings: KafkaSettings, **more: object) -> Consumer:
    """Make a consumer that commits nothing, sees what is committed, and is told of every end."""
    defaults: dict[str, object] = {
        "group_id": "aos-reader",  # librdkafka asks for one; nothing is ever committed under it
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "enable_partition_eof": True,
        "auto_offset_reset": "error",
        "fetch_wait_max_ms": 50,
    }
    return Consumer(settings.client(**{**defaults, **more}))


def read_to_end(settings: KafkaSettings, topic: str, partition: int = 0) -> Iterator[Message]:
    """Give every committed record of a partition, from the beginning to the end it has by now.

    Raises:
        Transient: the broker fell silent before the end.
    """
    with closing(reader(settings)) as consumer:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        while messages := consumer.consume(_BATCH, timeout=_PATIENCE_SECONDS):
            for message in messages:
                if is_end(message):
                    return
                yield message
    problem = f"{topic} [{partition}]: nothing came for {_PATIENCE_SECONDS:.0f} s"
    raise Transient(problem)


def is_end(message: Message) -> bool:
    """Say whether a message only tells that the partition's end was reached.

    Raises:
        AosError: the message tells of an error instead.
    """
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no public spelling
        return True
    raise translated(error, f"reading {message.topic()}")
