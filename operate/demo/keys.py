"""Which reading each record is: the few fields that say so, read from many records at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from runtime.errors import DataQuality
from schemas.avsc import Schema
from schemas.columnar import Column, Strings
from schemas.columnar_decoding import ColumnarDecoder, schema_ids

ROW: Final = ("source_table", "source_key", "sensor_id")
READING: Final = ("sensor_id", "observed_at")

Key = tuple[Any, ...]


class Keys:
    """Reads the same fields of records of any version; ``schema_of`` gives the schema of an id."""

    def __init__(self, fields: Sequence[str], schema_of: Callable[[int], Schema]) -> None:
        self._fields = tuple(fields)
        self._schema_of = schema_of
        self._decoders: dict[int, ColumnarDecoder | None] = {}

    def __call__(self, messages: Sequence[bytes | None]) -> list[Key | None]:
        """Give the fields of each message, None for one that cannot be read.

        Raises:
            Transient: the registry does not answer.
        """
        found: list[Key | None] = [None] * len(messages)
        ids = schema_ids(messages)
        for schema_id in np.unique(ids).tolist():
            places = np.flatnonzero(ids == schema_id).tolist()
            keys = self._read(schema_id, [messages[place] or b"" for place in places])
            for place, key in zip(places, keys, strict=bool(keys)):
                found[place] = key
        return found

    def _read(self, schema_id: int, messages: list[bytes]) -> list[Key | None]:
        decode = self._decoder(schema_id)
        if decode is None:
            return []
        try:
            columns, good = decode(messages)
            values = [_values(columns[name]) for name in self._fields]
        except KeyError:  # a record of another kind
            return []
        keys = zip(*values, strict=True)
        return [key if fine else None for key, fine in zip(keys, good.tolist(), strict=True)]

    def _decoder(self, schema_id: int) -> ColumnarDecoder | None:
        if schema_id not in self._decoders:
            self._decoders[schema_id] = self._made(schema_id)
        return self._decoders[schema_id]

    def _made(self, schema_id: int) -> ColumnarDecoder | None:
        try:
            return None if schema_id < 0 else ColumnarDecoder(self._schema_of(schema_id))
        except DataQuality:
            return None  # no schema has this id


def _values(column: Column) -> list[Any]:
    if isinstance(column, Strings):
        return [text.decode("utf-8", "replace") for text in column.bytes()]
    numbers: list[Any] = column.values.tolist()
    return numbers
