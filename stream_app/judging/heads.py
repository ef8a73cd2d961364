"""The heads of raw readings: what is constant for a sensor stands first, and is decoded once.

A raw message is a frame, a head (station, sensor, zone, source, table, mapping, operation, units)
and what was observed. A batch has thousands of readings and few heads, which come again in every
batch. So each is decoded once and then known by its bytes: a message that begins with the bytes of
a known head has that head, since Avro is read from the left and knows no other reading of them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Final

import fastavro
import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, without_logical_types
from schemas.codec import Record
from schemas.columnar import Integers, Strings
from schemas.framing import HEADER

FIRST_OBSERVED: Final = "observed_local"
"""The first field behind the head, in both raw schemas."""
_BEGIN: Final = HEADER.size
_WORD: Final = 8
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ by the golden ratio, odd: its multiples are spread evenly (Knuth's multiplicative hash)."""
_SIDES: Final = ("left", "right")
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
        end: where in a framed message the head is over.
        sensor: the measuring position.
        station: where it stands.
        rank: that of its source.
        deletes: whether the source took the reading back.
        table: what decides how a reading is to be read: those that share it are read together.
        clean: the head of a clean reading that was last made of this one, and for which placement
            and ruleset; see :mod:`.encoding`.
    """

    __slots__ = (
        "_shared", "clean", "clean_placement", "clean_ruleset", "deletes", "end", "rank", "sensor",
        "station", "table",
    )  # fmt: skip

    def __init__(self, sensor: str, station: str, end: int, shared: _Shared) -> None:
        # Interned, as wherever a name is held: it stands in half a dozen tables.
        self.sensor, self.station, self.end = sys.intern(sensor), sys.intern(station), end
        self.rank, self.deletes, self.table = shared.rank, shared.deletes, shared.table
        self.clean_placement: object = None
        self.clean_ruleset, self.clean = "", b""
        self._shared = shared

    @property
    def source(self) -> str:
        """The name of its source."""
        return str(self._shared.record["source"])

    @property
    def record(self) -> Record:
        """The fields."""
        return {**self._shared.record, _SENSOR: self.sensor, _STATION: self.station}


class _Shared:
    """What many heads say alike."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.rank: int = record["source_rank"]
        self.deletes: bool = record["op"] == _DELETE
        self.table = tuple(record[name] for name in _TABLE if name in record)


class _Alike:
    """Known heads of one length, found by a checksum of their bytes and then compared.

    Their bytes are kept once, side by side: there are as many as sensors.

    Attributes:
        end: where in a framed message they are over.
    """

    def __init__(self, end: int) -> None:
        self.end = end
        self._length = end - _BEGIN
        self._fresh: dict[bytes, int] = {}
        self._words = _words_of([], self._length)
        self._sums, self._numbers = _summed(self._words), np.zeros(0, np.int64)

    def learn(self, head: bytes, number: int) -> None:
        """Remember the bytes of a head and its number."""
        self._fresh[head] = number

    def number(self, head: bytes) -> int:
        """Give the number of a head, -1 where it is not known."""
        if head in self._fresh:
            return self._fresh[head]
        words = _words_of([head], self._length)
        first, behind = (int(np.searchsorted(self._sums, _summed(words), s)[0]) for s in _SIDES)
        same = np.flatnonzero((self._words[first:behind] == words).all(axis=1))
        return int(self._numbers[first + same[0]]) if len(same) else -1

    def numbers(self, messages: Strings, rows: Integers) -> Integers:
        """Give the number of each row's head, -1 where it has none of these."""
        if self._fresh:
            self._sort()
        words = _words(messages.data, messages.starts[rows] + _BEGIN, self._length)
        sums = _summed(words)
        place = np.minimum(np.searchsorted(self._sums, sums), len(self._sums) - 1)
        same = (self._words[place] == words).all(axis=1)
        return np.where(same & (messages.lengths[rows] >= self.end), self._numbers[place], -1)

    def firsts(self, messages: Strings, rows: Integers) -> Integers:
        """Give the places of the first row of each kind, as far as heads of this length tell."""
        words = _words(messages.data, messages.starts[rows] + _BEGIN, self._length)
        _, places = np.unique(_summed(words), return_index=True)
        return np.sort(places)

    def _sort(self) -> None:
        fresh = _words_of(list(self._fresh), self._length)
        words = np.concatenate([self._words, fresh])
        numbers = np.concatenate([self._numbers, np.array([*self._fresh.values()], np.int64)])
        sums = np.concatenate([self._sums, _summed(fresh)])
        order = np.argsort(sums, kind="stable")
        self._sums, self._words, self._numbers = sums[order], words[order], numbers[order]
        self._fresh = {}


class Heads:
    """Every head that one writer's schema has brought to one topic partition."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer, self._reader = (
            fastavro.parse_schema(head_schema(schema)) for schema in (writer, reader)
        )
        self.all: list[Head] = []
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._alike: dict[int, _Alike] = {}
        self._ends: dict[int, list[int]] = {}

    def numbers(self, messages: Strings) -> Integers:
        """Give the number in :attr:`all` of each message's head, -1 where it cannot be read.

        Messages whose first fields are of the same lengths nearly always have heads of one length,
        so it is looked for under the lengths that such messages had before.
        """
        if len(self.all) > _MOST_HEADS:
            self.all, self._shared, self._alike, self._ends = [], {}, {}, {}
        messages = messages.padded()
        found = np.full(len(messages.lengths), -1, np.int64)
        shapes = _shapes(messages)
        for shape in np.unique(shapes).tolist():
            rows = np.flatnonzero(shapes == shape)
            for end in self._ends.get(shape, ()):
                found[rows] = self._alike[end].numbers(messages, rows)
                rows = rows[found[rows] < 0]
                if not len(rows):
                    break
            self._seek(messages, rows, shape, found)
        return found

    def _seek(self, messages: Strings, rows: Integers, shape: int, found: Integers) -> None:
        """Number messages whose heads are not known by this shape, reading each head once.

        What the first of them has, others are likely to have, or one of the same length: so its
        length parts them, and of those that look alike up to there one is read. Each round reads
        at least the first row, and nearly always one is enough.
        """
        while len(rows):
            found[rows[0]] = number = self._sought(messages.one(int(rows[0])) or b"", shape)
            rows = rows[1:]
            if number < 0 or not len(rows):
                continue
            alike = self._alike[self.all[number].end]
            firsts = rows[alike.firsts(messages, rows)]
            for row in firsts.tolist():
                found[row] = self._sought(messages.one(row) or b"", shape)
            rows = np.setdiff1d(rows, firsts, assume_unique=True)
            found[rows] = alike.numbers(messages, rows)
            rows = rows[found[rows] < 0]

    def _sought(self, message: bytes, shape: int) -> int:
        """Read a head that is not known by this shape, and learn it if it is not known at all."""
        body = io.BytesIO(message[_BEGIN:])
        try:
            record = fastavro.schemaless_reader(body, self._writer, self._reader)
        except _UNREADABLE:
            return -1
        end = _BEGIN + body.tell()
        ends = self._ends.setdefault(shape, [])
        if end not in ends:
            ends.append(end)
        head, alike = message[_BEGIN:end], self._alike.setdefault(end, _Alike(end))
        if (number := alike.number(head)) < 0:
            number = len(self.all)
            alike.learn(head, number)
            self.all.append(self._made(record, end))  # type: ignore[arg-type]  # it is a record
        return number

    def _made(self, record: Record, end: int) -> Head:
        sensor, station = record.pop(_SENSOR), record.pop(_STATION)
        alike = tuple(record.values())
        if alike not in self._shared:
            self._shared[alike] = _Shared(record)
        return Head(sensor, station, end, self._shared[alike])


def _shapes(messages: Strings) -> Integers:
    """Give a number made of the lengths of the first two fields, which are strings."""
    last = messages.starts + np.maximum(messages.lengths - 1, 0)
    first = messages.data[np.minimum(messages.starts + _BEGIN, last)].astype(np.int64)
    second = messages.data[np.minimum(messages.starts + _BEGIN + 1 + (first >> 1), last)]
    return (first << 8) + second


def _words_of(heads: Sequence[bytes], length: int) -> NDArray[np.uint64]:
    """Give the words of heads of one length."""
    data = np.frombuffer(b"".join(heads) + bytes(_WORD), np.uint8)
    return _words(data, np.arange(len(heads)) * length, length)


def _words(data: NDArray[np.uint8], at: Integers, length: int) -> NDArray[np.uint64]:
    """Give the bytes at these places as words of eight; the last word overlaps the one before."""
    whole = np.ndarray((max(0, len(data) - length + 1),), f"V{length}", data, strides=(1,))
    within = np.minimum(at, max(0, len(whole) - 1))
    if length < _WORD:
        short = whole[within].view(np.uint8).reshape(len(at), length)
        filled = np.zeros((len(at), _WORD), np.uint8)
        filled[:, :length] = short
        return filled.view(np.uint64)
    each = whole[within].view(np.uint8).reshape(len(at), length)
    aligned = np.empty((len(at), -(-length // _WORD) * _WORD), np.uint8)
    aligned[:, :length] = each
    aligned[:, -_WORD:] = each[:, -_WORD:]
    return aligned.view(np.uint64)


def _summed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    factors = np.arange(1, 2 * words.shape[1], 2, dtype=np.uint64) * _FACTOR
    mixed = words ^ (words >> np.uint64(29))
    sums: NDArray[np.uint64] = (mixed * factors).sum(axis=1, dtype=np.uint64)
    return sums


def head_schema(schema: Schema, first_behind: str = FIRST_OBSERVED) -> Schema:
    """Give the schema of a record's head alone.

    >>> from schemas.avsc import load
    >>> [f["name"] for f in head_schema(load("raw_reading"))["fields"]][-2:]
    ['op', 'unit']
    """
    plain: Schema = without_logical_types(schema)
    names = [f["name"] for f in plain["fields"]]
    return {**plain, "fields": plain["fields"][: names.index(first_behind)]}
