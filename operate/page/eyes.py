"""Looks at brokers and tables for the flow; decodes nothing but the source's newest cursors."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.api.context import Context
from operate.kafka_offsets import Offsets, beginnings, committed, ends
from operate.page.flow import Look, now_utc
from runtime.kafka import translated
from runtime.kafka_read import is_end, reader
from schemas.codec import Decoder
from schemas.topics import PARAMETERS
from sink.stage import group_of

_LOADED: Final = """
SELECT topic, partition, next_offset FROM ops.sink_offset WHERE consumer_group = %s
"""
_TAIL: Final = 200
"""So far back the newest cursor of each table is looked for: marks and pages of others between."""
_CURSORS_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 3.0
_TICK_SECONDS: Final = 0.2
_SHOWN: Final = (
    "source",
    "table",
    "mode",
    "position",
    "rows",
    "readings",
    "updated_at",
    "instance",
)


class Eyes:
    """Sees one deployment by its settings."""

    def __init__(self, context: Context) -> None:
        self._context = context
        settings = context.settings
        topics = self._topics = settings.topics
        numbers = range(topics.partitions)
        self._raw = [TopicPartition(topics.raw(p), n) for p in PARAMETERS for n in numbers]
        self._clean = [TopicPartition(topics.clean(p), n) for p in PARAMETERS for n in numbers]
        self._stream_group = topics.named(settings.stream.group)
        self._sink_group = group_of(settings.sink, topics)
        self._admin: AdminClient | None = None
        self._cursors: tuple[dict[str, Any], ...] = ()
        self._cursors_due = 0.0

    def look(self) -> Look:
        """Ask for ends, positions and the newest cursors.

        What is reached is asked for before the ends, so that nothing seems to wait that has not.

        Raises:
            AosError: brokers or database do not answer.
        """
        admin = self._asking()
        loaded = self._loaded()
        there = _topics(admin)
        raw, clean = (
            [place for place in places if place.topic in there]
            for places in (self._raw, self._clean)
        )
        clean_names = {place.topic for place in clean}
        return Look(
            at=time.monotonic(),
            when=now_utc(),
            judged=committed(admin, self._stream_group, raw) if raw else {},
            raw=ends(admin, raw),
            clean=ends(admin, clean),
            loaded={place: at for place, at in loaded.items() if place[0] in clean_names},
            cursors=self._newest_cursors(admin, there),
        )

    def _asking(self) -> AdminClient:
        """Keep one client: a new one for each look would have to find the brokers each time."""
        if self._admin is None:
            with self._context.admin() as admin:
                self._admin = admin
        return self._admin

    def _loaded(self) -> Offsets:
        with self._context.database() as connection:
            try:
                rows = connection.execute(_LOADED, (self._sink_group,)).fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                return {}  # the sink has not made its tables yet
        return {(topic, number): at for topic, number, at in rows}

    def _newest_cursors(self, admin: AdminClient, there: set[str]) -> tuple[dict[str, Any], ...]:
        if time.monotonic() >= self._cursors_due and self._topics.cursors in there:
            self._cursors = self._read_cursors(admin)
            self._cursors_due = time.monotonic() + _CURSORS_SECONDS
        return self._cursors

    def _read_cursors(self, admin: AdminClient) -> tuple[dict[str, Any], ...]:
        place = TopicPartition(self._topics.cursors, 0)
        (begin,), (end,) = beginnings(admin, [place]).values(), ends(admin, [place]).values()
        place.offset = max(begin, end - _TAIL)
        newest = self._values_from(place) if end > begin else {}
        with self._context.registry() as registry:
            decode = Decoder("source_cursor", registry.schema_of)
            cursors = [decode(value) for value in newest.values()]
        return tuple({name: one[name] for name in _SHOWN} for one in cursors)

    def _values_from(self, place: TopicPartition) -> dict[bytes, bytes]:
        """Give the newest value of each key from here to the end, or as many as come in time."""
        found: dict[bytes, bytes] = {}
        until = time.monotonic() + _PATIENCE_SECONDS
        with closing(reader(self._context.settings.kafka)) as consumer:
            consumer.assign([place])
            while time.monotonic() < until:
                message = consumer.poll(_TICK_SECONDS)
                if message is not None and is_end(message):
                    break
                if message is not None and message.value() is not None:
                    found[bytes(message.key() or b"")] = bytes(message.value() or b"")
        return found


def _topics(admin: AdminClient) -> set[str]:
    try:
        return set(admin.list_topics(timeout=_PATIENCE_SECONDS).topics)
    except KafkaException as error:
        raise translated(error, "asking which topics there are") from error
