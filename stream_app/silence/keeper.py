"""The watch of one partition between its topics: what it hears, tells, keeps and takes back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from schemas.codec import Decoder, Encoder, Record, SchemaIds
from schemas.registry import subject_of
from schemas.topics import Topics
from stream_app.cleaned import CleanedColumns
from stream_app.metadata.sensors import UNKNOWN, Sensor
from stream_app.outputs.delivery import Bulk, Outputs, bulk
from stream_app.silence.clock import utc_now
from stream_app.silence.watch import KEY, Rule, Standing, Watch

Clocks = Callable[[Mapping[str, int], int], Mapping[str, int]]
"""Gives the clock of each raw topic that is read up to a position, see ``clock.clocks``."""


class Wire:
    """Encodes what is told and kept of silences; one for all partitions."""

    def __init__(self, topics: Topics, registry: SchemaIds) -> None:
        self.topics = topics
        self._turn = _encoder(registry, subject_of(topics.silence), "sensor_silence")
        # Several kinds of record share the state topic, so each has a subject of its own.
        self._watch = _encoder(registry, f"{topics.state}-sensor_watch", "sensor_watch")
        self.decode_watch = Decoder("sensor_watch", registry.schema_of)

    def bulks(
        self, partition: int, turns: Collection[Record], changes: Collection[tuple[str, Record]]
    ) -> list[Bulk]:
        """Give the records of some events, and of what is kept."""
        told = [(turn["sensor_id"].encode(), self._turn(turn)) for turn in turns]
        kept = [(name.encode(), self._watch(record)) for name, record in changes]
        topics = (self.topics.silence, told), (self.topics.state, kept)
        return [bulk(topic, partition, records) for topic, records in topics if records]


class Told(NamedTuple):
    """What a batch tells and keeps of silences, until its transaction is committed."""

    bulks: list[Bulk]
    heard: Sequence[CleanedColumns]
    changes: list[tuple[str, Record]]
    now: int


class Keeper:
    """Keeps the watch of one partition.

    A batch asks what is to :meth:`tell`, commits that with its own, and lets it be :meth:`told`;
    between batches :meth:`look` is called now and then.
    """

    def __init__(self, partition: int, watch: Watch, wire: Wire, now: Callable[[], int]) -> None:
        self._partition = partition
        self._watch = watch
        self._wire = wire
        self._now = now

    def tell(self, heard: Sequence[CleanedColumns]) -> Told:
        """Give what belongs into the transaction of a batch."""
        now = self._now()
        turns = [turn for columns in heard for turn in self._watch.returning(columns)]
        changes = self._watch.changes(now)
        return Told(self._wire.bulks(self._partition, turns, changes), heard, changes, now)

    def told(self, told: Told) -> None:
        """Take in a batch whose transaction is committed."""
        self._watch.kept(told.now, told.changes)
        for columns in told.heard:
            self._watch.hear(columns)

    def look(
        self, positions: Mapping[str, int], clocks: Clocks, commit: Callable[[Outputs], None]
    ) -> None:
        """Tell of the sensors that have fallen silent.

        ``positions`` of the raw topics say what was read; ``commit`` writes in a transaction.

        Raises:
            AosError: as ``clocks`` and ``commit`` do; nothing is taken for told then.
        """
        now = self._now()
        raw = {self._wire.topics.raw(name): name for name in self._watch.overdue(now)}
        told = clocks({topic: positions[topic] for topic in raw}, now) if raw else {}
        turns = self._watch.falling({raw[topic]: clock for topic, clock in told.items()})
        changes = self._watch.changes(now, turns)
        if not changes:
            return
        commit(Outputs(self._wire.bulks(self._partition, turns, changes)))
        self._watch.kept(now, changes)
        self._watch.fell(turns)

    def restore(self, key: str, value: bytes | None) -> bool:
        """Take back a record of the state topic; say whether it was one of ours."""
        if not key.startswith(KEY):
            return False
        self._watch.restore(self._wire.decode_watch(value), self._now())
        return True

    def standing(self) -> Iterator[Standing]:
        """Tell how the sensors are, for the metrics."""
        return self._watch.standing()


def _encoder(registry: SchemaIds, subject: str, name: str) -> Encoder:
    return Encoder(name, registry.id_of(subject, name))


def keeper_of(partition: int, wire: Wire, rule: Rule, sensors: Mapping[str, Sensor]) -> Keeper:
    """Make the keeper of a partition; ``sensors`` are those that have metadata."""
    return Keeper(partition, Watch(rule, partial(is_expected, sensors)), wire, utc_now)


def is_expected(sensors: Mapping[str, Sensor], sensor: str, at: int) -> bool:
    """Say whether a sensor should be heard at a time: one whose metadata has ended should not.

    >>> is_expected({}, "JFK:wind", 0)
    True
    """
    known = sensors.get(sensor)
    return known is None or known.at(at) is not UNKNOWN
