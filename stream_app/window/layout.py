"""Laying out what has to be judged: new readings between the remembered ones beside them.

Where readings come in order, only the newest one before them may be judged anew, and only if it
jumped: it gets a neighbour. Where one comes in between, the whole ring is laid out. What stands
before the first entry of a series is its past; the oldest of a full ring is never judged again, and
is only that. The two series of a wind are laid out alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream_app.window.entries import Entries, blank, flag, joined, live, put, taken
from stream_app.window.incoming import KIND_BITS, ROW_BITS, Incoming, ranked
from stream_app.window.kinds import DIRECTION, SPEED
from stream_app.window.rings import K, Rings, Rows
from weather.arrays import Bools
from weather.qc.flags import NOT_EVALUATED
from weather.qc.series import Past


@dataclass(frozen=True, slots=True)
class Layout:
    """Series side by side, each sorted by time; m series of n entries in all.

    Attributes:
        entries: (n,) remembered and new ones.
        source: (n,) place in the rings of a remembered one, else -1.
        new: (n,) index into the incoming of a new one, else -1.
        rows: (m,) their rings, sorted by kind.
        rank: (m,) kind and row.
        lengths: (m,) entries of each.
        before: (m,) what stands before the first.
        kept: (m,) entries of the ring that stand before the first and stay as they are.
        whole: whether rings are laid out in full, and are to be written anew.
    """

    entries: Entries
    source: Rows
    new: NDArray[np.int64]
    rows: Rows
    rank: Rows
    lengths: NDArray[np.int64]
    before: Past
    kept: NDArray[np.int64]
    whole: bool

    @property
    def last(self) -> Bools:
        """Which entries are the newest of their series."""
        found = np.zeros(len(self.entries), np.bool_)
        found[np.cumsum(self.lengths)[self.lengths > 0] - 1] = True
        return found


def split(
    rings: Rings, incoming: Incoming, forced: Rows
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Say which readings come in order, and which need their whole ring; those too late neither.

    Rows that are ``forced`` need it in any case.
    """
    winning = np.flatnonzero(incoming.wins)
    row, at = incoming.row[winning], incoming.entries["at"][winning]
    first = np.ones(len(row), np.bool_)
    first[1:] = row[1:] != row[:-1]
    rows = row[first]
    heads = taken(rings.entries, rings.slots(rows, 0))
    empty = rings.count[rows] == 0
    ordered = ((at[first] > heads["at"]) & live(heads)) | empty
    if len(forced):
        ordered &= ~np.isin(rows, forced)
    if ordered.all():
        return winning, winning[:0]
    each = ordered[np.cumsum(first) - 1]
    between = winning[~each]
    in_time = incoming.entries["at"][between] > rings.oldest(incoming.row[between])
    return winning[each], between[in_time]


def in_order(rings: Rings, incoming: Incoming, chosen: NDArray[np.int64], spiked: Bools) -> Layout:
    """Lay out series that only grow at their end; ``spiked`` says which kinds have a spike test."""
    rank, starts, counts = _groups(incoming.rank[chosen])
    rows = rank & ROW_BITS
    held = rings.count[rows]
    heads = rings.slots(rows, 0)
    kind = rank >> KIND_BITS
    beside = np.where(kind == DIRECTION, heads - K, heads)
    unsure = flag(taken(rings.entries, beside), "spike") == NOT_EVALUATED
    jumped = unsure & (held > 0) & spiked[np.where(kind == DIRECTION, SPEED, kind)]
    remembered = jumped.astype(np.int64)
    lengths = remembered + counts
    begins = np.cumsum(lengths) - lengths
    old, n = begins[jumped], int(lengths.sum())
    within = np.arange(len(chosen)) - np.repeat(starts, counts)
    places = np.repeat(begins + remembered, counts) + within
    source, new = np.full(n, -1), np.full(n, -1)
    source[old], new[places] = heads[jumped], chosen
    entries = blank(n)
    put(entries, old, taken(rings.entries, source[old]))
    put(entries, places, taken(incoming.entries, chosen))
    before = rings.past(rows, remembered, held > remembered)
    return Layout(entries, source, new, rows, rank, lengths, before, held - remembered, whole=False)


def in_full(rings: Rings, incoming: Incoming, chosen: NDArray[np.int64], forced: Rows) -> Layout:
    """Lay out whole rings with what comes in between."""
    both = np.concatenate([incoming.rank[chosen], ranked(rings.kind[forced], forced)])
    rank = np.unique(both)
    rows = rank & ROW_BITS
    full = rings.count[rows] == K
    old = rings.all_of(rows)
    counts = rings.count[rows]
    anchors = (np.cumsum(counts) - counts)[full]
    old = np.delete(old, anchors)
    old_rank = np.repeat(rank, counts - full)
    entries = joined([taken(rings.entries, old), taken(incoming.entries, chosen)])
    ranks = np.concatenate([old_rank, incoming.rank[chosen]])
    source = np.concatenate([old, np.full(len(chosen), -1)])
    new = np.concatenate([np.full(len(old), -1), chosen])
    stays = _winners(entries, ranks, new)
    entries, ranks, source, new = taken(entries, stays), ranks[stays], source[stays], new[stays]
    lengths = np.bincount(np.searchsorted(rank, ranks), minlength=len(rank)).astype(np.int64)
    before = rings.past(rows, K - 1, full)
    kept = full.astype(np.int64)
    return Layout(entries, source, new, rows, rank, lengths, before, kept, whole=True)


def _winners(entries: Entries, ranks: Rows, new: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort by series and time; of two of one time the higher version stays, of equals the new."""
    order = np.lexsort((new >= 0, entries["version"], entries["at"], ranks))
    same = (ranks[order][1:] == ranks[order][:-1]) & (
        entries["at"][order][1:] == entries["at"][order][:-1]
    )
    stays = np.ones(len(order), np.bool_)
    stays[:-1] = ~same
    return order[stays]


def _groups(
    rank: Rows,
) -> tuple[Rows, NDArray[np.int64], NDArray[np.int64]]:
    """Find runs of equal numbers: each one, where it starts and how long it is."""
    first = np.ones(len(rank), np.bool_)
    first[1:] = rank[1:] != rank[:-1]
    starts = np.flatnonzero(first)
    return rank[starts], starts, np.diff(np.append(starts, len(rank)))
