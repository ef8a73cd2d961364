"""The records that a batch leaves behind: clean readings, dead letters, its index and its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np

from schemas.codec import Encoder, SchemaIds
from schemas.dead_letters import headers
from schemas.registry import subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema
from stream_app.judging.decoding import DeadLetter
from stream_app.judging.encoding import CleanEncoder
from stream_app.judging.judged import Judged
from stream_app.outputs.delivery import Bulk, Outputs, Single, bulk
from stream_app.transport.batch import Batch
from stream_app.window.state import Overlay
from weather.arrays import Micros

STATE_SCHEMAS: Final = ("partition_state", "sensor_folds")


class Recorder:
    """Encodes what batches of one partition number leave behind, under the registry's ids."""

    def __init__(self, number: int, topics: Topics, registry: SchemaIds, ruleset: str) -> None:
        self._number = number
        self._topics = topics
        self._clean = {
            parameter: CleanEncoder(
                parameter,
                registry.id_of(subject_of(topics.clean(parameter)), clean_schema(parameter)),
                topics.raw(parameter),
                number,
                ruleset,
            )
            for parameter in PARAMETERS
        }
        self._index = _encoder(registry, subject_of(topics.index), "raw_index")
        self._state = {
            # Two kinds of record share the topic, so each has a subject of its own.
            name: _encoder(registry, f"{topics.state}-{name}", name)
            for name in STATE_SCHEMAS
        }

    def outputs(
        self,
        batch: Batch,
        judged: Mapping[str, Judged],
        dead: Iterable[DeadLetter],
        overlay: Overlay,
        now: int,
    ) -> Outputs:
        """Give every record of the batch's transaction."""
        bulks = [self._readings(one, overlay.revision, now) for one in judged.values()]
        times = {self._topics.raw(parameter): one.utc for parameter, one in judged.items()}
        index = self._index_records(batch, times)
        return Outputs(
            bulks=[
                *bulks,
                bulk(self._topics.index, 0, index),
                bulk(self._topics.state, self._number, self._state_records(overlay)),
            ],
            singles=[self._dead_letter(one) for one in dead],
        )

    def _readings(self, judged: Judged, revision: int, now: int) -> Bulk:
        values = self._clean[judged.parameter](judged, {}, judged.flag, revision, now)
        topic = self._topics.clean(judged.parameter)
        return bulk(topic, self._number, zip(judged.keys, values, strict=True))

    def _dead_letter(self, dead: DeadLetter) -> Single:
        raw = dead.raw
        told = headers(
            raw.topic, raw.partition, raw.offset, dead.stage, dead.error, connector="aos-stream"
        )
        return Single(self._topics.clean_dead_letters, raw.key, raw.value, [*told])

    def _index_records(
        self, batch: Batch, times: Mapping[str, Micros]
    ) -> Iterator[tuple[bytes, bytes]]:
        for topic, records in batch.records.items():
            observed = times.get(topic, np.empty(0, np.int64))
            first, last = int(records.offsets[0]), int(records.offsets[-1])
            record = {
                "topic": topic,
                "partition": batch.partition,
                "first_offset": first,
                "last_offset": last,
                "least_observed_at": int(observed.min()) if len(observed) else None,
                "greatest_observed_at": int(observed.max()) if len(observed) else None,
                "readings": len(records),
            }
            yield f"{topic}:{batch.partition}:{first}".encode(), self._index(record)

    def _state_records(self, overlay: Overlay) -> Iterator[tuple[bytes, bytes]]:
        for key, schema, record in overlay.changes():
            yield key.encode(), self._state[schema](record)


def _encoder(registry: SchemaIds, subject: str, name: str) -> Encoder:
    return Encoder(name, registry.id_of(subject, name))
