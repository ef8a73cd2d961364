"""What must hold before a backfill reads its first row; each fault is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine, make_url

from producers.backfill.connection import open_quiet
from producers.backfill.identities import transactional_id
from producers.backfill.journal import Records
from producers.connection import archive
from producers.connection.database import identity_of, reading
from producers.publishing.messages import Messages
from producers.publishing.outlet import Outlet
from producers.publishing.positions import Standing, remembered
from producers.publishing.publisher import Publisher, Transactions, producer
from producers.settings import SourceSettings
from runtime.kafka import KafkaSettings, check_reachable
from runtime.kafka_topics import ensure_topics
from schemas.mapping import Mapping, read_mapping
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics

_BESIDE_READINGS: Final = 1000


@dataclass(frozen=True, slots=True)
class World:
    """Database, broker and registry, ready for use; ``close`` lets go of them."""

    settings: SourceSettings
    kafka: KafkaSettings
    topics: Topics
    mapping: Mapping
    engine: Engine
    identity: str
    ids: Registry
    close: Callable[[], None]

    def records(self) -> Records:
        """Read what is remembered on the topic of cursors, oldest first."""
        return remembered(self.kafka, self.topics.cursors, "source_cursor", self.ids)

    def messages(self) -> Messages:
        """Make an encoder; each thread has its own."""
        return Messages(self.topics, self.ids)

    def outlet(self, job: str, standings: list[Standing]) -> Outlet:
        """Make what publishes mapping, metadata and the records of the job itself."""
        return Outlet(self.kafka, self.topics, self.ids, standings, partial(self._producer, job))

    def publisher(self, job: str, worker: int) -> Publisher:
        """Make the publisher of a worker, and shut out whoever had its identity before."""
        publisher = Publisher(self._producer(job, worker))
        publisher.take_over()
        return publisher

    def _producer(self, job: str, worker: int | None = None) -> Transactions:
        name = transactional_id(self.topics, self.mapping.source, job, worker)
        per_row = max(len(table.readings) for table in self.mapping.tables)
        return producer(self.kafka, name, self.settings.page_rows * per_row + _BESIDE_READINGS)


def open_world(
    settings: SourceSettings, kafka: KafkaSettings, registry: RegistrySettings, topics: Topics
) -> World:
    """Check the settings, and create the topics and schemas that are missing.

    Raises:
        Configuration: a setting is wrong.
        Transient: database, broker or registry does not answer.
    """
    mapping = read_mapping(settings.mapping)
    check_reachable(kafka)
    with ExitStack() as opened:
        engine = open_quiet(settings)
        opened.callback(engine.dispose)
        with reading(engine, "looking at the source") as connection:
            identity = _declared(settings) or identity_of(connection, engine.url)
        ids = opened.enter_context(closing(Registry(registry)))
        specs = topics.source_specs()
        ensure_topics(AdminClient(kafka.client()), specs, topics.replication)
        ids.register(specs)
        close = opened.pop_all().close
        return World(settings, kafka, topics, mapping, engine, identity, ids, close)


def _declared(settings: SourceSettings) -> str | None:
    """Give the identity that is set, or that of an archive: it is read from a copy of its files."""
    url = make_url(settings.url)
    return settings.identity or (archive.identity_of(url) if archive.is_archive(url) else None)
