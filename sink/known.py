"""What the table knows of a batch already, asked before anything else is sent.

What it knows in this or a newer version is not sent at all; what it does not know is copied into
it; only what is newer than what it knows is merged. A merge of everything finds the same out, but
each known row costs it a line in the stage, a conflict, and a lock that is written down
(docs/decisions/0029).

Keys and versions go as binary arrays, made of columns at once ("array_recv" reads them: dimensions,
whether any is null, type of the elements, their count, the lowest index, and each with its length).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.postgres import types
from psycopg.pq import Format

from schemas.columnar import Integers, Strings
from schemas.columnar_encoding import side_by_side
from sink.columns import moment
from sink.database import Connection
from sink.line_kernels import EPOCH
from sink.lines import Lines

_UNKNOWN, _NEWER = ord("u"), ord("n")
_HEAD: Final = struct.Struct(">iiIii")
_LONG: Final = np.dtype([("size", ">i4"), ("value", ">i8")])


class Texts(bytes):
    """Texts, as the database reads an array of them."""


class Longs(bytes):
    """Whole numbers, as the database reads an array of them."""


class Times(bytes):
    """Times, as the database reads an array of them."""


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _TextsDumper(_AsItIs):
    oid = types["text"].array_oid


class _LongsDumper(_AsItIs):
    oid = types["int8"].array_oid


class _TimesDumper(_AsItIs):
    oid = types["timestamptz"].array_oid


for _kind, _dumper in {Texts: _TextsDumper, Longs: _LongsDumper, Times: _TimesDumper}.items():
    psycopg.adapters.register_dumper(_kind, _dumper)


class Sifted(NamedTuple):
    """Rows of which the table knows nothing, and those that are newer than what it knows."""

    unknown: Integers
    newer: Integers


def sift(connection: Connection, statement: bytes, lines: Lines, rows: Integers) -> Sifted:
    """Ask of which rows the table has not heard, by ``Statements.ask``; one at least."""
    times = lines.times(rows)
    revision, version = lines.versions(rows)
    asked = (
        moment(int(times.min())),
        moment(int(times.max())),
        texts(lines.sensors(rows)),
        Times(longs(times - EPOCH, "timestamptz")),
        Longs(longs(version, "int8")),
        Longs(longs(revision, "int8")),
    )
    # Planned each time: a plan for any times would look into every chunk of a hypertable.
    ((answer,),) = connection.execute(statement, asked, prepare=False).fetchall()
    kinds = np.frombuffer(str(answer).encode(), np.uint8)
    return Sifted(rows[kinds == _UNKNOWN], rows[kinds == _NEWER])


def texts(values: Strings) -> Texts:
    """Make an array of texts.

    >>> from schemas.columnar import packed
    >>> texts(packed([b"abcd"])).hex(" ", 4)
    '00000001 00000000 00000019 00000001 00000001 00000004 61626364'
    """
    sizes = values.lengths.astype(">i4").view(np.uint8)
    count = len(values.lengths)
    heads = Strings(sizes, np.arange(count) * 4, np.full(count, 4))
    return Texts(_head("text", count) + side_by_side([heads, values]).data.tobytes())


def longs(values: Integers, of: str) -> bytes:
    """Make an array of whole numbers of 8 bytes, which are ``of`` that type.

    >>> longs(np.array([5]), "int8").hex(" ", 4)
    '00000001 00000000 00000014 00000001 00000001 00000008 00000000 00000005'
    """
    each = np.empty(len(values), _LONG)
    each["size"], each["value"] = 8, values
    return _head(of, len(values)) + each.tobytes()


def _head(of: str, count: int) -> bytes:
    return _HEAD.pack(1, 0, types[of].oid, count, 1)
