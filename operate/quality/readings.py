"""All readings of a source as the stream decodes them, taken by the source's own readers.

Rows become raw records by the mapping, records become messages, and messages columns: the very ways
of :mod:`producers` and :mod:`stream_app`, with the broker between them left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from producers.connection.endpoints import Endpoints
from producers.publishing.encoding import RawReading
from producers.reading.feed import TableFeed, feeds_of
from producers.reading.tables import check_mapping
from producers.sensors.metadata import sensor_records
from producers.sensors.metadata_tables import read_metadata
from producers.settings import SourceSettings
from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema
from schemas.codec import Encoder
from schemas.columnar import Integers, concatenated, joined_columns, packed
from schemas.mapping import Mapping as SourceMapping
from schemas.mapping import read_mapping
from schemas.topics import PARAMETERS, Topics, raw_schema
from stream_app.judging.decoding import DeadLetter, Decoded, RawDecoder
from stream_app.judging.heads import Head
from stream_app.metadata.sensors import Sensor
from stream_app.transport.batch import Batch, Records

TOPICS = Topics()


class Schemas:
    """A registry of our own schemas, in memory."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def id_of(self, _subject: str, name: str) -> int:
        """Give the id of a schema; the first is 1."""
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name) + 1

    def schema_of(self, schema_id: int) -> Schema:
        """Give the schema that has this id."""
        if not 0 < schema_id <= len(self._names):
            problem = f"there is no schema {schema_id}"
            raise DataQuality(problem, reason="unknown_schema")
        return avsc.load(self._names[schema_id - 1])


@dataclass(frozen=True, slots=True)
class Past:
    """What a source holds: readings by parameter, and what they are to be looked up in.

    ``page`` says of each reading with which others it was read; offsets are places.
    """

    readings: Mapping[str, Decoded]
    page: Mapping[str, Integers]
    sensors: Mapping[str, Sensor]
    mappings: Mapping[tuple[str, int], SourceMapping]

    def tables(self) -> list[str]:
        """Name the tables that readings came from."""
        heads = [decoded.heads[i] for decoded in self.readings.values() for i in {*decoded.head}]
        return sorted({str(head.record["source_table"]) for head in heads})

    def only(self, table: str, without: Sequence[str] = ()) -> Past:
        """Leave what one table holds, without some sensors."""
        readings, page = {}, {}
        for name, decoded in self.readings.items():
            chosen = np.array([_is_of(head, table, without) for head in decoded.heads])
            rows = np.flatnonzero(chosen[decoded.head])
            if len(rows):
                readings[name] = _renumbered(decoded.take(rows))
                page[name] = self.page[name][rows]
        return replace(self, readings=readings, page=page)

    def changed(self, readings: Mapping[str, Decoded]) -> Past:
        """Put other readings in the place of some."""
        return replace(self, readings={**self.readings, **readings})


def read_past(settings: SourceSettings, page_rows: int = 5_000) -> Past:
    """Read all rows and all metadata of a source.

    Raises:
        Configuration: a setting or the mapping is wrong.
        Transient: the database does not answer.
    """
    mapping = read_mapping(settings.mapping)
    with Endpoints.settled(settings) as database:
        types = database.ask("looking at the source", lambda c: check_mapping(c, mapping=mapping))
        feeds = [
            feed
            for table in mapping.tables
            for feed in feeds_of(database, mapping, table, types[table.table], page_rows)
        ]
        parts = list(_decoded(feeds))
        sensors = _sensors(database, mapping)
    readings = {name: _joined([p[name] for p in parts if name in p]) for name in _present(parts)}
    page = {
        name: np.concatenate(
            [np.full(len(p[name].records), i) for i, p in enumerate(parts) if name in p]
        )
        for name in readings
    }
    return Past(readings, page, sensors, {(mapping.source, mapping.version): mapping})


def _sensors(database: Endpoints, mapping: SourceMapping) -> dict[str, Sensor]:
    how = mapping.metadata
    if how is None:
        return {}
    rows = database.ask("reading metadata", lambda c: read_metadata(c, mapping=mapping))
    found = sensor_records(rows, how, mapping.source, time.time_ns() // 1000)
    return {name: Sensor(record) for name, record in found.records.items()}


def _decoded(feeds: Sequence[TableFeed]) -> Iterator[dict[str, Decoded]]:
    """Give the pages of all tables, decoded, by parameter."""
    schemas = Schemas()
    decoder = RawDecoder(TOPICS, schemas)
    encoders = {
        name: Encoder(raw_schema(name), schemas.id_of("", raw_schema(name))) for name in PARAMETERS
    }
    first = dict.fromkeys(map(TOPICS.raw, PARAMETERS), 0)
    for feed in feeds:
        position, drained = "", False
        while not drained:
            page = feed.next_page(position)
            position, drained = page.position, page.drained or page.waiting
            records = {
                TOPICS.raw(name): _records(TOPICS.raw(name), first, found, encoders[name])
                for name, found in page.readings.records.items()
                if found
            }
            dead: list[DeadLetter] = []  # they are told of by the stream, and have no flags
            yield {one.parameter: one for one in decoder.decoded(Batch(0, records), dead)}


def _records(
    topic: str, first: dict[str, int], readings: Sequence[RawReading], encode: Encoder
) -> Records:
    offsets = first[topic] + np.arange(len(readings))
    first[topic] += len(readings)
    made = [reading.as_record() for reading in readings]
    keys = [str(record["station_id"]).encode() for record in made]
    return Records(
        topic, 0, offsets, np.zeros_like(offsets), packed(keys), packed([encode(r) for r in made])
    )


def _present(parts: Sequence[Mapping[str, Decoded]]) -> list[str]:
    return [name for name in PARAMETERS if any(name in part for part in parts)]


def _is_of(head: Head, table: str, without: Sequence[str]) -> bool:
    return head.record["source_table"] == table and head.sensor not in without


def _renumbered(decoded: Decoded) -> Decoded:
    records = replace(decoded.records, offsets=np.arange(len(decoded.records)))
    return replace(decoded, records=records)


def _joined(parts: Sequence[Decoded]) -> Decoded:
    """Put pages of one parameter one behind the other; their offsets become their places."""
    count = sum(len(part.records) for part in parts)
    offsets = np.arange(count)
    records = replace(
        parts[0].records,
        offsets=offsets,
        published=np.zeros_like(offsets),
        keys=concatenated([part.records.keys for part in parts]),
        values=packed([None]).take(np.zeros(count, np.int64)),
    )
    columns = {
        name: joined_columns([part.columns[name] for part in parts]) for name in parts[0].columns
    }
    head = np.concatenate([part.head for part in parts])
    return replace(parts[-1], records=records, head=head, columns=columns)
