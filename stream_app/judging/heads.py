"""The heads of raw readings: what is constant for a sensor stands first, and is decoded once.

A raw message is a frame, a head (station, sensor, zone, source, table, mapping, operation, units)
and what was observed. A batch has thousands of readings and few heads, which come again in every
batch. So each is decoded once and then known by its bytes: a message that begins with the bytes of
a known head has that head, since Avro is read from the left and knows no other reading of them.
"""

from __future__ import annotations

import io
import sys
from typing import Final, NamedTuple

import fastavro
import numpy as np

from schemas.avsc import Schema, without_logical_types
from schemas.codec import Record
from schemas.columnar import Integers, Strings
from stream_app.judging.head_kernels import BEGIN
from stream_app.judging.known_heads import KnownHeads, grown

FIRST_OBSERVED: Final = "observed_local"
"""The first field behind the head, in both raw schemas."""
_MOST_HEADS: Final = 1_000_000
_UNREADABLE: Final = (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError)
_DELETE: Final = "delete"
_SENSOR, _STATION = "sensor_id", "station_id"
_UNITS: Final = ("unit", "speed_unit", "direction_unit", "gust_unit")
_TABLE: Final = ("source", "mapping_version", "source_table", "zone", *_UNITS)


class Head:
    """What a reading says of its sensor and its source, as in the raw schema's first fields.

    There are as many as sensors, so each holds what is its own, and the rest is held once.

    Attributes:
        sensor: the measuring position.
        station: where it stands.
        deletes: whether the source took the reading back.
        clean: the head of a clean reading that was last made of this one, and for which placement
            and ruleset; see :mod:`.encoding`.
    """

    __slots__ = (
        "_shared", "clean", "clean_placement", "clean_ruleset", "deletes", "sensor", "station",
    )  # fmt: skip

    def __init__(self, sensor: str, station: str, shared: _Shared) -> None:
        # Interned, as wherever a name is held: it stands in half a dozen tables.
        self.sensor, self.station = sys.intern(sensor), sys.intern(station)
        self.deletes = shared.deletes
        self.clean_placement: object = None
        self.clean_ruleset, self.clean = "", b""
        self._shared = shared

    @property
    def alike(self) -> int:
        """The number of what it shares with others."""
        return self._shared.number

    @property
    def source(self) -> str:
        """The name of its source."""
        return str(self._shared.record["source"])

    @property
    def record(self) -> Record:
        """The fields."""
        return {**self._shared.record, _SENSOR: self.sensor, _STATION: self.station}


class _Shared:
    """What many heads say alike, and the number of that."""

    def __init__(self, record: Record, number: int) -> None:
        self.record = record
        self.number = number
        self.rank: int = record["source_rank"]
        self.deletes: bool = record["op"] == _DELETE
        self.table = tuple(record[name] for name in _TABLE if name in record)


class Alike(NamedTuple):
    """What heads share, by the ``number`` of what each shares; that by the head's own number.

    ``ranks`` are those of sources; ``tables`` number what decides how a reading is to be read.
    """

    number: Integers
    ranks: Integers
    tables: Integers


class Heads:
    """Every head that one writer's schema has brought to one topic partition.

    Attributes:
        all: the heads, by their numbers.
        ends: (more than ``len(all)``,) where in a framed message each is over; 0 behind all.
        alike: what they share.
    """

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._head_schema = head_schema(writer)
        self._writer, self._reader = (
            fastavro.parse_schema(head_schema(schema)) for schema in (writer, reader)
        )
        self._forget()

    def _forget(self) -> None:
        self.all: list[Head] = []
        self.ends, nothing = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self.alike = Alike(nothing, nothing, nothing)
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._known = KnownHeads(self._head_schema)

    def numbers(self, messages: Strings) -> Integers:
        """Give the number in :attr:`all` of each message's head, -1 where it cannot be read."""
        if len(self.all) > _MOST_HEADS:
            self._forget()
        found = self._known.numbers(messages)
        unknown, odd = np.flatnonzero(found < -1), np.flatnonzero(found == -1)
        if len(unknown):
            found[unknown] = self._learn(messages.take(unknown), -1 - found[unknown])
        if len(odd):
            found[odd] = [self._read(messages.one(row) or b"") for row in odd.tolist()]
        return found

    def _learn(self, messages: Strings, lengths: Integers) -> Integers:
        """Number messages whose heads, of these lengths, are not known; read each head once."""
        heads = Strings(messages.data, messages.starts + BEGIN, lengths)
        numbers, firsts = heads.numbered()
        each = [self._read(messages.one(row) or b"") for row in firsts.tolist()]
        return np.array(each, np.int64)[numbers]

    def _read(self, message: bytes) -> int:
        body = io.BytesIO(message[BEGIN:])
        try:
            record = fastavro.schemaless_reader(body, self._writer, self._reader)
        except _UNREADABLE:
            return -1
        end = BEGIN + body.tell()
        head = message[BEGIN:end]
        number = self._known.number(head)
        return self._learnt(head, record) if number < 0 else number  # type: ignore[arg-type]  # it is a record

    def _learnt(self, head: bytes, record: Record) -> int:
        number = self._known.learn(head)
        self.all.append(self._made(record))
        self.ends = grown(self.ends, number + 2)
        self.ends[number] = BEGIN + len(head)
        self.alike = self.alike._replace(number=grown(self.alike.number, number + 2))
        self.alike.number[number] = self.all[number].alike
        return number

    def _made(self, record: Record) -> Head:
        sensor, station = record.pop(_SENSOR), record.pop(_STATION)
        alike = tuple(record.values())
        if alike not in self._shared:
            self._shared[alike] = _Shared(record, len(self._shared))
            self._note_alike()
        return Head(sensor, station, self._shared[alike])

    def _note_alike(self) -> None:
        shared, tables = self._shared.values(), dict[object, int]()
        self.alike = Alike(
            self.alike.number,
            np.array([one.rank for one in shared], np.int64),
            np.array([tables.setdefault(one.table, len(tables)) for one in shared], np.int64),
        )


def head_schema(schema: Schema, first_behind: str = FIRST_OBSERVED) -> Schema:
    """Give the schema of a record's head alone.

    >>> from schemas.avsc import load
    >>> [f["name"] for f in head_schema(load("raw_reading"))["fields"]][-2:]
    ['op', 'unit']
    """
    plain: Schema = without_logical_types(schema)
    names = [f["name"] for f in plain["fields"]]
    return {**plain, "fields": plain["fields"][: names.index(first_behind)]}
