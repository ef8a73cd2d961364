"""Kafka's record batches as columns: the records of a fetch, without an object for each.

A record batch is a header and records, one behind the other, each with its length first. A compiled
loop says of each where its key and value lie, and there they stay. The format is that of Kafka's
protocol guide, "Record Batch" (magic 2), whose variable-length numbers are Avro's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from aiokafka import codec
from aiokafka.errors import CorruptRecordException
from numpy.typing import NDArray

from schemas.columnar import Bytes, Integers, Strings
from schemas.reading_kernels import read_records
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
_ROWS: Final = 6
_KEY: Final = 2
_VALUE: Final = 4


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
    _rows: list[NDArray[np.int64]] = field(default_factory=list)
    _bases: list[tuple[int, int, int, bool]] = field(default_factory=list)

    def add(self, batch: bytes) -> None:
        """Take in a record batch of readings."""
        base, *_, attributes, _, first, greatest, _, _, _, count = HEADER.unpack_from(batch)
        body = _CODECS[attributes & _CODEC_BITS](batch[HEADER.size :])
        rows = np.empty((_ROWS, count), np.int64)
        if read_records(np.frombuffer(body, np.uint8), rows) != len(body):
            raise CorruptRecordException(self.topic, self.partition, base)
        rows[[_KEY, _VALUE]] += self._size
        appended = bool(attributes & _APPEND_TIME)
        self._bases.append((count, base, greatest if appended else first, appended))
        self._rows.append(rows)
        self._data.append(body)
        self._size += len(body)
        self.count += count

    def records(self) -> Records:
        """Make columns of all that was taken in, and begin anew."""
        data = np.frombuffer(b"".join([*self._data, bytes(16)]), np.uint8)
        since, further, *places = np.concatenate(self._rows, axis=1)
        counts, bases, times, appended = (np.array(one) for one in zip(*self._bases, strict=True))
        since[np.repeat(appended, counts)] = 0
        offsets, published = further + np.repeat(bases, counts), since + np.repeat(times, counts)
        keys, values = _text(data, *places[:2]), _text(data, *places[2:])
        self._data, self._size, self._rows, self._bases = [], 0, [], []
        self.count = 0
        return Records(self.topic, self.partition, offsets, published, keys, values)


def _text(data: Bytes, starts: Integers, lengths: Integers) -> Strings:
    if lengths.min(initial=0) >= 0:
        return Strings(data, starts, lengths)
    return Strings(data, starts, np.maximum(lengths, 0), lengths >= 0)
