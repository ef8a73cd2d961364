"""Mending what is wrong: those rows alone are read once more, and published so that they win.

A row that the source still has goes out as it is there, under a version above all that any hop
knows of its moment; the next change of the row stands above that again. One that the source does
not have goes out as a delete. Everything else is the stream's and the sink's daily work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from operate.dlq.letters import Place, record_at
from operate.reconcile.compare import Difference
from operate.reconcile.entries import Entry, Hops, Key
from operate.reconcile.reading import Seen
from operate.reconcile.scope import Scope
from operate.reconcile.source import find
from operate.reconcile.takeback import taken_back, written_anew, written_delete
from producers.backfill.opened import World
from producers.reading.times import now_micros
from runtime.kafka import KafkaSettings
from schemas.codec import Decoder, Encoder, Record
from schemas.columnar import Keyed
from schemas.registry import subject_of
from schemas.topics import raw_schema

JOB: Final = "reconcile"
_AT_ONCE: Final = 2_000
Wanted = dict[tuple[str, Key], int]
"""The version under which a reading is to go out, by parameter and key; 0: that of its row."""


@dataclass(slots=True)
class Repaired:
    """What went out: readings as the source has them, deletes, and what nobody can mend."""

    read_again: int = 0
    taken_back: int = 0
    left: list[tuple[str, Key]] = field(default_factory=list)

    @property
    def records(self) -> int:
        """How many records were published."""
        return self.read_again + self.taken_back


def wanted(differences: Iterable[Difference], hops: Mapping[str, Hops]) -> Wanted:
    """Say which readings are to go out, and under which versions.

    Rows that share a sensor and a time share a place in the table. So that a row that is taken back
    takes no other with it, what the source has at that place goes out, too, one version above.
    """
    wrong: dict[str, set[Key]] = {}
    for one in differences:
        if one.is_wrong:
            wrong.setdefault(one.parameter, set()).add(one.key)
    found: Wanted = {}
    for parameter, keys in wrong.items():
        found |= {(parameter, key): v for key, v in _versions(keys, hops[parameter]).items()}
    return found


def _versions(keys: set[Key], at: Hops) -> dict[Key, int]:
    moments = {(key.sensor, key.local) for key in keys}
    tops: dict[tuple[str, int], int] = {}
    for entries in (at.raw, at.clean, at.table):
        for key, entry in entries.items():
            if (moment := (key.sensor, key.local)) in moments:
                tops[moment] = max(tops.get(moment, entry.version), entry.version)
    gone = {(key.sensor, key.local) for key in keys if key not in at.source}
    beside = {key for key in at.source if (key.sensor, key.local) in gone}
    return {
        key: tops[key.sensor, key.local] + (2 if key in at.source else 1)
        if (key.sensor, key.local) in tops
        else 0
        for key in keys | beside
    }


def repair(
    worlds: Sequence[World], kafka: KafkaSettings, scope: Scope, seen: Seen, wants: Wanted
) -> Repaired:
    """Publish what is wanted, each source's in its own transactions.

    Raises:
        Fenced: another repair of the same source has begun meanwhile.
        AosError: database, broker or registry does not answer; what was published by then stays.
    """
    done, left = Repaired(), dict(wants)
    for world in worlds:
        own = {place: v for place, v in wants.items() if place[1].source == world.mapping.source}
        if not own:
            continue
        records = _Records(world, kafka, seen)
        publisher = world.publisher(JOB, 0)
        try:
            for some in _in_pieces(records.all(scope, own, done)):
                publisher.publish(records.messages(some))
                for parameter, key, _ in some:
                    left.pop((parameter, key))
        finally:
            publisher.close()
    done.left = list(left)
    return done


Made = tuple[str, Key, Record]


class _Records:
    """Makes the records of one source."""

    def __init__(self, world: World, kafka: KafkaSettings, seen: Seen) -> None:
        self._world = world
        self._kafka = kafka
        self._seen = seen
        self._decoders = {
            name: Decoder(name, world.ids.schema_of)
            for name in {raw_schema(parameter) for parameter in seen.hops}
        }

    def all(self, scope: Scope, wants: Wanted, done: Repaired) -> Iterator[Made]:
        """Read the rows once more; take back what is not there."""
        left = dict(wants)
        for parameter, message, key in self._read(scope, wants):
            version = left.pop((parameter, key), None)
            if version is not None:
                record = self._decoders[raw_schema(parameter)](message)
                done.read_again += 1
                yield parameter, key, written_anew(record, version)
        for (parameter, key), version in left.items():
            gone = self._gone(parameter, key)
            if gone is not None:
                done.taken_back += 1
                yield parameter, key, {**gone, "source_version": version}

    def _read(self, scope: Scope, wants: Wanted) -> Iterator[tuple[str, bytes, Key]]:
        """Read the hours in which the rows lie, of their stations and tables alone."""
        mapping, mappings = self._world.mapping, self._seen.mappings
        named = {table.table for table in mapping.tables}
        keys = [key for _, key in wants if key.table in named]
        stations = {self._known(*place).station for place in wants}
        if keys:
            request = scope.around(keys, tuple(sorted(stations)))
            mappings = {**mappings, (mapping.source, mapping.version): mapping}
            for parameter, message, key, _ in find(self._world, scope, request, mappings):
                yield parameter, message, key

    def messages(self, made: Sequence[Made]) -> Iterator[tuple[str, Keyed]]:
        """Encode records, by topic."""
        ids, topics = self._world.ids, self._world.topics
        for parameter in Counter(one[0] for one in made):
            topic, name = topics.raw(parameter), raw_schema(parameter)
            encode = Encoder(name, ids.id_of(subject_of(topic), name))
            records = [record for of, _, record in made if of == parameter]
            pairs = [(r["station_id"].encode(), encode(r)) for r in records]
            yield topic, Keyed.of(pairs)

    def _gone(self, parameter: str, key: Key) -> Record | None:
        """Make the delete of a reading, from its raw record where there is one."""
        name, raw = raw_schema(parameter), self._seen.hops[parameter].raw.get(key)
        if raw is not None:
            value = record_at(self._kafka, Place(*raw.place)).value()
            before = self._decoders[name](value if isinstance(value, bytes) else None)
            return {**before, **taken_back(parameter, now_micros())}
        mapping, entry = self._world.mapping, self._known(parameter, key)
        if mapping.reading_of(key.table, parameter) is None:
            return None  # the stream would not know how to read it
        (zone,) = (table.time.zone for table in mapping.tables if table.table == key.table)
        return written_delete(parameter, key, entry, mapping, zone, now_micros())

    def _known(self, parameter: str, key: Key) -> Entry:
        at = self._seen.hops[parameter]
        found = (h.get(key) for h in (at.source, at.raw, at.clean, at.table))
        return next(entry for entry in found if entry is not None)


def _in_pieces(made: Iterator[Made]) -> Iterator[list[Made]]:
    piece: list[Made] = []
    for one in made:
        piece.append(one)
        if len(piece) == _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
