"""Reading a topic from its beginning to its end: for what is remembered on topics, not streamed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from runtime.retry import Backoff, retry, within

_PATIENCE_SECONDS: Final = 30.0
_TICK_SECONDS: Final = 1.0
_YOUNG: Final = Backoff(tries=8, first=0.1, most=1.0)
_YOUNG_SECONDS: Final = 5.0
"""How long a topic may be too young for its leader to know of it."""


def reader(settings: KafkaSettings, **more: object) -> Consumer:
    """Make a consumer that commits nothing, sees what is committed, and is told of every end."""
    defaults: dict[str, object] = {
        "group_id": "aos-reader",  # librdkafka asks for one; nothing is ever committed under it
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "enable_partition_eof": True,
        "auto_offset_reset": "error",
        "fetch_wait_max_ms": 50,
        # One second as it comes: so long nothing is fetched once enough was, wherever we go then.
        "fetch_queue_backoff_ms": 5,
    }
    return Consumer(settings.client(**{**defaults, **more}))


def read_to_end(settings: KafkaSettings, topic: str, partition: int = 0) -> Iterator[Message]:
    """Give every committed record of a partition, from the beginning to what is written by now.

    A record that is committed may stand behind a transaction of another writer that is still open;
    a reader of committed records sees it only when that one has ended, so this waits for it.

    Raises:
        Transient: nothing came for longer than a transaction may last.
    """
    found, written = _met(settings, TopicPartition(topic, partition))
    with closing(found) as consumer:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _PATIENCE_SECONDS:
            # Not consume(): it waits for a full batch or the whole timeout, though the end is near.
            if (message := consumer.poll(_TICK_SECONDS)) is None:
                continue
            quiet_since = time.monotonic()
            end = is_end(message)
            if not end:
                yield message
            # Others may go on writing: then a record behind the end that was asked for comes first.
            if (message.offset() or 0) + (not end) >= written:
                return
    problem = f"{topic} [{partition}]: nothing came for {_PATIENCE_SECONDS:.0f} s"
    raise Transient(problem, mend="see whether the brokers are up")


def _met(settings: KafkaSettings, place: TopicPartition) -> tuple[Consumer, int]:
    """Give a consumer that has met the leader of a partition, and where that ends.

    The leader of a topic that was just made may not know of it yet, and librdkafka may go by what
    it heard then for as long as a client lives: each try has clients of its own.
    """

    def find() -> tuple[Consumer, int]:
        written = _written(settings, place)
        consumer = reader(settings)
        try:
            _meet_leader(consumer, place)
        except Transient:
            consumer.close()
            raise
        return consumer, written

    return retry(find, _YOUNG, threading.Event(), within(_YOUNG_SECONDS))


def _meet_leader(consumer: Consumer, place: TopicPartition) -> None:
    """Ask anything of the leader: to one it has not met, librdkafka puts off fetching by 0.5 s."""
    try:
        consumer.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS)
    except KafkaException as error:
        raise translated(error, f"asking for {place.topic} [{place.partition}]") from error


def _written(settings: KafkaSettings, place: TopicPartition) -> int:
    """Ask for the end of a partition, transactions that are still open included."""
    admin = AdminClient(settings.client())
    asked = admin.list_offsets(
        {place: OffsetSpec.latest()},  # type: ignore[no-untyped-call]
        isolation_level=IsolationLevel.READ_UNCOMMITTED,
    )
    try:
        end: int = asked[place].result(_PATIENCE_SECONDS).offset
    except KafkaException as error:
        raise translated(
            error, f"asking for the end of {place.topic} [{place.partition}]"
        ) from error
    return end


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
