"""What the source publishes, as keys and bytes for each topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.codec import Encoder, SchemaIds
from schemas.registry import subject_of
from schemas.topics import Topics, raw_schema

Record = Mapping[str, Any]
Message = dict[str, Any]
Batch = tuple[str, list[Message]]
"""A topic and its messages, in the form that ``Producer.produce_batch`` takes."""


class Messages:
    """Encodes records for the topics of one deployment; their schemas are registered by then."""

    def __init__(self, topics: Topics, ids: SchemaIds) -> None:
        self._topics = topics
        self._ids = ids
        self._encoders: dict[str, Encoder] = {}

    def readings(self, records: Mapping[str, list[dict[str, Any]]]) -> list[Batch]:
        """Encode the raw readings of each parameter; the key is the station."""
        return [
            self._batch(self._topics.raw(parameter), raw_schema(parameter), found, "station_id")
            for parameter, found in records.items()
            if found
        ]

    def metadata(self, records: Iterable[Record]) -> Batch:
        """Encode sensor metadata; the key is the sensor."""
        return self._batch(self._topics.metadata, "sensor_metadata", records, "sensor_id")

    def mapping(self, key: str, record: Record) -> Batch:
        """Encode a mapping."""
        return self._keyed(self._topics.mapping, "mapping", [(key, record)])

    def cursors(self, records: Iterable[Record]) -> Batch:
        """Encode where the source stands in some of its tables; the key is source and table."""
        keyed = [(cursor_key(r["source"], r["table"]), r) for r in records]
        return self._keyed(self._topics.cursors, "source_cursor", keyed)

    def _batch(self, topic: str, name: str, records: Iterable[Record], key: str) -> Batch:
        encode = self._encoder(topic, name)
        return topic, [{"key": r[key].encode(), "value": encode(r)} for r in records]

    def _keyed(self, topic: str, name: str, records: Iterable[tuple[str, Record]]) -> Batch:
        encode = self._encoder(topic, name)
        return topic, [{"key": key.encode(), "value": encode(record)} for key, record in records]

    def _encoder(self, topic: str, name: str) -> Encoder:
        if topic not in self._encoders:
            self._encoders[topic] = Encoder(name, self._ids.id_of(subject_of(topic), name))
        return self._encoders[topic]


def cursor_key(source: str, table: str) -> str:
    """Give the key of a cursor's record.

    >>> cursor_key("sample", "weather_hourly")
    'sample:weather_hourly'
    """
    return f"{source}:{table}"
