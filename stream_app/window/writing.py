"""What a judged layout writes: which places of the rings, and which delta of the changelog.

An entry that did not change is not written to the changelog again, but for one case: of each series
it keeps :data:`DELTAS` deltas, and the newest overwrites the oldest. Entries that live in that one
alone are carried into the new one, so that the deltas which are left always hold the whole ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_app.window.entries import Entries, joined, put, taken, words
from stream_app.window.layout import Layout
from stream_app.window.rings import NOWHERE, K, Rings, Rows
from weather.arrays import Bools

DELTAS: Final = 16
"""Deltas that the changelog keeps of a series."""

Integers = NDArray[np.int64]


class Deltas(NamedTuple):
    """Changelog of a batch: of each row the number of its delta, and its entries in a row.

    Those of ``samples`` have one entry each, and no number.
    """

    rows: Rows
    numbers: Integers
    lengths: Integers
    entries: Entries
    samples: bool = False

    @classmethod
    def of_samples(cls, rows: Rows, entries: Entries) -> Deltas:
        """Give the changelog of hourly samples, (n,) each."""
        return cls(rows, np.zeros_like(rows), np.ones_like(rows), entries, samples=True)


class _Places(NamedTuple):
    """Entries and the places they get; ``owner`` is an index into the layout's rows."""

    places: Rows
    entries: Entries
    numbers: Integers
    owner: Integers


@dataclass(frozen=True, slots=True)
class Writes:
    """What is to be done to the rings, by place and by row; ``numbers`` name the deltas."""

    places: Rows
    entries: Entries
    numbers: Integers
    rows: Rows
    head: Integers
    count: Integers
    deltas: Deltas
    samples: Deltas

    def apply(self, rings: Rings) -> None:
        """Write."""
        put(rings.entries, self.places, self.entries)
        rings.numbers[self.places] = self.numbers
        rings.head[self.rows], rings.count[self.rows] = self.head, self.count
        rings.delta[self.deltas.rows] = self.deltas.numbers
        rings.samples.put(self.samples.rows, self.samples.entries)


def writes_of(rings: Rings, layout: Layout, judged: Entries, samples: Deltas) -> Writes:
    """Decide where everything goes; ``samples`` are those that leave the rings."""
    changed = layout.new >= 0
    old = np.flatnonzero(~changed)
    changed[old] = (words(taken(judged, old)) != words(taken(layout.entries, old))).any(axis=1)
    total = layout.kept + layout.lengths
    count = np.minimum(total, K)
    if layout.whole:
        head = (count - 1) % K
        written = _anew(rings, layout, judged, changed)
    else:
        head = (rings.head[layout.rows] - rings.count[layout.rows] + total) % K
        written = _appended(rings, layout, judged, changed)
    deltas = _deltas(rings, layout.rows, written)
    moved = written.numbers == NOWHERE
    written.numbers[moved] = rings.delta[layout.rows[written.owner[moved]]] + 1
    return Writes(
        written.places,
        written.entries,
        written.numbers,
        layout.rows,
        head,
        count,
        deltas,
        samples,
    )


def _appended(rings: Rings, layout: Layout, judged: Entries, changed: Bools) -> _Places:
    """Write new entries behind the newest, round the ring, and what changed of those before."""
    owner, position, stays = _positions(layout)
    chosen = np.flatnonzero(stays & changed)
    owner, position = owner[chosen], position[chosen]
    rows = layout.rows[owner]
    slot = (rings.head[rows] - rings.count[rows] + 1 + position) % K
    places = rows * K + slot
    carried, carrier = _carried(rings, layout.rows, owner, slot)
    if not len(carried):
        numbers = np.full(len(places), NOWHERE, np.int64)
        return _Places(places, taken(judged, chosen), numbers, owner)
    return _Places(
        np.append(places, carried),
        joined([taken(judged, chosen), taken(rings.entries, carried)]),
        np.full(len(places) + len(carried), NOWHERE, np.int64),
        np.append(owner, carrier),
    )


def _anew(rings: Rings, layout: Layout, judged: Entries, changed: Bools) -> _Places:
    """Write rings from their first place on."""
    owner, position, stays = _positions(layout)
    chosen = np.flatnonzero(stays)
    dropped = np.maximum(layout.kept + layout.lengths - K, 0)
    slot = position - dropped[owner]
    anchored = np.flatnonzero((layout.kept > 0) & (dropped == 0))
    anchors = rings.slots(layout.rows[anchored], K - 1)
    numbers = np.where(changed, NOWHERE, rings.numbers[layout.source])[chosen]
    owner = np.append(owner[chosen], anchored)
    slot = np.append(slot[chosen], np.zeros(len(anchored), np.int64))
    numbers = np.append(numbers, rings.numbers[anchors])
    rows = layout.rows[owner]
    numbers = np.where(numbers == rings.delta[rows] + 1 - DELTAS, NOWHERE, numbers)
    entries = joined([taken(judged, chosen), taken(rings.entries, anchors)])
    return _Places(rows * K + slot, entries, numbers, owner)


def _positions(layout: Layout) -> tuple[Integers, Integers, Bools]:
    """Count each entry's place in its ring, oldest first; say which are among the newest."""
    owner = np.repeat(np.arange(len(layout.rows)), layout.lengths)
    begins = np.cumsum(layout.lengths) - layout.lengths
    position = np.arange(len(owner)) - begins[owner] + layout.kept[owner]
    stays = position >= (layout.kept + layout.lengths - K)[owner]
    return owner, position, stays


def _carried(rings: Rings, rows: Rows, owner: Integers, slot: Integers) -> tuple[Rows, Integers]:
    """Find entries that live only in the delta that is to be overwritten, but for those written."""
    places = rows[:, None] * K + np.arange(K)
    lost = rings.numbers[places] == (rings.delta[rows] + 1 - DELTAS)[:, None]
    lost[owner, slot] = False
    carrier, stays = np.nonzero(lost)
    return rows[carrier] * K + stays, carrier


def _deltas(rings: Rings, rows: Rows, written: _Places) -> Deltas:
    """Gather what is fresh by row; a row of which nothing is has no delta."""
    fresh = np.flatnonzero(written.numbers == NOWHERE)
    owner = written.owner[fresh]
    if (owner[1:] < owner[:-1]).any():
        fresh = fresh[np.argsort(owner, kind="stable")]
    lengths = np.bincount(owner, minlength=len(rows))
    has = np.flatnonzero(lengths)
    numbers = rings.delta[rows[has]].astype(np.int64) + 1
    return Deltas(rows[has], numbers, lengths[has], taken(written.entries, fresh))
