"""The heads of raw readings: what is constant for a sensor stands first, and is decoded once.

A raw message is a frame, a head (station, sensor, zone, source, table, mapping, operation, units)
and what was observed. A batch has thousands of readings and few heads, which come again in every
batch. So each is decoded once and then known by its bytes: a message that begins with the bytes of
a known head has that head, since Avro is read from the left and knows no other reading of them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import fastavro
import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, without_logical_types
from schemas.codec import Record
from schemas.framing import HEADER

Integers = NDArray[np.int64]

FIRST_OBSERVED: Final = "observed_local"
"""The first field behind the head, in both raw schemas."""
_BEGIN: Final = HEADER.size
_MOST_HEADS: Final = 1_000_000
_UNREADABLE: Final = (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError)
_DELETE: Final = "delete"
_UNITS: Final = ("unit", "speed_unit", "direction_unit", "gust_unit")
_TABLE: Final = ("source", "mapping_version", "source_table", "zone", *_UNITS)


class Head:
    """What a reading says of its sensor and its source, as in the raw schema's first fields.

    Attributes:
        key: the message key that it came with.
        record: the fields.
        end: where in a framed message the head is over.
        sensor: the measuring position.
        deletes: whether the source took the reading back.
        table: what decides how a reading is to be read: those that share it are read together.
        encoded: heads of clean readings made of this one; see :mod:`.encoding`.
    """

    __slots__ = ("deletes", "encoded", "end", "key", "record", "sensor", "table")

    def __init__(self, key: bytes | None, record: Record, end: int) -> None:
        self.key, self.record, self.end = key, record, end
        self.sensor: str = record["sensor_id"]
        self.deletes: bool = record["op"] == _DELETE
        self.table = tuple(record[name] for name in _TABLE if name in record)
        self.encoded: dict[int, tuple[object, bytes]] = {}


class _OfKey:
    """The heads that came with one message key: their numbers by their bytes.

    ``ends`` are all places where one of them ended, ``end`` is where the last one did.
    """

    __slots__ = ("end", "ends", "numbers")

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.ends: set[int] = set()
        self.end = 0


class Heads:
    """Every head that one writer's schema has brought to one topic partition."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer, self._reader = (
            fastavro.parse_schema(head_schema(schema)) for schema in (writer, reader)
        )
        self.all: list[Head] = []
        self._of_key: dict[bytes | None, _OfKey] = {}

    def numbers(self, messages: Sequence[bytes], keys: Sequence[bytes | None]) -> Integers:
        """Give the number in :attr:`all` of each message's head, -1 where it cannot be read."""
        if len(self.all) > _MOST_HEADS:
            self.all, self._of_key = [], {}
        unknown = _OfKey()
        of_key = [self._of_key.get(key, unknown) for key in keys]
        found = [
            known.numbers.get(message[_BEGIN : known.end], -1)
            for message, known in zip(messages, of_key, strict=True)
        ]
        numbers = np.array(found, np.int64)
        for row in np.flatnonzero(numbers < 0).tolist():
            numbers[row] = self._sought(messages[row], keys[row])
        return numbers

    def _sought(self, message: bytes, key: bytes | None) -> int:
        """Look for a head of another length than that which its key had last, then learn it."""
        known = self._of_key.setdefault(key, _OfKey())
        for end in known.ends:
            number = known.numbers.get(message[_BEGIN:end])
            if number is not None:
                known.end = end
                return number
        return self._learnt(message, key, known)

    def _learnt(self, message: bytes, key: bytes | None, known: _OfKey) -> int:
        body = io.BytesIO(message[_BEGIN:])
        try:
            record = fastavro.schemaless_reader(body, self._writer, self._reader)
        except _UNREADABLE:
            return -1
        known.end = end = _BEGIN + body.tell()
        known.ends.add(end)
        number = known.numbers[message[_BEGIN:end]] = len(self.all)
        self.all.append(Head(key, record, end))  # type: ignore[arg-type]  # it is a record
        return number


def head_schema(schema: Schema, first_behind: str = FIRST_OBSERVED) -> Schema:
    """Give the schema of a record's head alone.

    >>> from schemas.avsc import load
    >>> [f["name"] for f in head_schema(load("raw_reading"))["fields"]][-2:]
    ['op', 'unit']
    """
    plain: Schema = without_logical_types(schema)
    names = [f["name"] for f in plain["fields"]]
    return {**plain, "fields": plain["fields"][: names.index(first_behind)]}
