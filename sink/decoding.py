"""Clean messages to columns: all at once where they are written with our schema, else one by one.

What another version of the schema wrote is read row by row and written anew with ours, so that what
follows knows one form only. What cannot be read at all is rejected with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema, without_logical_types
from schemas.codec import Decoder, Encoder
from schemas.columnar import Column, Mask, Strings, joined_columns, packed
from schemas.columnar_decoding import ColumnarDecoder, schema_ids
from schemas.dead_letters import Stage
from sink.batch import Message
from sink.destination import Reject

SchemaOf = Callable[[int], Schema]

_TOGETHER: Final = 8192
"""Messages decoded at once: what is made on the way then stays near the processor."""
_PADDING: Final = bytes(16)


class ColumnDecoder:
    """Decodes the messages of one clean topic."""

    def __init__(self, schema: str, schema_of: SchemaOf) -> None:
        self._schema_of = schema_of
        self._ours = _shape(avsc.load(schema))
        self._columns = ColumnarDecoder(avsc.load(schema))
        self._decode = Decoder(schema, schema_of)
        self._encode = Encoder(schema, schema_id=0)
        self._known: dict[int, bool] = {-1: False}

    def __call__(
        self, messages: Sequence[Message]
    ) -> tuple[Sequence[Message], dict[str, Column], list[Reject]]:
        """Give the messages that could be read, their columns, and the others.

        Raises:
            Transient: the registry does not answer.
        """
        values = _side_by_side(message.value() for message in messages)
        ours = np.flatnonzero(self._are_ours(values))
        columns, good = self._decoded(values.take(ours))
        if len(ours) == len(messages) and good.all():
            return messages, columns, []
        return self._one_by_one(messages, set(ours[good].tolist()))

    def _decoded(self, values: Strings) -> tuple[dict[str, Column], Mask]:
        """Decode as many at once as stay near the processor."""
        ends = range(0, max(1, len(values.lengths)), _TOGETHER)
        found = [self._columns(values.take(slice(at, at + _TOGETHER))) for at in ends]
        if len(found) == 1:
            return found[0]
        columns = {name: joined_columns([part[name] for part, _ in found]) for name in found[0][0]}
        return columns, np.concatenate([good for _, good in found])

    def _one_by_one(
        self, messages: Sequence[Message], sound: set[int]
    ) -> tuple[list[Message], dict[str, Column], list[Reject]]:
        kept: list[Message] = []
        values: list[bytes] = []
        rejects: list[Reject] = []
        for i, message in enumerate(messages):
            value = message.value()
            try:
                values.append(value if value and i in sound else self._encode(self._decode(value)))
            except DataQuality as error:
                rejects.append(Reject(message, Stage.DECODING, error))
            else:
                kept.append(message)
        return kept, self._decoded(_side_by_side(values))[0], rejects

    def _are_ours(self, values: Strings) -> Mask:
        ids = schema_ids(values)
        return np.isin(ids, [each for each in np.unique(ids).tolist() if self._knows(each)])

    def _knows(self, schema_id: int) -> bool:
        if schema_id not in self._known:
            try:
                self._known[schema_id] = _shape(self._schema_of(schema_id)) == self._ours
            except DataQuality:
                return False  # the row-by-row decoder says why, and asks again next time
        return self._known[schema_id]


def _side_by_side(values: Iterable[bytes | None]) -> Strings:
    """Put them into one buffer, behind which a few bytes more may be read."""
    return packed([*values, _PADDING]).take(slice(-1))


def _shape(schema: Schema) -> list[tuple[str, object]]:
    """Give what decides how a record's bytes are laid out."""
    plain = without_logical_types(schema)
    return [(field["name"], field["type"]) for field in plain.get("fields", [])]
