"""The records that a batch leaves behind: clean readings, dead letters, its index and its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from schemas.codec import Encoder, SchemaIds
from schemas.columnar import Integers, Keyed, Strings, packed
from schemas.columnar_encoding import side_by_side
from schemas.dead_letters import headers
from schemas.framing import HEADER, frame
from schemas.registry import subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema
from stream_app.judging.decoding import DeadLetter
from stream_app.judging.encoding import CleanEncoder
from stream_app.judging.judged import Judged
from stream_app.judging.worth import USUAL, Bar, Worth, worth
from stream_app.outputs.delivery import Bulk, Outputs, Single, bulk
from stream_app.transport.batch import Batch
from stream_app.window.changelog import SCHEMA, RingWriter
from stream_app.window.state import Overlay, State
from weather.arrays import Bools, Flags, Micros

STATE_SCHEMAS: Final = ("partition_state", "sensor_folds")


@dataclass(frozen=True, slots=True)
class Finished:
    """Readings with their verdict, as they go to the clean topic of their parameter.

    Attributes:
        judged: the readings, n of them.
        flags: (n,) of the tests that look at neighbours, by field of the clean schema.
        newest: (n,) now the newest readings of their sensors.
        worth: what they are worth; None as long as nobody has asked.
    """

    judged: Judged
    flags: Mapping[str, Flags]
    newest: Bools
    worth: Worth | None = None

    def weighed(self, bar: Bar) -> Finished:
        """Say what they are worth, and what is done about it."""
        return replace(self, worth=worth(self.judged, self.flags, bar))


class Recorder:
    """Encodes what batches of one partition number leave behind, under the registry's ids."""

    def __init__(
        self,
        number: int,
        topics: Topics,
        registry: SchemaIds,
        state: State,
        bar: Bar = USUAL,
    ) -> None:
        self._number = number
        self._topics = topics
        self._clean = {
            parameter: CleanEncoder(
                parameter,
                _clean_id(registry, topics.clean(parameter), parameter),
                topics.raw(parameter),
                number,
                bar,
            )
            for parameter in PARAMETERS
        }
        self._latest = {
            parameter: frame(_clean_id(registry, topics.latest(parameter), parameter))
            for parameter in PARAMETERS
        }
        self._index = _encoder(registry, subject_of(topics.index), "raw_index")
        self._state = {
            # Several kinds of record share the topic, so each has a subject of its own.
            name: _encoder(registry, f"{topics.state}-{name}", name)
            for name in STATE_SCHEMAS
        }
        ring_id = registry.id_of(f"{topics.state}-{SCHEMA}", SCHEMA)
        self._rings = RingWriter(ring_id, state.rings)

    def outputs(
        self,
        batch: Batch,
        finished: Iterable[Finished],
        dead: Iterable[DeadLetter],
        overlay: Overlay,
        now: int,
    ) -> Outputs:
        """Give every record of the batch's transaction."""
        made = Outputs(singles=[self._dead_letter(one) for one in dead])
        observed: dict[str, list[Micros]] = {}
        for one in finished:
            observed.setdefault(self._topics.raw(one.judged.parameter), []).append(one.judged.utc)
            made.bulks.extend(self._readings(one, overlay.revision, now))
        made.bulks.append(bulk(self._topics.index, 0, self._index_records(batch, observed)))
        rings = self._rings.messages(overlay.deltas())
        made.bulks.append(Bulk(self._topics.state, self._number, rings))
        made.bulks.append(bulk(self._topics.state, self._number, self._state_records(overlay)))
        return made

    def _readings(self, finished: Finished, revision: int, now: int) -> Iterator[Bulk]:
        judged, parameter = finished.judged, finished.judged.parameter
        values = self._clean[parameter](judged, finished.flags, revision, now, finished.worth)
        yield Bulk(self._topics.clean(parameter), self._number, Keyed(judged.keys, values))
        newest = np.flatnonzero(finished.newest)
        if len(newest):
            latest = self._newest(judged, values.take(newest), newest)
            yield Bulk(self._topics.latest(parameter), self._number, latest)

    def _newest(self, judged: Judged, values: Strings, rows: Integers) -> Keyed:
        """Give readings once more, under the sensor and the other topic's schema."""
        header = packed([self._latest[judged.parameter]]).take(np.zeros(len(rows), np.int64))
        bodies = replace(
            values, starts=values.starts + HEADER.size, lengths=values.lengths - HEADER.size
        )
        return Keyed(judged.origins.keys.take(judged.origin[rows]), side_by_side([header, bodies]))

    def _dead_letter(self, dead: DeadLetter) -> Single:
        raw = dead.raw
        told = headers(
            raw.topic, raw.partition, raw.offset, dead.stage, dead.error, connector="aos-stream"
        )
        return Single(self._topics.clean_dead_letters, raw.key, raw.value, [*told])

    def _index_records(
        self, batch: Batch, observed: Mapping[str, list[Micros]]
    ) -> Iterator[tuple[bytes, bytes]]:
        for topic, records in batch.records.items():
            times = observed.get(topic)
            first, last = int(records.offsets[0]), int(records.offsets[-1])
            record = {
                "topic": topic,
                "partition": batch.partition,
                "first_offset": first,
                "last_offset": last,
                "least_observed_at": min(int(t.min()) for t in times) if times else None,
                "greatest_observed_at": max(int(t.max()) for t in times) if times else None,
                "readings": len(records),
            }
            yield f"{topic}:{batch.partition}:{first}".encode(), self._index(record)

    def _state_records(self, overlay: Overlay) -> Iterator[tuple[bytes, bytes]]:
        for key, schema, record in overlay.changes():
            yield key.encode(), self._state[schema](record)


def _clean_id(registry: SchemaIds, topic: str, parameter: str) -> int:
    return registry.id_of(subject_of(topic), clean_schema(parameter))


def _encoder(registry: SchemaIds, subject: str, name: str) -> Encoder:
    return Encoder(name, registry.id_of(subject, name))
