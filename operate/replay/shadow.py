"""The tables of what a replay found: filled from its topics, compared with those of the readings.

They are made like the tables of the readings as these are when the replay begins, in a schema of
their own. What is loaded twice is there once: the higher version and revision stay, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from psycopg.sql import SQL, Composed, Identifier

from operate.settings import Settings
from runtime.errors import System, Transient
from runtime.kafka import translated
from runtime.kafka_read import is_end, reader
from runtime.kafka_topics import ensure_topics
from schemas.registry import Registry
from schemas.topics import PARAMETERS
from sink.columns import KEY
from sink.database import Database
from sink.readings import ReadingTable
from sink.settings import Conflict
from stream_app.replay.shadow import shadow_group, shadow_specs, shadow_topic

SCHEMA: Final = "weather_shadow"
_AT_ONCE: Final = 10_000
_SECONDS: Final = 30.0


def shadow_table(name: str, parameter: str) -> Identifier:
    """Name the table of a replay and a parameter.

    >>> shadow_table("july", "wind")
    Identifier('weather_shadow', 'july_wind')
    """
    return Identifier(SCHEMA, f"{name}_{parameter}")


class Shadow:
    """Topics and tables of one replay."""

    def __init__(self, settings: Settings, database: Database, name: str) -> None:
        self._settings = settings
        self._database = database
        self._name = name

    def make(self) -> None:
        """Make what is missing of them."""
        topics = self._settings.topics
        admin = AdminClient(self._settings.kafka.client())
        ensure_topics(admin, shadow_specs(topics, self._name), topics.replication)
        with self._database.transaction("making the tables of a replay") as connection:
            for parameter in PARAMETERS:
                connection.execute(self._create(parameter))

    def load(self, registry: Registry) -> int:
        """Load the topics from their beginning; give how many records were read."""
        name, topics, records = self._name, self._settings.topics, 0
        loads = {
            shadow_topic(topics, name, p): ReadingTable(
                p, registry.schema_of, Conflict.UPDATE, shadow_table(name, p)
            )
            for p in PARAMETERS
        }
        for piece in _pieces(self._messages(loads)):
            for topic, of_topic in loads.items():
                some = [message for message in piece if message.topic() == topic]
                records += self._loaded(of_topic, some) if some else 0
        return records

    def drop(self) -> None:
        """Delete topics, tables and the offsets that say how far it came."""
        self.drop_topics()
        with self._database.transaction("dropping the tables of a replay") as connection:
            for parameter in PARAMETERS:
                table = shadow_table(self._name, parameter)
                connection.execute(SQL("DROP TABLE IF EXISTS {}").format(table))

    def drop_topics(self) -> None:
        """Delete the topics, and the offsets."""
        admin = AdminClient(self._settings.kafka.client())
        names = [spec.name for spec in shadow_specs(self._settings.topics, self._name)]
        there = [name for name in names if name in admin.list_topics(timeout=_SECONDS).topics]
        group = shadow_group(self._settings.topics, self._name)
        futures = admin.delete_topics(there) if there else {}
        for what, future in (futures | admin.delete_consumer_groups([group])).items():
            try:
                future.result(_SECONDS)
            except KafkaException as error:
                if what != group:  # a replay that never sent anything has no offsets
                    raise translated(error, f"deleting {what}") from error

    def _messages(self, topics: Iterable[str]) -> Iterator[Message]:
        """Give every committed record of the topics; nobody writes to them any more."""
        left = {(t, n) for t in topics for n in range(self._settings.topics.partitions)}
        with closing(reader(self._settings.kafka, client_id="aos-replay")) as consumer:
            consumer.assign([TopicPartition(t, n, OFFSET_BEGINNING) for t, n in left])
            while left:
                message = consumer.poll(_SECONDS)
                if message is None:
                    problem = f"what replay {self._name} found cannot be read to its end"
                    raise Transient(problem, mend="see whether the brokers are up")
                if is_end(message):
                    left.discard((str(message.topic()), int(message.partition() or 0)))
                else:
                    yield message

    def _create(self, parameter: str) -> Composed:
        key = SQL(", ").join(map(Identifier, KEY))
        query = SQL("CREATE TABLE IF NOT EXISTS {} (LIKE {} INCLUDING DEFAULTS, PRIMARY KEY ({}))")
        table = shadow_table(self._name, parameter)
        return query.format(table, Identifier("weather", parameter), key)

    def _loaded(self, loads: ReadingTable, messages: list[Message]) -> int:
        entries, rejects = loads.prepare(messages)
        if rejects:
            problem = f"a record of replay {self._name} cannot be loaded: {rejects[0].error}"
            raise System(problem, mend="drop the replay, and report this")
        with self._database.transaction("loading what a replay found") as connection:
            loads.load(connection, entries)
        return len(messages)


def _pieces(messages: Iterable[Message]) -> Iterator[list[Message]]:
    several = iter(messages)
    while piece := list(islice(several, _AT_ONCE)):
        yield piece
