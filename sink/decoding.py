"""Clean messages to lines: all at once where they are written with our schema, else one by one.

What another version of the schema wrote is read row by row and written anew with ours, so that
what follows knows one form only. What cannot be read at all, or would not fit the table, is
rejected with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema, without_logical_types
from schemas.codec import Decoder, Encoder
from schemas.columnar import Mask, Strings, packed
from schemas.columnar_decoding import schema_ids
from schemas.dead_letters import Stage
from sink.batch import Message
from sink.columns import Table
from sink.destination import Reject
from sink.lines import Layout, Lines
from sink.validation import faults

SchemaOf = Callable[[int], Schema]

_PADDING: Final = bytes(16)
_UNKNOWN: Final = "the record cannot be laid out as a line of its table"


class LineDecoder:
    """Makes lines of the messages of one clean topic."""

    def __init__(self, schema: str, schema_of: SchemaOf, table: Table) -> None:
        self._schema_of = schema_of
        self._table = table
        self._ours = _shape(avsc.load(schema))
        self._layout = Layout.of(schema, table)
        self._decode = Decoder(schema, schema_of)
        self._encode = Encoder(schema, schema_id=0)
        self._known: dict[int, bool] = {-1: False}
        self.lines(packed([]))  # compiled or found now, not when the first batch is waited for

    def lines(self, values: Strings) -> Lines:
        """Look at records of our schema."""
        return Lines.of(self._layout, values)

    def __call__(
        self, messages: Sequence[Message]
    ) -> tuple[Sequence[Message], Lines, list[Reject]]:
        """Give the messages that could be read, their lines, and the others.

        Raises:
            Transient: the registry does not answer.
        """
        values = _side_by_side([message.value() for message in messages])
        ours = np.flatnonzero(self._are_ours(values))
        lines = self.lines(values.take(ours))
        if len(ours) == len(messages) and lines.good.all():
            return messages, lines, []
        sound = np.zeros(len(messages), np.bool_)
        sound[ours] = lines.good
        return self._one_by_one(messages, sound.tolist())

    def _one_by_one(
        self, messages: Sequence[Message], sound: Sequence[bool]
    ) -> tuple[list[Message], Lines, list[Reject]]:
        read: list[Message] = []
        values: list[bytes] = []
        rejects: list[Reject] = []
        for message, is_sound in zip(messages, sound, strict=True):
            value = message.value()
            try:
                values.append(value if value and is_sound else self._anew(value))
            except DataQuality as error:
                rejects.append(Reject(message, Stage.DECODING, error))
            else:
                read.append(message)
        lines = self.lines(_side_by_side(values))
        if lines.good.all():
            return read, lines, rejects
        return self._fitting(read, lines, rejects)

    def _fitting(
        self, read: Sequence[Message], lines: Lines, rejects: list[Reject]
    ) -> tuple[list[Message], Lines, list[Reject]]:
        """Leave out what has no line, and say why."""
        unfit = np.flatnonzero(~lines.good)
        why = faults(self._table, lines.columns_of(unfit))
        for place, row in enumerate(unfit.tolist()):
            error = why.get(place) or DataQuality(_UNKNOWN, reason="does_not_fit_column")
            rejects.append(Reject(read[row], Stage.LOADING, error))
        fit = np.flatnonzero(lines.good)
        return [read[row] for row in fit.tolist()], lines.take(fit), rejects

    def _anew(self, value: bytes | None) -> bytes:
        return self._encode(self._decode(value))

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


def _side_by_side(values: Sequence[bytes | None]) -> Strings:
    """Put them into one buffer, behind which a few bytes more may be read."""
    return packed([*values, _PADDING]).take(slice(-1))


def _shape(schema: Schema) -> list[tuple[str, object]]:
    """Give what decides how a record's bytes are laid out."""
    plain = without_logical_types(schema)
    return [(field["name"], field["type"]) for field in plain.get("fields", [])]
