"""What must hold before the source reads its first row; each fault is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from confluent_kafka.admin import AdminClient

from producers.connection.endpoints import Endpoints
from producers.publishing.outlet import Outlet, unique
from producers.publishing.positions import Standing, stored_identity
from producers.publishing.publisher import Transactions, producer, transactional_id
from producers.reading.cursor_checks import check_cursors
from producers.reading.feed import TableFeed, feeds_of
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from runtime.kafka import KafkaSettings, check_reachable
from runtime.kafka_topics import ensure_topics
from schemas.mapping import Mapping
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics

_BESIDE_READINGS: Final = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that reading a source takes, checked and ready; ``close`` lets go of it."""

    mapping: Mapping
    database: Endpoints
    feeds: tuple[TableFeed, ...]
    outlet: Outlet
    close: Callable[[], None]


def prepare(
    settings: SourceSettings, kafka: KafkaSettings, registry: RegistrySettings, topics: Topics
) -> Source:
    """Check the settings against the world, and create the topics and schemas that are missing.

    Raises:
        Configuration: a setting is wrong.
        Transient: database or registry does not answer.
    """
    mapping = settings.read_mapping()
    check_reachable(kafka)
    with ExitStack() as opened:
        database = Endpoints.open(settings)
        opened.callback(database.dispose)
        ids = opened.enter_context(closing(Registry(registry)))
        ids.check()
        ready = Ready(kafka, topics, ids)
        identity = database.settle(partial(ready.identity, mapping.source))
        types = database.ask("looking at the source", partial(check_mapping, mapping=mapping))
        database.ask("looking at the source", partial(check_cursors, mapping=mapping))
        feeds = tuple(
            feed
            for table in mapping.tables
            for feed in feeds_of(database, mapping, table, types[table.table], settings.page_rows)
        )
        instance = unique(settings.instance)
        beginnings = [
            Standing(mapping.source, f.table, f.cursor.mode, identity, instance) for f in feeds
        ]
        ready()
        memories = {feed.table: feed.published for feed in feeds if feed.published is not None}
        transactions = _producer(settings, kafka, topics, mapping)
        outlet = Outlet(kafka, topics, ids, beginnings, transactions, memories)
        opened.callback(outlet.close)
        return Source(mapping, database, feeds, outlet, opened.pop_all().close)


@dataclass(frozen=True, slots=True)
class Ready:
    """Creates topics and schemas that are missing, when they are first needed."""

    kafka: KafkaSettings
    topics: Topics
    ids: Registry

    def __call__(self) -> None:
        """Create what is missing."""
        specs = self.topics.source_specs()
        ensure_topics(AdminClient(self.kafka.client()), specs, self.topics.replication)
        self.ids.register(specs)

    def identity(self, source: str) -> str | None:
        """Give the database that the stored cursors of a source belong to."""
        self()
        return stored_identity(self.kafka, self.topics.cursors, source, self.ids)


def _producer(
    settings: SourceSettings, kafka: KafkaSettings, topics: Topics, mapping: Mapping
) -> Callable[[], Transactions]:
    """Say how to make the producer, with room for the largest page that there can be."""
    most = settings.page_rows * max(len(table.readings) for table in mapping.tables)
    identity = transactional_id(topics, mapping.source)
    return partial(producer, kafka, identity, most + _BESIDE_READINGS)
