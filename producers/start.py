"""What must hold before the source reads its first row; each fault is one clear line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine

from producers.database import identity_of, open_engine, reading
from producers.feed import TableFeed
from producers.outlet import Outlet, unique
from producers.positions import Standing
from producers.publisher import producer, transactional_id
from producers.settings import SourceSettings
from producers.tables import check_mapping
from runtime.kafka import KafkaSettings, check_reachable
from runtime.kafka_topics import ensure_topics
from schemas.mapping import Mapping, read_mapping
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics

_BESIDE_READINGS: Final = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that reading a source takes, checked and ready."""

    mapping: Mapping
    engine: Engine
    feeds: tuple[TableFeed, ...]
    outlet: Outlet


def prepare(
    settings: SourceSettings, kafka: KafkaSettings, registry: RegistrySettings, topics: Topics
) -> Source:
    """Check the settings against the world, and create the topics and schemas that are missing.

    Raises:
        Configuration: a setting is wrong.
        Transient: database or registry does not answer.
    """
    mapping = read_mapping(settings.mapping)
    engine = open_engine(settings)
    with reading(engine, "looking at the source") as connection:
        identity = identity_of(connection, engine.url)
        types = check_mapping(connection, mapping)
    feeds = tuple(
        TableFeed(engine, mapping, table, types[table.table], settings.page_rows)
        for table in mapping.tables
    )
    ids = _prepare_topics(kafka, registry, topics)
    instance = unique(settings.instance)
    beginnings = [
        Standing(mapping.source, feed.table, feed.cursor.mode, identity, instance) for feed in feeds
    ]
    most = settings.page_rows * max(len(table.readings) for table in mapping.tables)
    name = transactional_id(topics.namespace, mapping.source)
    open_producer = partial(producer, kafka, name, most + _BESIDE_READINGS)
    return Source(mapping, engine, feeds, Outlet(kafka, topics, ids, beginnings, open_producer))


def _prepare_topics(kafka: KafkaSettings, registry: RegistrySettings, topics: Topics) -> Registry:
    check_reachable(kafka)
    specs = topics.source_specs()
    ensure_topics(AdminClient(kafka.client()), specs, topics.replication)
    ids = Registry(registry)
    ids.register(specs)
    return ids
