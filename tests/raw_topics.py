"""Publishing raw records as the source does, and reading what the stream made of them."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient

from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.kafka_topics import ensure_topics
from schemas.codec import Decoder, Encoder, Record
from schemas.mapping import Mapping
from schemas.registry import Registry, subject_of
from schemas.topics import Topics, clean_schema, raw_schema


class RawTopics:
    """The raw side of a deployment, from both ends."""

    def __init__(self, kafka: KafkaSettings, registry: Registry, topics: Topics) -> None:
        self.topics = topics
        self._kafka = kafka
        self._registry = registry
        ensure_topics(AdminClient(kafka.client()), topics.specs(), topics.replication)
        registry.register(topics.specs())
        transactional_id = topics.named("test-source")
        self._producer = Producer(kafka.client(transactional_id=transactional_id))
        self._producer.init_transactions()

    def publish(self, parameter: str, records: Iterable[Record], *, commit: bool = True) -> None:
        """Write raw readings in one transaction, and commit or abort it."""
        topic = self.topics.raw(parameter)
        encode = self._encoder(topic, raw_schema(parameter))
        self._write(topic, [(r["station_id"], encode(r)) for r in records], commit=commit)

    def publish_at(self, parameter: str, records: Iterable[tuple[int, Record]]) -> None:
        """Write raw readings as if each had been published at its time, in UTC microseconds."""
        topic = self.topics.raw(parameter)
        encode = self._encoder(topic, raw_schema(parameter))
        self._producer.begin_transaction()
        for at, record in records:
            key, value = record["station_id"].encode(), encode(record)
            self._producer.produce(topic, value, key, timestamp=at // 1000)
        self._producer.commit_transaction()

    def publish_bytes(self, parameter: str, *values: bytes | None) -> None:
        """Write something else into a raw topic."""
        self._write(self.topics.raw(parameter), [("JFK", value) for value in values], commit=True)

    def framed(self, parameter: str, record: Record) -> bytes:
        """Encode a raw reading as it is written."""
        encode = self._encoder(self.topics.raw(parameter), raw_schema(parameter))
        return encode(record)

    def publish_mapping(self, mapping: Mapping) -> None:
        """Write a mapping."""
        document = {
            "source": mapping.source,
            "version": mapping.version,
            "document": mapping.as_json(),
            "published_at": 0,
        }
        encode = self._encoder(self.topics.mapping, "mapping")
        self._write(self.topics.mapping, [(mapping.key, encode(document))], commit=True)

    def publish_metadata(self, *records: Record) -> None:
        """Write sensor metadata."""
        encode = self._encoder(self.topics.metadata, "sensor_metadata")
        values = [(record["sensor_id"], encode(record)) for record in records]
        self._write(self.topics.metadata, values, commit=True)

    def clean(self, parameter: str) -> list[Record]:
        """Read every clean reading that is committed by now."""
        decode = Decoder(clean_schema(parameter), self._registry.schema_of)
        return [decode(m.value()) for m in self._read(self.topics.clean(parameter))]

    def silences(self) -> list[Record]:
        """Read every event of a sensor that fell silent or was heard again."""
        decode = Decoder("sensor_silence", self._registry.schema_of)
        return [decode(m.value()) for m in self._read(self.topics.silence)]

    def index(self) -> list[Record]:
        """Read the index of the raw topics."""
        decode = Decoder("raw_index", self._registry.schema_of)
        return [decode(m.value()) for m in read_to_end(self._kafka, self.topics.index)]

    def dead_letters(self) -> list[Message]:
        """Read the stream's dead letters."""
        return list(read_to_end(self._kafka, self.topics.clean_dead_letters))

    def _read(self, topic: str) -> Iterable[Message]:
        for partition in range(self.topics.partitions):
            yield from read_to_end(self._kafka, topic, partition)

    def _encoder(self, topic: str, name: str) -> Encoder:
        return Encoder(name, self._registry.id_of(subject_of(topic), name))

    def _write(
        self, topic: str, values: Iterable[tuple[str, bytes | None]], *, commit: bool
    ) -> None:
        self._producer.begin_transaction()
        for key, value in values:
            self._producer.produce(topic, value, key.encode())
            self._producer.poll(0)
        if commit:
            self._producer.commit_transaction()
        else:
            self._producer.flush()
            self._producer.abort_transaction()
