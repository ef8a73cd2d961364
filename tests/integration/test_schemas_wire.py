"""Our bytes and confluent-kafka's own are the same, against a real registry, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from runtime.errors import Configuration, DataQuality
from schemas import avsc
from schemas.codec import Decoder, Encoder, Record
from schemas.registry import Registry, RegistrySettings, subject_of
from schemas.topics import Topics
from tests.clean_records import clean
from tests.raw_records import raw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CASES: list[tuple[str, str, Record]] = [
    ("raw_reading", "temperature", raw("temperature", value=None, value_text="21,5")),
    ("raw_wind", "wind", raw("wind", direction=None)),
    ("clean_reading", "humidity", clean("humidity")),
    ("clean_wind", "wind", clean("wind")),
]
NAMES = [name for name, _, _ in CASES]


@pytest.fixture
def client(registry_settings: RegistrySettings) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": registry_settings.url, "timeout": 10}) as made:
        yield made


def topic_of(topics: Topics, name: str, parameter: str) -> str:
    return topics.raw(parameter) if name.startswith("raw") else topics.clean(parameter)


def with_datetimes(name: str, record: Record) -> dict[str, Any]:
    """Give a record as a consumer sees it who knows nothing of us: times are datetimes."""
    changed = dict(record)
    for field in avsc.load(name)["fields"]:
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        logical = [k.get("logicalType") for k in kinds if isinstance(k, dict)]
        if logical and record[field["name"]] is not None:
            moment = EPOCH + timedelta(microseconds=record[field["name"]])
            is_local = logical[0].startswith("local")
            changed[field["name"]] = moment.replace(tzinfo=None) if is_local else moment
    return changed


@pytest.mark.requirement("E6", "F3")
@pytest.mark.parametrize(("name", "parameter", "record"), CASES, ids=NAMES)
def test_their_serialiser_writes_the_bytes_that_ours_writes(
    name: str,
    parameter: str,
    record: Record,
    topics: Topics,
    registry: Registry,
    client: SchemaRegistryClient,
) -> None:
    topic = topic_of(topics, name, parameter)
    ours = Encoder(name, registry.id_of(subject_of(topic), name))(record)
    settings = {
        "auto.register.schemas": False,
        "subject.name.strategy": topic_subject_name_strategy,
    }
    theirs = AvroSerializer(client, avsc.text(name), conf=settings)
    context = SerializationContext(topic, MessageField.VALUE)
    assert theirs(with_datetimes(name, record), context) == ours
    assert theirs(record, context) == ours


@pytest.mark.requirement("F3")
@pytest.mark.parametrize(("name", "parameter", "record"), CASES, ids=NAMES)
def test_their_deserialiser_reads_ours_and_sees_aware_times(
    name: str,
    parameter: str,
    record: Record,
    topics: Topics,
    registry: Registry,
    client: SchemaRegistryClient,
) -> None:
    topic = topic_of(topics, name, parameter)
    ours = Encoder(name, registry.id_of(subject_of(topic), name))(record)
    settings = {"subject.name.strategy": topic_subject_name_strategy}
    read = AvroDeserializer(client, conf=settings)
    context = SerializationContext(topic, MessageField.VALUE)
    assert read(ours, context) == with_datetimes(name, record)


@pytest.mark.requirement("E6")
def test_an_older_readers_bytes_are_read_by_todays_schema(
    topics: Topics, registry: Registry, client: SchemaRegistryClient
) -> None:
    cursor: Record = {
        "source": "a",
        "table": "t",
        "mode": "timestamp_id",
        "position": "p",
        "rows": 1,
        "readings": 5,
        "identity": "i",
        "updated_at": 0,
        "instance": "one",
        "published": None,
    }
    subject = subject_of(topics.cursors)
    new = registry.id_of(subject, "source_cursor")
    decoded = Decoder("source_cursor", registry.schema_of)(Encoder("source_cursor", new)(cursor))
    assert decoded == cursor
    assert client.get_compatibility(subject) == "BACKWARD_TRANSITIVE"


def test_an_id_that_nobody_gave_is_a_fault_of_the_record(registry: Registry) -> None:
    with pytest.raises(DataQuality) as caught:
        registry.schema_of(2**31 - 1)
    assert caught.value.reason == "unknown_schema"


@pytest.mark.requirement("E6", "D3")
def test_a_schema_that_would_break_readers_is_refused_as_a_wrong_setting(
    topics: Topics, registry: Registry
) -> None:
    subject = subject_of(topics.index)
    registry.id_of(subject, "raw_index")
    with pytest.raises(Configuration, match="refuses a schema"):
        registry.id_of(subject, "partition_state")


def test_stages_that_register_at_the_same_moment_get_the_same_ids(
    topics: Topics, registry_settings: RegistrySettings
) -> None:
    clients = [Registry(registry_settings) for _ in range(4)]
    subjects = [subject_of(spec.name) for spec in topics.specs() if spec.schema == "raw_reading"]
    with ThreadPoolExecutor(len(clients)) as pool:
        found = list(
            pool.map(lambda c: [c.id_of(subject, "raw_reading") for subject in subjects], clients)
        )
    for client in clients:
        client.close()
    assert all(ids == found[0] for ids in found)
