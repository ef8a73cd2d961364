"""What must hold before a backfill reads its first row; each fault is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from producers.backfill.connection import Quiet, open_quiet, quietly
from producers.backfill.identities import transactional_id
from producers.backfill.journal import Records
from producers.publishing.messages import Messages
from producers.publishing.outlet import Outlet
from producers.publishing.positions import Standing, remembered
from producers.publishing.publisher import Publisher, Transactions, producer
from producers.settings import SourceSettings
from producers.start import Ready
from runtime.kafka import KafkaSettings, check_reachable
from schemas.mapping import Mapping
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
    database: Quiet
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
    mapping = settings.read_mapping()
    check_reachable(kafka)
    with ExitStack() as opened:
        database = open_quiet(settings)
        opened.callback(database.dispose)
        ids = opened.enter_context(closing(Registry(registry)))
        ready = Ready(kafka, topics, ids)
        identity = database.settle(partial(ready.identity, mapping.source))
        quiet = quietly(database)
        ready()
        close = opened.pop_all().close
        return World(settings, kafka, topics, mapping, quiet, identity, ids, close)
