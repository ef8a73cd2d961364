"""A partition in memory: its raw topics, its state topic, what it sends; and it may be killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.codec import Decoder, Encoder, Record
from schemas.columnar import Integers, packed
from schemas.overrides import Override
from schemas.topics import clean_schema, raw_schema
from stream_app.again.desk import Desk, Ways
from stream_app.again.index import Range
from stream_app.again.reviser import Reviser
from stream_app.again.scan import Scan
from stream_app.again.task import Window
from stream_app.again.wire import Wire
from stream_app.judging.decoding import RawDecoder
from stream_app.judging.judge import Judge
from stream_app.metadata.sensors import Sensor
from stream_app.metadata.turns import EVERYONE, Turns
from stream_app.outputs.delivery import Outputs
from stream_app.outputs.records import Recorder
from stream_app.overrides.table import Overrides, about_of
from stream_app.rulesets.table import Rulesets
from stream_app.step import Step
from stream_app.transport.batch import Batch, Records
from stream_app.transport.recent import Recent
from stream_app.window.changelog import PREFIX
from stream_app.window.recovery import Recovery
from stream_app.window.state import State
from tests.raw_batches import TOPICS, Schemas
from tests.unit.stream_fakes import mapping
from weather.ruleset import DEFAULT, Ruleset

Key = tuple[str, int]


class Table:
    """What readings are judged by, as the reference table holds it."""

    def __init__(self, ruleset: Ruleset = DEFAULT) -> None:
        self.sensors: dict[str, Sensor] = {}
        self.rulesets = Rulesets(ruleset)
        self.overrides = Overrides()
        self.turns = Turns()

    def tell(self, record: Record) -> None:
        """Take in what is known of a sensor."""
        self.sensors[record["sensor_id"]] = Sensor(record)
        self.turns.changed(record["sensor_id"])

    def publish(self, ruleset: Ruleset) -> None:
        """Take in a ruleset."""
        self.rulesets.put(ruleset)
        self.turns.changed(EVERYONE)

    def say(self, override: Override) -> None:
        """Take in what a person says."""
        self.overrides.put(override)
        self.turns.changed(about_of(override))


@dataclass(frozen=True)
class Message:
    """A raw record as a consumer gives it; every second offset is none."""

    topic: str
    place: int
    station: str
    bytes_: bytes

    def offset(self) -> int:
        """Give where it lies."""
        return 2 * self.place

    def timestamp(self) -> tuple[int, int]:
        """Give when it was published: as it stands in the log of all topics."""
        return 1, self.place

    def key(self) -> bytes:
        """Give its station."""
        return self.station.encode()

    def value(self) -> bytes:
        """Give the record."""
        return self.bytes_


class Log:
    """The raw topics of the partition, all written by one hand; also the archive of these."""

    def __init__(self, schemas: Schemas, readings: Sequence[tuple[str, Record]]) -> None:
        encoders = {
            name: Encoder(raw_schema(name), schemas.id_of("", raw_schema(name)))
            for name, _ in readings
        }
        self.messages = [
            Message(TOPICS.raw(name), place, record["station_id"], encoders[name](record))
            for place, (name, record) in enumerate(readings)
        ]

    def batch(self, first: int, end: int) -> Batch:
        """Give what a fetch brings."""
        topics = sorted({message.topic for message in self.messages[first:end]})
        parts = {t: [m for m in self.messages[first:end] if m.topic == t] for t in topics}
        return Batch(0, {topic: _records(topic, some) for topic, some in parts.items()})

    def read(self, topic: str, partition: int, offsets: Integers) -> Records:
        """Find records again."""
        del partition
        wanted = set(offsets.tolist())
        return _records(topic, [m for m in self._of(topic) if m.offset() in wanted])

    def reading(self, topic: str) -> Reading:
        """Give a way to read one of the topics."""
        return Reading(self._of(topic))

    def _of(self, topic: str) -> list[Message]:
        return [message for message in self.messages if message.topic == topic]


class Reading:
    """Reads one topic."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages

    def read(self, start: int, end: int, most: int) -> tuple[Any, int]:
        """Give what there is."""
        found = [m for m in self._messages if start <= m.offset() < end][:most]
        return found, found[-1].offset() + 1 if len(found) == most else end

    def close(self) -> None:
        """Do nothing."""


def _gauge(counter: str | None) -> Any:
    measure = {"column": "v", "unit": "mm", "counter": counter}
    how = mapping("rainfall", measures={"value": measure}, interval_seconds=60 if counter else 0)
    return how.tables[0].readings[0]


def _records(topic: str, messages: Sequence[Message]) -> Records:
    return Records(
        topic,
        0,
        np.array([m.offset() for m in messages], np.int64),
        np.array([m.timestamp()[1] for m in messages], np.int64),
        packed([m.key() for m in messages]),
        packed([m.value() for m in messages]),
    )


class Model:
    """One partition number, as :class:`stream_app.partition.Partition` puts it together."""

    def __init__(
        self,
        readings: Sequence[tuple[str, Record]],
        ruleset: Ruleset = DEFAULT,
        most: int = 5,
        *,
        validate: bool = True,
        counter: str | None = None,
    ) -> None:
        """``counter``: how the gauges count, if they do."""
        self.made_of = readings, ruleset, most
        self.table = Table(ruleset)
        self._schemas = Schemas()
        self._log = Log(self._schemas, readings)
        self._most = most
        self._validate = validate
        self._counter = counter
        self._at = 0
        self._positions = dict.fromkeys(TOPICS.all_raw(), 0)
        self._kept: dict[bytes, bytes | None] = {}
        self.sent: list[Record] = []
        self.revive()

    def revive(self) -> None:
        """Forget what was not written down, and begin anew with what was."""
        one = mapping("temperature")
        several = {p: mapping(p).tables[0].readings[0] for p in ("humidity", "wind", "pressure")}
        several["rainfall"] = _gauge(self._counter)
        table = one.tables[0].model_copy(
            update={"readings": (one.tables[0].readings[0], *several.values())}
        )
        usual = one.model_copy(update={"tables": (table,)})
        treated = [usual.treated(validate=v, clean=c) for v in (True, False) for c in (True, False)]
        mappings = {("sample", one.version): one for one in treated}
        judge = Judge(
            self.table.sensors,
            mappings,
            self.table.rulesets,
            validate=self._validate,
            overrides=self.table.overrides,
            turns=self.table.turns,
        )
        self.state = State(0)
        wire = Wire(TOPICS, self._schemas)
        ways = Ways(self._look, self._scan)
        self._reviser = Reviser(0, wire, self.table, ways, self._most)  # type: ignore[arg-type]
        self._restore()
        recent = Recent(500, self._log)  # type: ignore[arg-type]
        step = Step(0, TOPICS, RawDecoder(TOPICS, self._schemas), judge, recent)
        recorder = Recorder(0, TOPICS, self._schemas, self.state)
        self._desk = Desk(self.state, step, recorder, self._positions, self._commit, lambda: 0)

    def batch(self, number: int) -> None:
        """Take the next readings."""
        batch = self._log.batch(self._at, self._at + number)
        desk, overlay, turn = self._desk, self.state.overlay(), self._reviser.turn
        taken = desk.step.take(batch, overlay, [])
        met = self._reviser.meet([*taken.cleaned.values()], turn)
        outputs = desk.recorder.outputs(batch, taken.finished, [], overlay, 0)
        outputs.bulks.extend(met.bulks)
        self._commit(outputs)
        overlay.commit()
        self._reviser.met(met)
        self._positions.update(batch.next_positions())
        self._at += number

    def round(self) -> None:
        """Let the reviser do a part of its work."""
        self._reviser.round(self._desk)

    @property
    def due(self) -> bool:
        """Whether the reviser has anything to do."""
        return self._reviser.due

    @property
    def unread(self) -> int:
        """Readings that have not been taken."""
        return len(self._log.messages) - self._at

    def finish(self) -> None:
        """Take all that is left, and do all that is due."""
        if self.unread:
            self.batch(self.unread)
        while self.due:
            self.round()

    def final(self) -> dict[Key, Record]:
        """Give of each reading the record that wins."""
        found: dict[Key, Record] = {}
        for record in self.sent:
            key = record["sensor_id"], record["observed_at"]
            rank = record["source_version"], record["revision"]
            held = found.get(key)
            if held is None or (held["source_version"], held["revision"]) < rank:
                found[key] = record
        return found

    def _commit(self, outputs: Outputs) -> None:
        for topic, _, messages in outputs.bulks:
            for parameter in ("rainfall", "humidity", "temperature", "wind"):
                if topic == TOPICS.clean(parameter):
                    decode = Decoder(clean_schema(parameter), self._schemas.schema_of)
                    self.sent += [decode(value) for _, value in messages.pairs()]
            if topic == TOPICS.state:
                self._kept.update((key or b"", value) for key, value in messages.pairs())

    def _restore(self) -> None:
        recovery = Recovery(self.state, self._schemas.schema_of)
        for key, value in self._kept.items():
            ring = key.startswith(PREFIX)
            if ring or not self._reviser.restore(key.decode(), value or b""):
                recovery.take(key, value or b"")
        recovery.finish()

    def _look(self, partition: int, times: Mapping[str, Window]) -> Future[dict[str, list[Range]]]:
        del partition
        found: Future[dict[str, list[Range]]] = Future()
        found.set_result({topic: [Range(0, self._positions[topic])] for topic in times})
        return found

    def _scan(
        self,
        partition: int,
        keys: frozenset[bytes],
        ranges: Mapping[str, Sequence[Range]],
        known: Mapping[str, int],
    ) -> Scan:
        readings = {topic: self._log.reading(topic) for topic in ranges}
        return Scan(partition, keys, readings, ranges, known)
