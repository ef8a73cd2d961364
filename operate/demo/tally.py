"""Counting at every hop: distinct keys at the source, on the topics, in the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from operate.demo.flow import origin_of, parameters_of
from operate.demo.reader import Reader
from operate.demo.report import Break, Line, Report
from operate.demo.source_keys import source_keys
from operate.kafka_offsets import ends
from operate.settings import Settings
from producers.count import Held, count_readings
from producers.database import open_engine
from runtime.errors import DataQuality
from schemas.codec import Decoder, Record
from schemas.mapping import read_mapping
from schemas.registry import Registry
from schemas.topics import PARAMETERS, clean_schema, raw_schema
from sink.database import Connection, Database

RowKey = tuple[str, str, str]
"""Table, key of the row, sensor."""
ReadingKey = tuple[str, int]
"""Sensor, observation time in microseconds since 1970."""

_FLAGS: Final = {1: "good", 2: "not_judged", 3: "suspect", 4: "fail", 9: "missing"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Hops:
    """What was met of one parameter on its way."""

    published: int = 0
    judged: int = 0
    raw: set[RowKey] = field(default_factory=set)
    dead_raw: set[RowKey] = field(default_factory=set)
    origins: set[RowKey] = field(default_factory=set)
    clean: set[ReadingKey] = field(default_factory=set)
    dead_clean: set[ReadingKey] = field(default_factory=set)
    dead: set[tuple[str, int, int]] = field(default_factory=set)


def tally(settings: Settings) -> Report:
    """Count everything; the stages are drained, and nothing is published meanwhile.

    Raises:
        AosError: brokers, registry or a database do not answer.
    """
    held = held_by_source(settings)
    met = on_topics(settings)
    with closing(Database(settings.sink)) as database, database.transaction("counting") as tables:
        lines = [_line(p, held[p], met[p], _flags(tables, p)) for p in PARAMETERS]
        breaks = [b for line in lines for b in _breaks(settings, line, met, tables)]
    return Report(tuple(lines), tuple(breaks))


def on_topics(settings: Settings) -> dict[str, Hops]:
    """Read raw, clean and dead-letter topics to their ends."""
    topics = settings.topics
    met = {parameter: Hops() for parameter in PARAMETERS}
    parameters = parameters_of(topics)
    for letter in _records(settings, [topics.clean_dead_letters, topics.sink_dead_letters], 1):
        origin = origin_of(letter)
        if origin[0] in parameters:
            met[parameters[origin[0]]].dead.add(origin)
    decoders = _decoders(settings)
    raw = {topics.raw(p) for p in PARAMETERS}
    for message in _records(settings, list(decoders), topics.partitions):
        topic = message.topic() or ""
        _note(met[parameters[topic]], message, decoders[topic], raw=topic in raw)
    return met


def _note(hops: Hops, message: Message, decode: Decoder, *, raw: bool) -> None:
    place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
    try:
        record = decode(message.value())
    except DataQuality:
        if place not in hops.dead:
            raise
        return
    if raw:
        hops.published += 1
        hops.raw.add(row := _row_key(record))
        if place in hops.dead:
            hops.dead_raw.add(row)
        return
    hops.judged += 1
    hops.origins.add(_row_key(record))
    hops.clean.add(reading := (record["sensor_id"], record["observed_at"]))
    if place in hops.dead:
        hops.dead_clean.add(reading)


def _row_key(record: Record) -> RowKey:
    return record["source_table"], record["source_key"], record["sensor_id"]


def _records(settings: Settings, topics: list[str], partitions: int) -> Iterator[Message]:
    with closing(Reader(settings.kafka, topics, partitions)) as reader:
        yield from reader.read_to(ends(AdminClient(settings.kafka.client()), reader.places))


def _decoders(settings: Settings) -> dict[str, Decoder]:
    registry, topics = Registry(settings.registry), settings.topics
    raw = {topics.raw(p): Decoder(raw_schema(p), registry.schema_of) for p in PARAMETERS}
    clean = {topics.clean(p): Decoder(clean_schema(p), registry.schema_of) for p in PARAMETERS}
    return {**raw, **clean}


def held_by_source(settings: Settings) -> Mapping[str, Held]:
    """Count what AOS holds of each parameter, in the order in which we name them."""
    source = settings.the_source()
    engine = open_engine(source)
    try:
        held = count_readings(engine, read_mapping(source.mapping))
        return {parameter: held.get(parameter, Held(0, 0)) for parameter in PARAMETERS}
    finally:
        engine.dispose()


def _flags(tables: Connection, parameter: str) -> Counter[str]:
    query = f"SELECT flag, count(*) FROM weather.{parameter} GROUP BY flag"  # noqa: S608 - ours
    return Counter({_FLAGS[flag]: rows for flag, rows in tables.execute(query.encode())})


def _line(parameter: str, held: Held, hops: Hops, flags: Counter[str]) -> Line:
    return Line(
        parameter,
        source=held.readings,
        source_keys=held.keys,
        published=hops.published,
        raw_keys=len(hops.raw),
        judged=hops.judged,
        clean_keys=len(hops.clean),
        dead_lettered=len(hops.dead),
        loaded=flags.total(),
        **flags,
    )


def _breaks(
    settings: Settings, line: Line, met: Mapping[str, Hops], tables: Connection
) -> Iterator[Break]:
    """Compare neighbours; what is far to fetch is fetched only where the numbers differ."""
    name, hops = line.parameter, met[line.parameter]
    found = [Break.between("raw → clean", name, hops.raw - hops.dead_raw, hops.origins)]
    if line.source_keys != line.raw_keys:
        keys = source_keys(settings.the_source(), name)
        found.append(Break.between("source → raw", name, keys, hops.raw))
    if len(hops.origins) != len(hops.clean):
        problem = f"{len(hops.origins)} rows, {len(hops.clean)} times"
        found.append(Break("clean: two rows for one time", name, 0, 0, (problem,)))
    if line.loaded != len(hops.clean - hops.dead_clean):
        found.append(Break.between("clean → table", name, hops.clean, _in_table(tables, name)))
    yield from (b for b in found if b)


def _in_table(tables: Connection, parameter: str) -> set[Any]:
    query = f"SELECT sensor_id, observed_at FROM weather.{parameter}"  # noqa: S608 - our own name
    micro = timedelta(microseconds=1)
    return {(sensor, (at - _EPOCH) // micro) for sensor, at in tables.execute(query.encode())}
