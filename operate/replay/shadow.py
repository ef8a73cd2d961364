"""The tables of what a replay found: filled from its topics, compared with those of the readings.

They are made like the tables of the readings as these are when the replay begins, in a schema of
their own. What is loaded twice is there once: the higher version and revision stay, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from confluent_kafka import KafkaException, Message
from confluent_kafka.admin import AdminClient
from psycopg.sql import SQL, Composed, Identifier

from operate.settings import Settings
from runtime.errors import System
from runtime.kafka import translated
from runtime.kafka_read import read_to_end
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
        records = 0
        for parameter in PARAMETERS:
            topic = shadow_topic(self._settings.topics, self._name, parameter)
            target = shadow_table(self._name, parameter)
            loads = ReadingTable(parameter, registry.schema_of, Conflict.UPDATE, target)
            for number in range(self._settings.topics.partitions):
                read = read_to_end(self._settings.kafka, topic, number)
                records += sum(self._loaded(loads, some) for some in _pieces(read))
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
