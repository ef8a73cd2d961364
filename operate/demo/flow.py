"""How far the readings have come, seen from outside the stages while they work.

A stage is *drained* when its position stands behind the last record there is. Markers that end a
transaction stand behind that again, so a position never equals the end of the topic.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, cast

import psycopg
from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.demo.reader import Reader
from operate.kafka_offsets import Offsets, committed, ends
from operate.settings import Settings
from schemas.dead_letters import PREFIX
from schemas.topics import PARAMETERS, Topics
from sink.database import connect
from sink.stage import group_of

_LOADED: Final = """
SELECT topic, sum(records - dead_lettered), sum(inserted) FROM ops.sink_batch
WHERE consumer_group = %s GROUP BY topic
"""
_NEXT: Final = "SELECT topic, partition, next_offset FROM ops.sink_offset WHERE consumer_group = %s"


@dataclass(slots=True)
class Flow:
    """Records by parameter: on the raw topics, judged by the stream, taken in by the tables.

    ``inserted`` counts the rows that they made in the tables.
    """

    published: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    loaded: Counter[str] = field(default_factory=Counter)
    inserted: int = 0


class Watch:
    """Looks at topics and tables; decodes nothing and changes nothing."""

    def __init__(self, settings: Settings) -> None:
        topics = self._topics = settings.topics
        self.flow = Flow()
        self._group = topics.named(settings.stream.group)
        self._sink_group = group_of(settings.sink, topics)
        self._parameters = parameters_of(topics)
        self._raw = [topics.raw(p) for p in PARAMETERS]
        self._clean = [topics.clean(p) for p in PARAMETERS]
        self._admin = AdminClient(settings.kafka.client())
        self._readings = Reader(settings.kafka, [*self._raw, *self._clean], topics.partitions)
        self._dead = Reader(settings.kafka, [topics.clean_dead_letters], 1)
        self._database = connect(settings.sink)
        self._loaded_after: Offsets = {}

    def look(self, seconds: float) -> Flow:
        """Take in what has come, for so many seconds at most; give the counts since the start."""
        for message in self._readings.read(seconds):
            self._count(message)
        for message in self._dead.read(0):
            self.flow.judged[self._parameters[origin_of(message)[0]]] += 1
        self._look_at_tables()
        return self.flow

    def is_drained(self) -> bool:
        """Say whether all that is on the raw topics was judged, and all that was judged loaded.

        Nothing may be published while this is asked.
        """
        if not self._is_read(self._raw):
            return False
        raw = self._after(self._raw)
        judged = committed(self._admin, self._group, [TopicPartition(*place) for place in raw])
        if any(judged.get(place, 0) < after for place, after in raw.items()):
            return False
        if not self._is_read(self._clean):
            return False
        clean = self._after(self._clean)
        return all(self._loaded_after.get(place, 0) >= after for place, after in clean.items())

    def close(self) -> None:
        """Let go of brokers and database."""
        self._readings.close()
        self._dead.close()
        self._database.close()

    def _count(self, message: Message) -> None:
        topic = message.topic() or ""
        counted = self.flow.published if topic in self._raw else self.flow.judged
        counted[self._parameters[topic]] += 1

    def _is_read(self, topics: list[str]) -> bool:
        places = [p for p in self._readings.places if p.topic in topics]
        return self._readings.is_at(ends(self._admin, places))

    def _after(self, topics: list[str]) -> Offsets:
        return {place: at for place, at in self._readings.after.items() if place[0] in topics}

    def _look_at_tables(self) -> None:
        try:
            positions, loaded = loaded_so_far(self._database, self._sink_group)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return  # the sink has not made its tables yet
        readings = [row for row in loaded if row[0] in self._parameters]
        self.flow.loaded = Counter(
            {self._parameters[t]: int(records) for t, records, _ in readings}
        )
        self.flow.inserted = sum(int(rows) for _, _, rows in readings)
        self._loaded_after = {(topic, number): after for topic, number, after in positions}


def loaded_so_far(
    database: psycopg.Connection, group: str
) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    """Give the sink's positions, and per topic how many records it loaded and rows it inserted.

    The positions are read first: a batch that commits between the two is then counted too early,
    where the other order would call the tables drained without their last batch in the counts.
    """
    positions = database.execute(_NEXT, (group,)).fetchall()
    return positions, database.execute(_LOADED, (group,)).fetchall()


def parameters_of(topics: Topics) -> dict[str, str]:
    """Say which parameter each raw and clean topic is of."""
    return {name: p for p in PARAMETERS for name in (topics.raw(p), topics.clean(p))}


def origin_of(letter: Message) -> tuple[str, int, int]:
    """Give topic, partition and offset of the record that a dead letter was."""
    told: dict[str, bytes] = dict(cast("Any", letter.headers()))
    topic = told[PREFIX + "topic"].decode()
    return topic, int(told[PREFIX + "partition"]), int(told[PREFIX + "offset"])
