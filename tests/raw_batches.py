"""Batches of raw records without a broker, and what the stream's columns make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema
from schemas.codec import Decoder, Encoder, Record
from schemas.columnar import packed
from schemas.registry import subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema, raw_schema
from stream_app.judging.decoding import DeadLetter, RawDecoder
from stream_app.judging.encoding import CleanEncoder
from stream_app.judging.judge import Folds, Judge
from stream_app.judging.judged import Judged
from stream_app.transport.batch import Batch, Records

TOPICS = Topics()


class Schemas:
    """A registry in memory: ids in the order of asking."""

    def __init__(self) -> None:
        self._schemas: list[Schema] = []

    def id_of(self, subject: str, name: str) -> int:
        """Give the id of a schema of ours; a subject does not matter."""
        del subject
        return self.keep(avsc.load(name))

    def keep(self, schema: Schema) -> int:
        """Give the id of any schema."""
        if schema not in self._schemas:
            self._schemas.append(schema)
        return self._schemas.index(schema) + 1

    def schema_of(self, schema_id: int) -> Schema:
        """Give the schema that has this id."""
        if not 0 < schema_id <= len(self._schemas):
            problem = f"the registry knows no schema {schema_id}"
            raise DataQuality(problem, reason="unknown_schema")
        return self._schemas[schema_id - 1]


class Step(NamedTuple):
    """What became of a batch: clean readings by parameter, in the order of offsets; the dead."""

    judged: dict[str, Judged]
    clean: dict[str, list[Record]]
    dead: list[DeadLetter]


def records(
    parameter: str,
    values: Sequence[bytes | None],
    keys: Sequence[bytes | None] | None = None,
    first: int = 0,
) -> Records:
    """Make records of a raw topic, with every second offset."""
    count = len(values)
    offsets = first + 2 * np.arange(count)
    kept = [b"JFK"] * count if keys is None else keys
    published = np.zeros(count, np.int64)
    return Records(TOPICS.raw(parameter), 0, offsets, published, packed(kept), packed(values))


def encoded(schemas: Schemas, parameter: str, readings: Sequence[Record]) -> list[bytes]:
    """Encode raw readings as the source does."""
    name = raw_schema(parameter)
    encode = Encoder(name, schemas.id_of("", name))
    return [encode(reading) for reading in readings]


class Columns:
    """The stream's step by columns: decoding, judging, encoding."""

    def __init__(self, schemas: Schemas, judge: Judge) -> None:
        self._judge = judge
        self._decoder = RawDecoder(TOPICS, schemas)
        self._decoders = {p: Decoder(clean_schema(p), schemas.schema_of) for p in PARAMETERS}
        self._encoders = {
            p: CleanEncoder(
                p,
                schemas.id_of(subject_of(TOPICS.clean(p)), clean_schema(p)),
                TOPICS.raw(p),
                0,
            )
            for p in PARAMETERS
        }

    def step(
        self, raw: Mapping[str, Records], folds: Folds, revision: int = 1, now: int = 0
    ) -> Step:
        """Take records by parameter through the step."""
        dead: list[DeadLetter] = []
        batch = Batch(0, {one.topic: one for one in raw.values() if len(one)})
        judged = self._judge.judged(self._decoder.decoded(batch, dead), folds, dead)
        clean = {
            parameter: [
                self._decoders[parameter](message)
                for message in self._encoders[parameter](one, {}, revision, now).bytes()
            ]
            for parameter, one in judged.items()
        }
        return Step(judged, clean, dead)
