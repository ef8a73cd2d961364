"""What rules and state add to the stream's CPU: the same readings with them, and without.

With: what a partition does between fetching and sending, :class:`stream_app.step.Step` and the
recorder. Without: decoding, cleaning and encoding alone, nothing judged, nothing remembered.
``bench/stream.py`` may call :func:`measure` with the CPU of the whole process for each reading;
``python -m bench.rules`` prints the parts. No broker is needed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Final

import numpy as np

from bench.stream_data import (
    MINUTE,
    START,
    Readings,
    _columns,
    _mapping,
    _metadata,
    sensor_name,
    station_of,
)
from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema
from schemas.columnar import packed
from schemas.columnar_encoding import ColumnarEncoder
from schemas.framing import frame
from schemas.mapping import published_mapping
from schemas.topics import PARAMETERS, Topics, raw_schema
from stream_app.judging.decoding import DeadLetter, RawDecoder
from stream_app.judging.encoding import CleanEncoder
from stream_app.judging.judge import Judge
from stream_app.metadata.sensors import Sensor
from stream_app.outputs.records import Recorder
from stream_app.step import Step
from stream_app.transport.batch import Batch, Records
from stream_app.transport.recent import Recent
from stream_app.window.state import State

BAR: Final = 0.4
"""The most that rules and state may take of the CPU of a reading."""
_TOPICS: Final = Topics()
_NOW: Final = START + 10**9 * MINUTE
_RECENT_BYTES: Final = 6 << 20


@dataclass(frozen=True, slots=True)
class Share:
    """Microseconds of CPU for each reading; ``share`` is that of rules and state in the whole."""

    readings: int
    with_rules_us: float
    without_us: float
    whole_us: float
    share: float

    @property
    def holds(self) -> bool:
        """Whether it is little enough."""
        return self.share <= BAR


def measure(
    whole_us: float | None = None, sensors: int = 4200, minutes: int = 12, rounds: int = 3
) -> Share:
    """Take some minutes of a network with rules and without, in turns; medians over the rounds.

    ``whole_us``: CPU of the stream's process for each reading, fetching, sending and committing
    included; without it the share is that of the work between these.
    """
    schemas = _Schemas()
    batches = [_batch(schemas, sensors, minute) for minute in range(minutes)]
    judge = _judge(sensors)
    spent = np.array([[_with(schemas, judge, batches), _without(schemas, judge, batches)]
                      for _ in range(rounds)])  # fmt: skip
    with_rules, without = (median(column) * 1e6 / (sensors * minutes) for column in spent.T)
    whole = float(with_rules if whole_us is None else whole_us)
    share = float(with_rules - without) / whole
    return Share(sensors * minutes, float(with_rules), float(without), whole, share)


class _Schemas:
    """A registry of our own schemas, in memory."""

    def id_of(self, _subject: str, name: str) -> int:
        """Give the id of a schema."""
        return avsc.NAMES.index(name) + 1

    def schema_of(self, schema_id: int) -> Schema:
        """Give the schema that has this id."""
        if not 0 < schema_id <= len(avsc.NAMES):
            problem = f"there is no schema {schema_id}"
            raise DataQuality(problem, reason="unknown_schema")
        return avsc.load(avsc.NAMES[schema_id - 1])


class _Nothing:
    """An archive that is never asked: everything is recent."""

    def read(self, topic: str, partition: int, offsets: object) -> Records:
        """Refuse."""
        raise LookupError(topic, partition, offsets)


def _judge(sensors: int) -> Judge:
    known = {sensor_name(n): Sensor(_metadata(n)) for n in range(sensors)}
    mapping = published_mapping(_mapping()["document"])
    return Judge(known, {(mapping.source, mapping.version): mapping})


def _batch(schemas: _Schemas, sensors: int, minute: int) -> Batch:
    rows = np.arange(minute * sensors, (minute + 1) * sensors)
    readings = Readings((minute + 1) * sensors, sensors)
    records = {}
    for number, parameter in enumerate(PARAMETERS):
        chosen = rows[rows % sensors % len(PARAMETERS) == number]
        head = frame(schemas.id_of("", raw_schema(parameter)))
        encode = ColumnarEncoder(avsc.load(raw_schema(parameter)))
        values = encode([head] * len(chosen), _columns(readings, chosen, parameter))
        keys = [station_of(sensor).encode() for sensor in (chosen % sensors).tolist()]
        offsets = np.arange(len(chosen)) + minute * len(chosen)
        topic = _TOPICS.raw(parameter)
        records[topic] = Records(
            topic, 0, offsets, np.full(len(chosen), 0), packed(keys), packed(values)
        )
    return Batch(0, records)


def _with(schemas: _Schemas, judge: Judge, batches: Sequence[Batch]) -> float:
    state = State(0)
    recent = Recent(_RECENT_BYTES, _Nothing())  # type: ignore[arg-type]
    step = Step(0, _TOPICS, RawDecoder(_TOPICS, schemas), judge, recent)
    recorder = Recorder(0, _TOPICS, schemas, state)
    began = time.thread_time()
    for batch in batches:
        overlay, dead = state.overlay(), list[DeadLetter]()
        taken = step.take(batch, overlay, dead)
        recorder.outputs(batch, taken.finished, dead, overlay, _NOW)
        overlay.commit()
        recent.keep(batch)
    return time.thread_time() - began


def _without(schemas: _Schemas, judge: Judge, batches: Sequence[Batch]) -> float:
    plain, decoder = replace(judge, validate=False), RawDecoder(_TOPICS, schemas)
    encoders = dict(_encoders(schemas))
    began = time.thread_time()
    for batch in batches:
        dead: list[DeadLetter] = []
        folds = State(0).overlay()
        for name, judged in plain.judged(decoder.decoded(batch, dead), folds, dead).items():
            encoders[name](judged, {}, 1, _NOW)
    return time.thread_time() - began


def _encoders(schemas: _Schemas) -> Iterator[tuple[str, CleanEncoder]]:
    for parameter in PARAMETERS:
        name = "clean_wind" if parameter == "wind" else "clean_reading"
        made = CleanEncoder(parameter, schemas.id_of("", name), _TOPICS.raw(parameter), 0)
        yield parameter, made


if __name__ == "__main__":
    json.dump(asdict(measure()), sys.stdout, indent=1)
    sys.stdout.write("\n")
