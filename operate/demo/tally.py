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
from operate.demo.keys import READING, ROW, Key, Keys
from operate.demo.reader import Reader
from operate.demo.report import Break, Line, Report
from operate.demo.source_keys import source_keys
from operate.demo.unmapped import unmapped_rows
from operate.kafka_offsets import ends
from operate.settings import Settings
from producers.connection.database import open_engine
from producers.count import Held, count_readings
from schemas.mapping import read_mapping
from schemas.registry import Registry
from schemas.topics import PARAMETERS
from sink.database import Connection, Database

_FLAGS: Final = {1: "good", 2: "not_judged", 3: "suspect", 4: "fail", 9: "missing"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Hops:
    """What was met of one parameter on its way: records, and their keys.

    ``raw``, ``dead_raw`` and ``origins`` are table, row and sensor; ``clean`` and ``dead_clean``
    are sensor and time, in microseconds since 1970; ``dead`` are topic, partition and offset.
    """

    published: int = 0
    judged: int = 0
    raw: set[Key] = field(default_factory=set)
    dead_raw: set[Key] = field(default_factory=set)
    origins: set[Key] = field(default_factory=set)
    clean: set[Key] = field(default_factory=set)
    dead_clean: set[Key] = field(default_factory=set)
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
    return Report(tuple(lines), tuple(breaks), unmapped_rows(settings.the_source()))


def on_topics(settings: Settings) -> dict[str, Hops]:
    """Read raw, clean and dead-letter topics to their ends."""
    with closing(Registry(settings.registry)) as registry:
        return _met(settings, registry)


def _met(settings: Settings, registry: Registry) -> dict[str, Hops]:
    topics = settings.topics
    met, parameters = {parameter: Hops() for parameter in PARAMETERS}, parameters_of(topics)
    for letter in _messages(settings, [topics.clean_dead_letters, topics.sink_dead_letters], 1):
        origin = origin_of(letter)
        if origin[0] in parameters:  # sensor metadata may be dead-lettered, too
            met[parameters[origin[0]]].dead.add(origin)
    rows, readings = Keys(ROW, registry.schema_of), Keys((*ROW, *READING), registry.schema_of)
    raw, clean = ([of(p) for p in PARAMETERS] for of in (topics.raw, topics.clean))
    for batch in _batches(settings, [*raw, *clean], topics.partitions):
        for topic, messages in _by_topic(batch).items():
            hops, values = met[parameters[topic]], [m.value() for m in messages]
            if topic in raw:
                _note_raw(hops, messages, rows(values))
            else:
                _note_clean(hops, messages, readings(values))
    return met


def _by_topic(messages: list[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.topic() or "", []).append(message)
    return found


def _note_raw(hops: Hops, messages: list[Message], keys: list[Key | None]) -> None:
    for message, key in zip(messages, keys, strict=True):
        if key is not None:
            hops.published += 1
            hops.raw.add(key)
        if (place := _place(message)) in hops.dead:
            hops.dead_raw.add(key or place)
        elif key is None:
            hops.raw.add(place)  # it cannot be read, and nobody says so: it is lost


def _note_clean(hops: Hops, messages: list[Message], keys: list[Key | None]) -> None:
    for message, key in zip(messages, keys, strict=True):
        if key is not None:
            hops.judged += 1
            hops.origins.add(key[: len(ROW)])
            hops.clean.add(key[len(ROW) :])
        if (place := _place(message)) in hops.dead:
            hops.dead_clean.add(key[len(ROW) :] if key else place)
        elif key is None:
            hops.clean.add(place)


def _place(message: Message) -> tuple[str, int, int]:
    return message.topic() or "", message.partition() or 0, message.offset() or 0


def _messages(settings: Settings, topics: list[str], partitions: int) -> Iterator[Message]:
    for messages in _batches(settings, topics, partitions):
        yield from messages


def _batches(settings: Settings, topics: list[str], partitions: int) -> Iterator[list[Message]]:
    with closing(Reader(settings.kafka, topics, partitions)) as reader:
        yield from reader.read_to(ends(AdminClient(settings.kafka.client()), reader.places))


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
