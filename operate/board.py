"""What people say to the stream, on a compacted topic: read as a whole, changed by one at a time.

Who changes it fences whoever else is at it, reads what stands there, and writes in a transaction:
nobody decides by what another is just about to change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from operate.settings import Settings
from runtime.errors import Fenced, System
from runtime.kafka import check_reachable, translated
from runtime.kafka_read import read_to_end
from runtime.kafka_topics import ensure_topics
from schemas.codec import Decoder, Encoder, Record
from schemas.registry import Registry, subject_of
from schemas.topics import TopicSpec

_SECONDS: Final = 30.0
Put = Callable[[str, Record], None]


class Board:
    """The records of one topic, by their keys."""

    def __init__(self, settings: Settings, spec: TopicSpec, registry: Registry) -> None:
        self._settings = settings
        self._spec = spec
        self._registry = registry

    def records(self) -> list[Record]:
        """Give what stands there, the last of each key, in the order in which it was said.

        Raises:
            AosError: brokers or registry do not answer, or the topic holds something else.
        """
        decode = Decoder(self._spec.schema or "", self._registry.schema_of)
        found: dict[bytes, Record] = {}
        for message in _messages(self._settings, self._spec.name):
            key, value = message.key() or b"", message.value()
            found.pop(key, None)
            if value is not None:
                found[key] = decode(value)
        return list(found.values())

    @contextmanager
    def changing(self) -> Iterator[Put]:
        """Give what writes a record; all is written when this is left in good order, or nothing.

        Raises:
            AosError: brokers or registry do not answer, or somebody else began to change it.
        """
        settings = self._settings
        ensure_topics(
            AdminClient(settings.kafka.client()), [self._spec], settings.topics.replication
        )
        self._registry.register([self._spec])
        who = f"{self._spec.name}-people"
        try:
            producer = Producer(settings.kafka.client(transactional_id=who))
            producer.init_transactions(_SECONDS)
            producer.begin_transaction()
            yield lambda key, record: self._put(producer, key, record)
            producer.commit_transaction(_SECONDS)
        except KafkaException as error:
            raise _refused(error, self._spec.name) from error

    def _put(self, producer: Producer, key: str, record: Record) -> None:
        name, schema = self._spec.name, self._spec.schema or ""
        encode = Encoder(schema, self._registry.id_of(subject_of(name), schema))
        producer.produce(name, encode(record), key.encode())


@contextmanager
def board(settings: Settings, topic: str) -> Iterator[Board]:
    """Open one of the topics that people write.

    Raises:
        Configuration: brokers or registry cannot be reached.
    """
    check_reachable(settings.kafka)
    (spec,) = (one for one in settings.topics.people_specs() if one.name == topic)
    with closing(Registry(settings.registry)) as registry:
        registry.check()
        yield Board(settings, spec, registry)


def keys_of(settings: Settings, topic: str) -> set[str]:
    """Give every key that a topic of one partition ever had; none where there is no such topic.

    Raises:
        AosError: the brokers do not answer.
    """
    return {(message.key() or b"").decode() for message in _messages(settings, topic)}


def _messages(settings: Settings, topic: str) -> Iterator[Message]:
    kafka = settings.kafka
    known = AdminClient(kafka.client()).list_topics(timeout=kafka.connect_timeout_seconds)
    if topic in known.topics:
        yield from read_to_end(kafka, topic)


def _refused(error: KafkaException, topic: str) -> Exception:
    found = translated(error, f"writing to {topic}")
    if isinstance(found, Fenced):
        problem = f"somebody else changed {topic} at the same moment: nothing was written"
        return System(problem, mend="say it again")
    return found
