"""The offsets of any connector, read and set back by the settings of a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Protocol

from confluent_kafka.admin import AdminClient

from operate.control.offsets import sink, source, stream
from operate.control.offsets.logs import logs_of
from operate.control.offsets.places import (
    kafka_document,
    kafka_places,
    source_document,
    source_places,
)
from operate.settings import Settings
from runtime.kafka import check_reachable
from schemas.registry import Registry
from sink.database import Connection, Database

Asked = Sequence[Mapping[str, Any]]


class Offsets(Protocol):
    """What knows where connectors stand."""

    def read(self, stage: str) -> dict[str, Any]:
        """Give the offsets of the connector of a stage, in Connect's shape."""

    def move(self, stage: str, asked: Asked | None) -> None:
        """Set them back as asked; all of them to their beginning, where nothing is named.

        Raises:
            Configuration: what is asked cannot be.
        """


class OffsetDesk:
    """Reads and moves offsets where they are kept; the connector is stopped by then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def read(self, stage: str) -> dict[str, Any]:
        """Give the offsets of the connector of a stage, in Connect's shape.

        Raises:
            AosError: whatever keeps them does not answer.
        """
        settings = self._settings
        if stage == "source":
            with self._registry() as registry:
                return source_document(source.places_of(settings, registry))
        if stage == "stream":
            return kafka_document(stream.offsets_of(self._admin(), settings))
        with self._database() as connection:
            return kafka_document(sink.offsets_of(connection, self._sink_group))

    def move(self, stage: str, asked: Asked | None) -> None:
        """Set offsets back as asked; all of them to their beginning, where nothing is named.

        Raises:
            Configuration: a place is not known, is not kept any more, or lies ahead.
            AosError: whatever keeps them does not answer.
        """
        settings = self._settings
        if stage == "source":
            with self._registry() as registry:
                source.move(settings, registry, None if asked is None else source_places(asked))
            return
        places = None if asked is None else kafka_places(asked)
        admin = self._admin()
        if stage == "stream":
            stream.move(admin, settings, places)
            return
        with self._database() as connection:
            sink.move(connection, self._sink_group, places, partial(logs_of, admin))

    @property
    def _sink_group(self) -> str:
        return self._settings.topics.named(self._settings.sink.group)

    def _admin(self) -> AdminClient:
        check_reachable(self._settings.kafka)
        return AdminClient(self._settings.kafka.client())

    @contextmanager
    def _registry(self) -> Iterator[Registry]:
        check_reachable(self._settings.kafka)
        with closing(Registry(self._settings.registry)) as registry:
            yield registry

    @contextmanager
    def _database(self) -> Iterator[Connection]:
        with closing(Database(self._settings.sink)) as database:
            database.check()
            with database.transaction("looking at offsets") as connection:
                yield connection
