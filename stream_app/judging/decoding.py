"""From the bytes of raw records to rows; what cannot be decoded becomes a dead letter."""

from __future__ import annotations

from runtime.errors import DataQuality
from schemas.codec import Decoder
from schemas.dead_letters import Stage
from schemas.registry import Registry
from schemas.topics import PARAMETERS, Topics, raw_schema
from stream_app.judging.judge import DeadLetter, Row
from stream_app.transport.batch import Batch


class RawDecoder:
    """Decodes every raw topic by its own schema."""

    def __init__(self, topics: Topics, registry: Registry) -> None:
        self._parameter_of = {topics.raw(parameter): parameter for parameter in PARAMETERS}
        self._decoders = {
            topic: Decoder(raw_schema(parameter), registry.schema_of)
            for topic, parameter in self._parameter_of.items()
        }

    @property
    def topics(self) -> tuple[str, ...]:
        """The raw topics."""
        return tuple(self._parameter_of)

    def rows(self, batch: Batch, dead: list[DeadLetter]) -> dict[str, list[Row]]:
        """Give the rows of a batch by parameter, and add to ``dead`` what is not to be read.

        Raises:
            Transient: the registry does not answer; nothing is known of any record.
        """
        return {
            self._parameter_of[topic]: self._decoded(topic, batch, dead) for topic in batch.records
        }

    def _decoded(self, topic: str, batch: Batch, dead: list[DeadLetter]) -> list[Row]:
        decode = self._decoders[topic]
        rows = []
        for raw in batch.records[topic]:
            try:
                rows.append(Row(raw, decode(raw.value)))
            except DataQuality as error:
                dead.append(DeadLetter(raw, error, Stage.DECODING))
        return rows
