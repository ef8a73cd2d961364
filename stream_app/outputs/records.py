"""The records that a batch leaves behind: clean readings, dead letters, its index and its state."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.codec import Encoder
from schemas.dead_letters import headers
from schemas.registry import Registry, subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema
from stream_app.judging.judge import Clean, DeadLetter, Verdicts
from stream_app.outputs.transaction import Output
from stream_app.transport.batch import Batch
from stream_app.window.state import Overlay

STATE_SCHEMAS = ("partition_state", "sensor_folds")


class Outputs:
    """Encodes what a batch leaves behind, under the ids that the registry gave."""

    def __init__(self, topics: Topics, registry: Registry) -> None:
        self._topics = topics
        self._clean = {
            parameter: _encoder(
                registry, subject_of(topics.clean(parameter)), clean_schema(parameter)
            )
            for parameter in PARAMETERS
        }
        self._index = _encoder(registry, subject_of(topics.index), "raw_index")
        self._state = {
            # Two kinds of record share the topic, so each has a subject of its own.
            name: _encoder(registry, f"{topics.state}-{name}", name)
            for name in STATE_SCHEMAS
        }

    def of(self, batch: Batch, verdicts: Verdicts, overlay: Overlay) -> Iterator[Output]:
        """Give every record of the batch's transaction."""
        yield from map(self._clean_output, verdicts.clean)
        yield from map(self._dead_output, verdicts.dead)
        yield from self._index_outputs(batch, verdicts)
        for key, schema, record in overlay.changes():
            value = self._state[schema](record)
            yield Output(self._topics.state, batch.partition, key.encode(), value)

    def _clean_output(self, clean: Clean) -> Output:
        value = self._clean[clean.parameter](clean.record)
        return Output(
            self._topics.clean(clean.parameter), clean.raw.partition, clean.raw.key, value
        )

    def _dead_output(self, dead: DeadLetter) -> Output:
        raw = dead.raw
        told = headers(
            raw.topic, raw.partition, raw.offset, dead.stage, dead.error, connector="aos-stream"
        )
        return Output(self._topics.clean_dead_letters, -1, raw.key, raw.value, [*told])

    def _index_outputs(self, batch: Batch, verdicts: Verdicts) -> Iterator[Output]:
        observed: dict[str, list[int]] = {}
        for clean in verdicts.clean:
            observed.setdefault(clean.raw.topic, []).append(clean.record["observed_at"])
        for topic, records in batch.records.items():
            times = observed.get(topic)
            record = {
                "topic": topic,
                "partition": batch.partition,
                "first_offset": records[0].offset,
                "last_offset": records[-1].offset,
                "least_observed_at": min(times) if times else None,
                "greatest_observed_at": max(times) if times else None,
                "readings": len(records),
            }
            key = f"{topic}:{batch.partition}:{records[0].offset}".encode()
            yield Output(self._topics.index, 0, key, self._index(record))


def _encoder(registry: Registry, subject: str, name: str) -> Encoder:
    return Encoder(name, registry.id_of(subject, name))
