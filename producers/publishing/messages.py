"""What the source publishes, as keys and bytes for each topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from producers.publishing.encoding import RawReading, ReadingEncoder
from schemas.codec import Encoder, SchemaIds
from schemas.columnar import Keyed
from schemas.registry import subject_of
from schemas.topics import Topics, raw_schema

Record = Mapping[str, Any]
Batch = tuple[str, Keyed]
"""A topic and its messages."""


class Messages:
    """Encodes records for the topics of one deployment; their schemas are registered by then."""

    def __init__(self, topics: Topics, ids: SchemaIds) -> None:
        self._topics = topics
        self._ids = ids
        self._encoders: dict[str, Encoder] = {}
        self._reading_encoders: dict[str, ReadingEncoder] = {}

    def readings(self, records: Mapping[str, Sequence[RawReading]]) -> list[Batch]:
        """Encode the raw readings of a page, by parameter; the key is the station."""
        return [
            (self._topics.raw(parameter), self._reading_encoder(parameter).messages(found))
            for parameter, found in records.items()
            if found
        ]

    def metadata(self, records: Iterable[Record]) -> Batch:
        """Encode sensor metadata; the key is the sensor."""
        keyed = [(record["sensor_id"], record) for record in records]
        return self._keyed(self._topics.metadata, "sensor_metadata", keyed)

    def mapping(self, key: str, record: Record) -> Batch:
        """Encode a mapping."""
        return self._keyed(self._topics.mapping, "mapping", [(key, record)])

    def cursors(self, records: Iterable[Record]) -> Batch:
        """Encode where the source stands in some of its tables; the key is source and table."""
        keyed = [(cursor_key(r["source"], r["table"]), r) for r in records]
        return self._keyed(self._topics.cursors, "source_cursor", keyed)

    def no_cursors(self, source: str, tables: Iterable[str]) -> Batch:
        """Take records of cursors back."""
        keys = [cursor_key(source, table) for table in tables]
        return self._topics.cursors, Keyed.of((key.encode(), None) for key in keys)

    def _keyed(self, topic: str, name: str, records: Iterable[tuple[str, Record]]) -> Batch:
        encode = self._encoder(topic, name)
        return topic, Keyed.of((key.encode(), encode(record)) for key, record in records)

    def _encoder(self, topic: str, name: str) -> Encoder:
        if topic not in self._encoders:
            self._encoders[topic] = Encoder(name, self._ids.id_of(subject_of(topic), name))
        return self._encoders[topic]

    def _reading_encoder(self, parameter: str) -> ReadingEncoder:
        if parameter not in self._reading_encoders:
            name, subject = raw_schema(parameter), subject_of(self._topics.raw(parameter))
            made = ReadingEncoder(name, self._ids.id_of(subject, name))
            self._reading_encoders[parameter] = made
        return self._reading_encoders[parameter]


def cursor_key(source: str, table: str) -> str:
    """Give the key of a cursor's record.

    >>> cursor_key("sample", "weather_hourly")
    'sample:weather_hourly'
    """
    return f"{source}:{table}"
