"""Dead letters as a person reads them: when, where from, why, and how the record begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self, cast

from confluent_kafka import KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.errors import Configuration, Transient
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import is_end, read_to_end, reader
from schemas.dead_letters import PREFIX, REASON
from schemas.topics import Topics

_START_BYTES: Final = 60
_ASK_SECONDS: Final = 10.0
_MEND: Final = "name it as `aos dlq list` does, like clean:0:17"


class Place(NamedTuple):
    """Where a record lies.

    >>> str(Place("weather.clean.dlq.v1", 0, 17))
    'weather.clean.dlq.v1:0:17'
    """

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Write it as people name it."""
        return ":".join(map(str, self))

    @classmethod
    def of(cls, text: str, topics: Topics) -> Self:
        """Read how a person names a dead letter; ``clean`` and ``sink`` stand for the topics.

        >>> Place.of("sink:0:3", Topics(namespace="lab"))
        Place(topic='lab.weather.sink.dlq.v1', partition=0, offset=3)

        Raises:
            Configuration: it names none.
        """
        topic, _, rest = text.partition(":")
        partition, _, offset = rest.partition(":")
        named = dead_letter_topics(topics)
        topic = named.get(topic, topic)
        if topic not in named.values() or not (partition.isdecimal() and offset.isdecimal()):
            option, problem = "LETTER", "it is no topic:partition:offset of a dead letter"
            raise Configuration.of(option, text, problem, mend=_MEND)
        return cls(topic, int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    Attributes:
        place: where the letter itself lies.
        time: when it was written.
        origin: where the record lies that could not be used; offset -1 where nobody says so.
        reason: one short word.
        message: the whole reason.
        key: of the record, its own.
        value: of the record, its own bytes.
        told: every header, as text.
    """

    place: Place
    time: datetime
    origin: Place
    reason: str
    message: str
    key: bytes | None
    value: bytes | None
    told: dict[str, str] = field(default_factory=dict)

    @property
    def station(self) -> str:
        """The station, which is the key of every reading."""
        return legible(self.key)

    def as_document(self) -> dict[str, Any]:
        """Give it as a row of a table; ``start`` shows how its value begins."""
        return {
            "letter": str(self.place),
            "time": self.time,
            **self.origin._asdict(),
            "reason": self.reason,
            "message": self.message,
            "key": self.station,
            "start": legible(self.value),
        }


def dead_letter_topics(topics: Topics) -> dict[str, str]:
    """Name both topics by the stage that gives records up: the stream or the sink."""
    return {"clean": topics.clean_dead_letters, "sink": topics.sink_dead_letters}


def letters(kafka: KafkaSettings, topic: str) -> Iterator[Letter]:
    """Give all dead letters of a topic, the oldest first; nothing is committed.

    Raises:
        AosError: the brokers do not answer.
    """
    known = AdminClient(kafka.client()).list_topics(timeout=kafka.connect_timeout_seconds)
    for number in known.topics[topic].partitions if topic in known.topics else ():
        yield from map(letter_of, read_to_end(kafka, topic, number))


def letter_at(kafka: KafkaSettings, place: Place) -> Letter:
    """Read one dead letter.

    Raises:
        Configuration: there is none, or not any more.
        AosError: the brokers do not answer.
    """
    return letter_of(record_at(kafka, place))


def record_at(kafka: KafkaSettings, place: Place) -> Message:
    """Read one committed record of any topic.

    Raises:
        Configuration: there is none, or not any more.
        AosError: the brokers do not answer.
    """
    where = TopicPartition(*place)
    with closing(reader(kafka)) as consumer:
        try:
            low, high = consumer.get_watermark_offsets(where, timeout=_ASK_SECONDS)
        except KafkaException as error:
            raise translated(error, f"looking for {place}") from error
        if not low <= place.offset < high:
            problem = f"there is no record {place}: the topic keeps {low} to before {high}"
            raise Configuration(problem, mend="name one that is kept")
        consumer.assign([where])
        message = consumer.poll(_ASK_SECONDS)
    if message is None:
        problem = f"{place} did not come within {_ASK_SECONDS:.0f} s"
        raise Transient(problem, mend="see whether the brokers are up")
    if is_end(message) or message.offset() != place.offset:
        problem = f"there is no record {place}: a mark of a transaction, or what was taken back"
        raise Configuration(problem, mend="name one that is kept")
    return message


def letter_of(message: Message) -> Letter:
    """Read what the headers of a dead letter say."""
    headers: dict[str, bytes] = dict(cast("Any", message.headers() or []))
    told = {name: (value or b"").decode("utf-8", "replace") for name, value in headers.items()}
    return Letter(
        Place(message.topic() or "", message.partition() or 0, message.offset() or 0),
        datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        Place(
            told.get(PREFIX + "topic", ""),
            int(told.get(PREFIX + "partition", -1)),
            int(told.get(PREFIX + "offset", -1)),
        ),
        told.get(REASON, ""),
        told.get(PREFIX + "exception.message", ""),
        _bytes(message.key()),
        _bytes(message.value()),
        told,
    )


def legible(value: str | bytes | None) -> str:
    r"""Show how bytes begin.

    >>> legible(b"\0\0\0\0\7\6JFK 17"), legible(None)
    ('......JFK 17', '')
    """
    start = (_bytes(value) or b"")[:_START_BYTES]
    text = start.decode("utf-8", "replace")
    return "".join(c if c.isprintable() and c != "\N{REPLACEMENT CHARACTER}" else "." for c in text)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
