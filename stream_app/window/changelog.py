"""The rings' changelog: one record for each series and batch, as many at once as there are.

A record is a delta: what its batch changed of a ring, its key the series and a slot. The slots are
used in turn, so that compaction keeps the newest :data:`~stream_app.window.writing.DELTAS` deltas
of a series; together they always hold its whole ring, and more. To restore one, take all entries
that are there: of one time that of the newest delta, and of these the newest :data:`K`.

What stays of a ring for hours is a record of the same form, with the one entry of its hour; of each
series there are as many keys as there are hours. To a worker of a release that knows of no samples
it is a delta older than all, whose entry lies behind the ring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataQuality
from schemas.avsc import Schema, load
from schemas.codec import Encoder
from schemas.columnar import Bytes, Keyed, Numbers, Strings, concatenated, numbers, packed, strings
from schemas.columnar_decoding import ColumnarDecoder, schema_ids
from schemas.columnar_encoding import ColumnarEncoder, side_by_side
from stream_app.window.entries import ENTRY, Entries, joined, put, taken
from stream_app.window.kinds import KINDS
from stream_app.window.rings import K, Rings, Rows
from stream_app.window.writing import DELTAS, Deltas
from weather.arrays import Bools
from weather.qc.hours import HOUR, HOURS

PREFIX: Final = b"ring#"
"""What the keys of deltas and of hourly samples begin with."""

SCHEMA: Final = "ring_delta"
_SLOTS: Final = packed([b"#%d" % slot for slot in range(DELTAS)])
_HOUR: Final = b"h"
_HOURS: Final = packed([b"#%s%d" % (_HOUR, hour) for hour in range(HOURS)])
"""What they end with."""


class RingWriter:
    """Encodes deltas under a registered schema; the constant part of each series only once."""

    def __init__(self, schema_id: int, rings: Rings) -> None:
        self._rings = rings
        self._encode = ColumnarEncoder(load(SCHEMA), "number")
        self._row_by_row = Encoder(SCHEMA, schema_id)
        self._keys: list[bytes] = []
        self._heads: list[bytes] = []

    def messages(self, deltas: Sequence[Deltas]) -> Keyed:
        """Give a batch's records."""
        self._learn()
        keys, values = [packed([])], [packed([])]
        for delta in deltas:
            rows = delta.rows.tolist()
            named = packed(list(map(self._keys.__getitem__, rows)))
            keys.append(side_by_side([named, _slots(delta)]))
            heads = packed(list(map(self._heads.__getitem__, rows)))
            values.append(self._encode.strings(heads, _columns(delta)))
        return Keyed(concatenated(keys), concatenated(values))

    def _learn(self) -> None:
        rings = self._rings
        for row in range(len(self._keys), len(rings)):
            kind = KINDS[int(rings.kind[row])]
            named = f"{kind.parameter}#{kind.measure}#{rings.sensors[row]}"
            self._keys.append(PREFIX + named.encode())
            station = rings.stations[int(rings.station[row])]
            empty = self._row_by_row({"station": station, "number": 0, "entries": b""})
            self._heads.append(empty[:-2])


class RingReader:
    """Puts deltas back into rings, in any order and as many at a time as one likes."""

    def __init__(self, schema_of: Callable[[int], Schema], rings: Rings) -> None:
        self._schema_of = schema_of
        self._rings = rings
        self._decoders: dict[int, ColumnarDecoder] = {}
        self._row_of: dict[bytes, int] = {}

    def restore(self, keys: Sequence[bytes], values: Sequence[bytes]) -> tuple[Rows, Entries]:
        """Take in records; give the entries that were in them and the row of each.

        Raises:
            DataQuality: one of them is no delta.
        """
        ids = schema_ids(values)
        found = [self._decoded(int(i), keys, values, ids) for i in np.unique(ids)]
        rows, numbered, entries, hourly = map(np.concatenate, zip(*found, strict=True))
        self._rings.samples.put(rows[hourly], entries[hourly])
        rows, numbered, entries = rows[~hourly], numbered[~hourly], entries[~hourly]
        _put(self._rings, rows, numbered, entries)
        return rows, entries

    def _decoded(
        self, schema_id: int, keys: Sequence[bytes], values: Sequence[bytes], ids: NDArray[np.int64]
    ) -> tuple[Rows, NDArray[np.int64], Entries, Bools]:
        chosen = np.flatnonzero(ids == schema_id).tolist()
        columns, good = self._decoder(schema_id)([values[i] for i in chosen])
        packed = strings(columns, "entries")
        if not good.all() or (packed.lengths % ENTRY.itemsize).any():
            problem = f"a record of schema {schema_id} on the state topic is no delta of a ring"
            raise DataQuality(problem, reason="undecodable")
        stations = strings(columns, "station")
        names, _, slots = zip(*(keys[i].rpartition(b"#") for i in chosen), strict=True)
        row = self._rows(names, stations)
        counts = packed.lengths // ENTRY.itemsize
        numbered = np.repeat(numbers(columns, "number"), counts)
        hourly = np.repeat([slot.startswith(_HOUR) for slot in slots], counts)
        return np.repeat(row, counts), numbered, _unpacked(packed), hourly

    def _rows(self, names: Sequence[bytes], stations: Strings) -> Rows:
        known = self._row_of
        for place in [place for place, name in enumerate(names) if name not in known]:
            if names[place] in known:
                continue
            parameter, measure, sensor = names[place].decode().split("#", 3)[1:]
            station = stations.take(np.array([place])).bytes()[0].decode()
            first = int(self._rings.rows(parameter, [sensor], [station])[0])
            beside = [kind.measure for kind in KINDS if kind.parameter == parameter]
            known[names[place]] = first + beside.index(measure)
        return np.fromiter(map(known.__getitem__, names), np.int64, len(names))

    def _decoder(self, schema_id: int) -> ColumnarDecoder:
        if schema_id not in self._decoders:
            self._decoders[schema_id] = ColumnarDecoder(self._schema_of(schema_id))
        return self._decoders[schema_id]


def _slots(delta: Deltas) -> Strings:
    if delta.samples:
        return _HOURS.take(delta.entries["at"] // HOUR % HOURS)
    return _SLOTS.take(delta.numbers % DELTAS)


def _columns(delta: Deltas) -> dict[str, Numbers | Strings]:
    data: Bytes = np.ascontiguousarray(delta.entries).view(np.uint8)
    lengths = delta.lengths * ENTRY.itemsize
    packed = Strings(data, np.cumsum(lengths) - lengths, lengths)
    return {"number": Numbers(delta.numbers), "entries": packed}


def _unpacked(packed: Strings) -> Entries:
    data = packed.data[packed.places()]
    return np.ascontiguousarray(data).view(ENTRY)


def _put(rings: Rings, rows: Rows, numbered: NDArray[np.int64], entries: Entries) -> None:
    """Merge entries into rings: of one time the newest delta, of all times the newest."""
    touched, first = np.unique(rows, return_inverse=True)
    np.maximum.at(rings.delta, rows, numbered.astype(np.int32))
    held = rings.all_of(touched)
    owner = np.append(np.repeat(np.arange(len(touched)), rings.count[touched]), first)
    numbered = np.append(rings.numbers[held], numbered)
    entries = joined([taken(rings.entries, held), entries])
    order = np.lexsort((numbered, entries["at"], owner))
    owner, at = owner[order], entries["at"][order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (owner[1:] != owner[:-1]) | (at[1:] != at[:-1])
    order, owner = order[last], owner[last]
    counts = np.bincount(owner, minlength=len(touched))
    from_end = np.cumsum(counts)[owner] - 1 - np.arange(len(owner))
    newest = from_end < K
    order, owner, from_end = order[newest], owner[newest], from_end[newest]
    counts = np.minimum(counts, K)
    places = touched[owner] * K + counts[owner] - 1 - from_end
    put(rings.entries, places, taken(entries, order))
    rings.numbers[places] = numbered[order]
    rings.head[touched], rings.count[touched] = counts - 1, counts
