"""From the bytes of raw records to columns; what cannot be decoded becomes a dead letter.

Records are decoded together by the schema that wrote them. What does not fit, one message or a
whole schema, goes through the row-by-row decoder, which either says why or gives a record that is
then written down anew in today's schema; so there is one way from here on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema, without_logical_types
from schemas.codec import Decoder, Encoder, SchemaIds
from schemas.columnar import Column, Integers, Mask, Numbers, Strings, packed
from schemas.columnar_decoding import ColumnarDecoder, schema_ids
from schemas.columnar_encoding import constant
from schemas.dead_letters import Stage
from schemas.registry import subject_of
from schemas.topics import PARAMETERS, Topics, raw_schema
from stream_app.judging.heads import FIRST_OBSERVED, Alike, Head, Heads, head_schema
from stream_app.judging.kept import Kept
from stream_app.transport.batch import Batch, Raw, Records

_KINDS: Final = ("int", "long", "double", "string")
MOST_BYTES: Final = 16 << 10
"""A reading is some hundred bytes. What is longer than this may become a clean reading, or a record
of the state, that no topic takes; and then the batch could never be committed."""


class DeadLetter(NamedTuple):
    """A raw record that cannot be used, and why."""

    raw: Raw
    error: DataQuality
    stage: Stage = Stage.CLEANING


@dataclass(frozen=True, slots=True)
class Decoded:
    """Readings of one parameter that one schema wrote; all columns are as long as ``records``.

    ``heads`` are all that are known and ``alike`` what they share, ``head`` is the number of each
    reading's; ``kept`` is what held for those of the batch before.
    """

    parameter: str
    records: Records
    heads: Sequence[Head]
    alike: Alike
    head: Integers
    columns: Mapping[str, Column]
    kept: Kept

    @property
    def shared(self) -> Integers:
        """The number of what each reading's head shares with others."""
        return self.alike.number[self.head]

    def take(self, rows: Integers) -> Decoded:
        """Pick readings, in the order given."""
        return replace(
            self,
            records=self.records.take(rows),
            head=self.head[rows],
            columns={name: column.take(rows) for name, column in self.columns.items()},
        )


class RawDecoder:
    """Decodes the raw records of one partition number; what it learns of heads is its own."""

    def __init__(self, topics: Topics, registry: SchemaIds) -> None:
        self._parameter_of = {topics.raw(parameter): parameter for parameter in PARAMETERS}
        self._registry = registry
        self._writers: dict[tuple[str, int], _Writer | None] = {}
        self._rows = {
            topic: Decoder(raw_schema(parameter), registry.schema_of)
            for topic, parameter in self._parameter_of.items()
        }

    def decoded(self, batch: Batch, dead: list[DeadLetter]) -> list[Decoded]:
        """Give the readings of a batch, and add to ``dead`` what is not to be read.

        Raises:
            Transient: the registry does not answer; nothing is known of any record.
        """
        found = []
        for records in batch.records.values():
            ids = schema_ids(records.values)
            for schema_id in several(ids):
                rows = np.flatnonzero(ids == schema_id)
                of_schema = records if len(rows) == len(ids) else records.take(rows)
                found += self._of_schema(of_schema, schema_id, dead)
        return [part for part in found if len(part.records)]

    def _of_schema(self, records: Records, schema_id: int, dead: list[DeadLetter]) -> list[Decoded]:
        writer = self._writer(records.topic, schema_id)
        if writer is None:
            return [self._rewritten(records, dead)]
        parameter = self._parameter_of[records.topic]
        part, good = writer.decoded(parameter, records)
        if good.all():
            return [part]
        odd = self._rewritten(records.take(np.flatnonzero(~good)), dead)
        return [part.take(np.flatnonzero(good)), odd]

    def _rewritten(self, records: Records, dead: list[DeadLetter]) -> Decoded:
        """Decode row by row, and go on with those that can be read in today's schema."""
        topic = records.topic
        parameter = self._parameter_of[topic]
        name = raw_schema(parameter)
        own = self._registry.id_of(subject_of(topic), name)
        decode, encode = self._rows[topic], Encoder(name, own)
        kept, values = [], []
        for row in range(len(records)):
            try:
                values.append(encode(decode(_short(records.values.one(row)))))
                kept.append(row)
            except DataQuality as error:
                dead.append(DeadLetter(records.raw(row), error, Stage.DECODING))
        rewritten = replace(records.take(np.array(kept, np.int64)), values=packed(values))
        writer = self._writer(topic, own)
        if writer is None:
            raise TypeError(name)
        part, _ = writer.decoded(parameter, rewritten)
        # Dead letters carry the bytes that came.
        return replace(part, records=records.take(np.array(kept, np.int64)))

    def _writer(self, topic: str, schema_id: int) -> _Writer | None:
        if schema_id < 0:
            return None
        if (topic, schema_id) not in self._writers:
            self._writers[topic, schema_id] = self._looked_up(topic, schema_id)
        return self._writers[topic, schema_id]

    def _looked_up(self, topic: str, schema_id: int) -> _Writer | None:
        ours = avsc.load(raw_schema(self._parameter_of[topic]))
        try:
            theirs = self._registry.schema_of(schema_id)
        except DataQuality:
            return None  # the row-by-row decoder says so, for each record that names it
        return _Writer(theirs, ours) if _fits(theirs, ours) else None


class _Writer:
    """A schema that wrote raw records of one topic."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._heads, self._kept = Heads(writer, reader), Kept()
        self._decode = ColumnarDecoder(writer, FIRST_OBSERVED)
        there = _kinds(writer)
        self._missing = [
            (kind, name, field["default"])
            for field, (name, kind) in zip(reader["fields"], _kinds(reader).items(), strict=True)
            if name not in there and name not in _head(reader)
        ]

    def decoded(self, parameter: str, records: Records) -> tuple[Decoded, Mask]:
        """Decode framed records: columns, and which of them are good."""
        messages = records.values
        head = self._heads.numbers(messages)
        # Of a message whose head is not known the last is taken, 0: it is inside any.
        columns, good = self._decode(messages, self._heads.ends[head])
        for kind, name, default in self._missing:
            columns[name] = _same(kind, default, len(head))
        good &= (head >= 0) & (records.values.lengths <= MOST_BYTES)
        good &= _texts_are_sound(columns, len(head))
        heads, alike = self._heads.all, self._heads.alike
        return Decoded(parameter, records, heads, alike, head, columns, self._kept), good


def several(numbers: Integers) -> list[int]:
    """Give each of the numbers there are, rising; most often that is one.

    >>> several(np.array([7, 7])), several(np.array([7, 3, 7]))
    ([7], [3, 7])
    """
    if len(numbers) and (numbers == numbers[0]).all():
        return [int(numbers[0])]
    found: list[int] = np.unique(numbers).tolist()
    return found


def _short(value: bytes | None) -> bytes | None:
    if value is not None and len(value) > MOST_BYTES:
        problem = f"the reading has {len(value)} bytes; more than {MOST_BYTES} are none"
        raise DataQuality(problem, reason="too_large", mend="see which column is that long")
    return value


Kind = tuple[bool, str] | None
"""Whether null is allowed, and the type; None is what columns cannot hold."""


def _fits(writer: Schema, reader: Schema) -> bool:
    """Say whether records of one schema can be decoded as columns of the other."""
    theirs, ours = _kinds(writer), _kinds(reader)
    if writer.get("name") != reader["name"] or FIRST_OBSERVED not in theirs:
        return False
    if None in theirs.values() or _head(writer) & ours.keys() != _head(reader) & theirs.keys():
        return False
    return all(
        theirs[field["name"]] == ours[field["name"]]
        if field["name"] in theirs
        else "default" in field
        for field in reader["fields"]
    )


def _head(schema: Schema) -> set[str]:
    return {field["name"] for field in head_schema(schema)["fields"]}


def _kinds(schema: Schema) -> dict[str, Kind]:
    return {f["name"]: _kind(f["type"]) for f in without_logical_types(schema)["fields"]}


def _kind(kind: object) -> Kind:
    nullable = isinstance(kind, list)
    if isinstance(kind, list):
        if kind[0] != "null" or len(kind[1:]) != 1:
            return None
        kind = kind[1]
    plain = kind["type"] if isinstance(kind, dict) else kind
    return (nullable, plain) if plain in _KINDS else None


def _same(kind: Kind, value: Any, count: int) -> Column:
    if value is None and kind != (True, "string"):
        return Numbers(np.full(count, np.nan), np.zeros(count, np.bool_))
    return constant(value, count)


def _texts_are_sound(columns: Mapping[str, Column], count: int) -> Mask:
    """Say in which rows every string is UTF-8."""
    sound = np.ones(count, np.bool_)
    for column in columns.values():
        if isinstance(column, Strings) and not column.is_ascii():
            sound &= np.fromiter(map(_is_utf8, column.bytes()), np.bool_, count)
    return sound


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
