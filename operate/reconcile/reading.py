"""Reading every hop: the last first, so that what is on its way meanwhile is known to be so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from sys import intern
from typing import Final

from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.demo.reader import Reader
from operate.dlq.letters import dead_letter_topics, letters
from operate.kafka_offsets import Offsets, beginnings, committed, written
from operate.reconcile.compare import Facts
from operate.reconcile.decoding import Mappings, RawEntries
from operate.reconcile.entries import Hops, keep
from operate.reconcile.scope import Scope
from operate.reconcile.verdicts import CleanEntries, in_table
from operate.settings import Settings
from producers.publishing.positions import remembered
from runtime.errors import Transient
from runtime.kafka_read import is_end, reader
from schemas.mapping import published_mapping
from schemas.registry import Registry
from schemas.topics import Topics
from sink.database import Database
from sink.stage import group_of

_NEXT: Final = "SELECT topic, partition, next_offset FROM ops.sink_offset WHERE consumer_group = %s"
_TURN_SECONDS: Final = 0.1
_PATIENT_TURNS: Final = 400
Told = Callable[[str], None]


@dataclass(slots=True)
class Seen:
    """What was met at all hops, and what explains it."""

    hops: dict[str, Hops]
    facts: Facts = field(default_factory=Facts)
    mappings: Mappings = field(default_factory=dict)


def published(settings: Settings, registry: Registry) -> Mappings:
    """Read every mapping that ever ran."""
    records = remembered(settings.kafka, settings.topics.mapping, "mapping", registry)
    return {(r["source"], r["version"]): published_mapping(r["document"])
            for r in records.values()}  # fmt: skip


def read_behind_the_source(
    settings: Settings, registry: Registry, database: Database, scope: Scope, tell: Told
) -> Seen:
    """Read tables, clean topics, dead letters and raw topics, in this order."""
    seen = Seen({parameter: Hops() for parameter in scope.parameters})
    _tables(settings, database, scope, seen, tell)
    admin, topics = AdminClient(settings.kafka.client()), settings.topics
    raw, clean = ([of(p) for p in scope.parameters] for of in (topics.raw, topics.clean))
    group = topics.named(settings.stream.group)
    seen.facts.judged = committed(admin, group, _places(raw, topics))
    tell("the clean topics")
    _clean(settings, registry, scope, seen, clean)
    for topic in dead_letter_topics(topics).values():
        for letter in letters(settings.kafka, topic):
            seen.facts.dead[letter.origin] = letter.reason
    tell("the raw topics")
    seen.mappings = published(settings, registry)
    seen.facts.raw_kept = beginnings(admin, _places(raw, topics))
    _raw(settings, registry, scope, seen, raw)
    return seen


def _tables(settings: Settings, database: Database, scope: Scope, seen: Seen, tell: Told) -> None:
    tell("the tables")
    with database.transaction("reading the tables") as connection:
        rows = connection.execute(_NEXT, (group_of(settings.sink, settings.topics),)).fetchall()
        seen.facts.loaded = {(topic, number): after for topic, number, after in rows}
        for parameter, hops in seen.hops.items():
            hops.table = in_table(connection, parameter, scope)


def _clean(
    settings: Settings, registry: Registry, scope: Scope, seen: Seen, topics: Sequence[str]
) -> None:
    makers = {
        settings.topics.clean(p): (seen.hops[p].clean, CleanEntries(p, registry.schema_of, scope))
        for p in scope.parameters
    }
    for topic, messages in _by_topic(settings, topics):
        entries, make = makers[topic]
        for key, entry in make([m.value() for m in messages], [*map(place_of, messages)]):
            keep(entries, key, entry)
    seen.facts.clean_kept = _kept_since(settings, topics)


def _raw(
    settings: Settings, registry: Registry, scope: Scope, seen: Seen, topics: Sequence[str]
) -> None:
    makers = {
        settings.topics.raw(p): (
            seen.hops[p].raw, RawEntries(p, registry.schema_of, seen.mappings, scope),
        )
        for p in scope.parameters
    }  # fmt: skip
    for topic, messages in _by_topic(settings, topics):
        entries, make = makers[topic]
        for row, key, entry in make([m.value() for m in messages]):
            message = messages[row]
            place, time = place_of(message), message.timestamp()[1] * 1000
            keep(entries, key, entry.published(place, time))


def note_newest(seen: Seen) -> None:
    """Note the highest version that was read of each table."""
    newest = seen.facts.newest
    for hops in seen.hops.values():
        for key, entry in hops.raw.items():
            table = key.source, key.table
            newest[table] = max(newest.get(table, entry.version), entry.version)


def _by_topic(settings: Settings, topics: Sequence[str]) -> Iterator[tuple[str, list[Message]]]:
    with closing(Reader(settings.kafka, topics, settings.topics.partitions)) as reading:
        ends = written(AdminClient(settings.kafka.client()), reading.places)
        for messages in _read_to(reading, ends):
            ordered = sorted(messages, key=lambda m: m.topic() or "")
            for topic, same in groupby(ordered, key=lambda m: m.topic() or ""):
                yield topic, list(same)


def _read_to(reading: Reader, ends: Offsets) -> Iterator[list[Message]]:
    """Give everything up to these ends, and wait for the transactions that are open before them.

    What one of them has judged or read is known as done before its records can be seen.
    """
    idle = 0
    while any(max(reading.after.get(at, 0), reading.reached.get(at, 0)) < ends[at] for at in ends):
        messages = reading.read(_TURN_SECONDS)
        idle = 0 if messages else idle + 1
        if idle > _PATIENT_TURNS:
            problem = "the topics cannot be read to their ends: a transaction stays open"
            raise Transient(problem, mend="see whether stages hang, and whether the brokers are up")
        yield messages


def _kept_since(settings: Settings, topics: Sequence[str]) -> dict[int, int]:
    """Say since when clean records are kept, of partitions whose beginning was dropped."""
    admin = AdminClient(settings.kafka.client())
    low = beginnings(admin, _places(topics, settings.topics))
    found: dict[int, int] = {}
    with closing(reader(settings.kafka)) as consumer:
        for (topic, number), offset in low.items():
            if not offset:
                continue
            consumer.assign([TopicPartition(topic, number, offset)])
            message = consumer.poll(10.0)
            if message is not None and not is_end(message):
                found[number] = max(found.get(number, 0), message.timestamp()[1] * 1000)
    return found


def _places(names: Sequence[str], topics: Topics) -> list[TopicPartition]:
    return [TopicPartition(name, n) for name in names for n in range(topics.partitions)]


def place_of(message: Message) -> tuple[str, int, int]:
    """Give where a record lies."""
    return intern(message.topic() or ""), message.partition() or 0, message.offset() or 0
