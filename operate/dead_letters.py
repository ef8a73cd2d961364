"""Dead letters as a person reads them: when, where from, why, and how the record begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from schemas.dead_letters import PREFIX, REASON

_START_BYTES: Final = 60


class Letter(NamedTuple):
    """One dead letter; topic, partition and offset are those of the record that could not be used.

    ``start`` shows the first bytes of its value; what is no character stands there as a dot.
    """

    time: datetime
    topic: str
    partition: int
    offset: int
    reason: str
    message: str
    key: str
    start: str


def letters(kafka: KafkaSettings, topics: Sequence[str], most: int) -> list[Letter]:
    """Give the newest dead letters of some topics, by time; nothing is committed.

    Raises:
        AosError: the brokers do not answer.
    """
    newest = [letter for topic in topics for letter in deque(_all(kafka, topic), most)]
    return sorted(newest, key=lambda letter: letter.time)[-most:]


def _all(kafka: KafkaSettings, topic: str) -> Iterator[Letter]:
    known = AdminClient(kafka.client()).list_topics(timeout=kafka.connect_timeout_seconds)
    for number in known.topics[topic].partitions if topic in known.topics else ():
        yield from map(letter_of, read_to_end(kafka, topic, number))


def letter_of(message: Message) -> Letter:
    """Read what the headers of a dead letter say."""
    told: dict[str, bytes] = dict(cast("Any", message.headers() or []))
    said = {name: value.decode("utf-8", "replace") for name, value in told.items()}
    return Letter(
        datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        said.get(PREFIX + "topic", ""),
        int(said.get(PREFIX + "partition", -1)),
        int(said.get(PREFIX + "offset", -1)),
        said.get(REASON, ""),
        said.get(PREFIX + "exception.message", ""),
        legible(message.key()),
        legible(message.value()),
    )


def legible(value: str | bytes | None) -> str:
    r"""Show how bytes begin.

    >>> legible(b"\0\0\0\0\7\6JFK 17"), legible(None)
    ('......JFK 17', '')
    """
    start = value.encode() if isinstance(value, str) else value or b""
    text = start[:_START_BYTES].decode("utf-8", "replace")
    return "".join(c if c.isprintable() and c != "\N{REPLACEMENT CHARACTER}" else "." for c in text)
