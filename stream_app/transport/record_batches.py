"""Kafka's record batches as columns: the records of a fetch, without an object for each.

A record batch is a header and records, one behind the other, each with its length first. Only these
lengths are walked one by one; offset, time, key and value of all records are then read side by side
(:class:`schemas.columnar.Cursor`), and keys and values stay where they lie. The format is that of
Kafka's protocol guide, "Record Batch" (magic 2), whose variable-length numbers are Avro's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from aiokafka import codec
from aiokafka.errors import CorruptRecordException

from schemas.columnar import Integers, Mask, Strings
from schemas.columnar_decoding import Cursor
from stream_app.transport.batch import Records

HEADER: Final = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, first and
greatest timestamp, producer id and epoch, base sequence, number of records."""
_LENGTH: Final = struct.Struct(">i")
_BEFORE_LENGTH: Final = 8
_OVERHEAD: Final = 12
_CODECS: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: bytes,
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}
_CODEC_BITS: Final = 0x07
_APPEND_TIME: Final = 0x08
_CONTINUED: Final = 0x80
_ALIKE: Final = 4
"""Records of one length after which more of them are looked for at once."""


def record_batches(fetched: bytes) -> Iterator[bytes]:
    """Give every whole record batch of what was fetched; the last may have been cut."""
    at = 0
    while at + _OVERHEAD <= len(fetched):
        (length,) = _LENGTH.unpack_from(fetched, at + _BEFORE_LENGTH)
        end = at + _OVERHEAD + length
        if end > len(fetched):
            return
        yield fetched[at:end]
        at = end


@dataclass(slots=True)
class Gathering:
    """Record batches of one topic partition, until they are made into columns together.

    Raises:
        CorruptRecordException: lengths do not fit; a broker that checks what it takes has none.
    """

    topic: str
    partition: int
    count: int = 0
    _data: list[bytes] = field(default_factory=list)
    _size: int = 0
    _starts: list[int] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)
    _bases: list[tuple[int, int, int, bool]] = field(default_factory=list)

    def add(self, batch: bytes) -> None:
        """Take in a record batch of readings."""
        base, *_, attributes, _, first, greatest, _, _, _, count = HEADER.unpack_from(batch)
        body = _CODECS[attributes & _CODEC_BITS](batch[HEADER.size :])
        end = _walk(body, count, self._size, self._starts, self._ends)
        if end != len(body):
            raise CorruptRecordException(self.topic, self.partition, base)
        appended = bool(attributes & _APPEND_TIME)
        self._bases.append((count, base, greatest if appended else first, appended))
        self._data.append(body)
        self._size += len(body)
        self.count += count

    def records(self) -> Records:
        """Make columns of all that was taken in, and begin anew."""
        data = np.frombuffer(b"".join([*self._data, bytes(16)]), np.uint8)
        starts, ends = np.array(self._starts, np.int64), np.array(self._ends, np.int64)
        counts, bases, times, appended = (np.array(one) for one in zip(*self._bases, strict=True))
        cursor = Cursor(Strings(data, starts, ends - starts))
        cursor.move(1)  # attributes, of which none is used
        since = cursor.longs(None).values
        since[np.repeat(appended, counts)] = 0
        offsets = cursor.longs(None).values + np.repeat(bases, counts)
        keys, values = _text(cursor), _text(cursor)
        if not _over(cursor).all():
            raise CorruptRecordException(self.topic, self.partition, int(bases[0]))
        self._data, self._size, self._starts, self._ends, self._bases = [], 0, [], [], []
        self.count = 0
        published = since + np.repeat(times, counts)
        return Records(self.topic, self.partition, offsets, published, keys, values)


def _walk(body: bytes, count: int, shift: int, starts: list[int], ends: list[int]) -> int:
    """Write down where each record begins, behind its length, and ends; give the last end.

    Records of one length often follow each other; a run of them is found at once.
    """
    at = done = alike = 0
    before = -1
    while done < count:
        size, begin = body[at], at + 1
        if size >= _CONTINUED:
            size, begin = _longer(body, begin, size)
        end = begin + (size >> 1)
        starts.append(begin + shift)
        ends.append(end + shift)
        alike = alike + 1 if size == before else 0
        before, done = size, done + 1
        if alike >= _ALIKE:
            run, step = _run(body, at, begin, end, count - done), end - at
            starts.extend(range(begin + shift + step, begin + shift + (run + 1) * step, step))
            ends.extend(range(end + shift + step, end + shift + (run + 1) * step, step))
            done, end, alike = done + run, end + run * step, 0
        at = end
    return at


def _run(body: bytes, first: int, begin: int, end: int, most: int) -> int:
    """Count the records from ``end`` on, at most so many, that are as long as the one before it.

    That one lies from ``first`` to ``end``, behind its length from ``begin``. Where the bytes of
    the length are the same, the next is as far away: each that is found proves where the next is.
    """
    step = end - first
    most = min(most, (len(body) - end) // step)
    data = np.frombuffer(body, np.uint8, most * step, end).reshape(most, step)
    length = np.frombuffer(body, np.uint8, begin - first, first)
    other = (data[:, : len(length)] != length).any(axis=1)
    return int(other.argmax()) if other.any() else most


def _longer(body: bytes, at: int, size: int) -> tuple[int, int]:
    """Read the rest of a length that does not fit into a byte."""
    second = body[at]
    if second < _CONTINUED:
        return size & 0x7F | second << 7, at + 1
    size, shift = size & 0x7F, 7
    while body[at] >= _CONTINUED:
        size |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return size | body[at] << shift, at + 1


def _text(cursor: Cursor) -> Strings:
    """Read bytes behind their length, which is -1 where they are null."""
    lengths: Integers = cursor.longs(None).values
    present = None
    if lengths.min(initial=0) < 0:
        present = lengths >= 0
        lengths = np.maximum(lengths, 0)
    starts = cursor.at
    cursor.move(lengths)
    return Strings(cursor.data, starts, lengths, present)


def _over(cursor: Cursor) -> Mask:
    """Say which records are read to their end, but for headers, which nobody asks for."""
    headers = cursor.longs(None).values
    over: Mask = cursor.sound & ((cursor.at == cursor.ends) | (headers > 0))
    return over
