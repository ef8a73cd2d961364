"""Where the consumers stand and how far their topics reach: what there is to read, exactly.

Behind the last record of a transaction lies its marker, which no consumer ever reads: by offsets
alone, whoever has read all would lag by one or more. So a small lag is looked into, once for each
pair of offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.control.connectors import CONNECTORS
from operate.control.offsets import sink, stream
from operate.control.offsets.logs import partitions_of
from operate.control.offsets.places import Offsets
from operate.kafka_offsets import beginnings, ends
from operate.settings import Settings
from runtime.errors import Transient
from runtime.kafka import KafkaSettings, check_reachable, translated
from runtime.kafka_read import is_end, reader
from sink.database import Database

_SMALL: Final = 100
_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """A partition of a hop: what is read next, where it ends, how much of that can be read."""

    topic: str
    partition: int
    offset: int
    end: int
    lag: int


@dataclass(frozen=True, slots=True)
class Hop:
    """A connector that reads topics, and where it stands in each."""

    connector: str
    group: str
    places: list[Place]


class Looker:
    """Looks at both hops between topics and what reads them; remembers what it looked into."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin: AdminClient | None = None
        self._database = Database(settings.sink)
        self._read_out: set[tuple[str, int, int, int]] = set()

    def __call__(self) -> list[Hop]:
        """Give both hops.

        Raises:
            AosError: brokers or database do not answer.
        """
        settings = self._settings
        if self._admin is None:
            check_reachable(settings.kafka)
            self._admin = AdminClient(settings.kafka.client())
        admin = self._admin
        group = settings.topics.named(settings.stream.group)
        return [
            self._hop(admin, "stream", group, lambda: stream.offsets_of(admin, settings)),
            self._hop(admin, "sink", self._sink_group, self._loaded),
        ]

    def _hop(
        self, admin: AdminClient, stage: str, group: str, offsets: Callable[[], Offsets]
    ) -> Hop:
        connector = CONNECTORS[stage]
        there = partitions_of(admin, connector.reads(self._settings.topics))
        wanted = [TopicPartition(*place) for place in there]
        known = offsets()
        firsts, after = beginnings(admin, wanted), ends(admin, wanted)
        at = {place: max(known.get(place, 0), firsts[place]) for place in there}
        places = self._places(at, after)
        return Hop(connector.name, group, places)

    @property
    def _sink_group(self) -> str:
        return self._settings.topics.named(self._settings.sink.group)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _loaded(self) -> Offsets:
        self._database.check()
        with self._database.transaction("looking at offsets") as connection:
            return sink.offsets_of(connection, self._sink_group)

    def _places(self, at: Offsets, after: Mapping[tuple[str, int], int]) -> list[Place]:
        found = [(*place, offset, after[place]) for place, offset in at.items()]
        small = {one for one in found if 0 < one[3] - one[2] <= _SMALL}
        self._read_out = {one for one in self._read_out if one in small}
        self._read_out |= nothing_behind(self._settings.kafka, small - self._read_out)
        return [
            Place(*one, 0 if one in self._read_out else max(0, one[3] - one[2])) for one in found
        ]


def nothing_behind(
    kafka: KafkaSettings, places: Iterable[tuple[str, int, int, int]]
) -> set[tuple[str, int, int, int]]:
    """Say behind which offsets (topic, partition, offset, end) there is no record up to the end.

    Raises:
        AosError: the brokers do not answer.
    """
    asked = {(topic, number): (topic, number, at, end) for topic, number, at, end in places}
    empty: set[tuple[str, int, int, int]] = set()
    if not asked:
        return empty
    with closing(reader(kafka, client_id="aos-lag", max_partition_fetch_bytes=1 << 16)) as consumer:
        consumer.assign(
            [TopicPartition(topic, number, at) for topic, number, at, _ in asked.values()]
        )
        while asked:
            message = consumer.poll(_SECONDS)
            if message is None:
                problem = "the ends of the topics cannot be read"
                raise Transient(problem, mend="see whether the brokers are up")
            try:
                end = is_end(message)
            except KafkaException as error:
                raise translated(error, "looking at what is unread") from error
            place = asked.pop((message.topic() or "", message.partition() or 0), None)
            if place and end:
                empty.add(place)
    return empty
