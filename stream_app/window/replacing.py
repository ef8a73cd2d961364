"""Putting other entries in the place of remembered ones: the past was judged again."""

from __future__ import annotations

import numpy as np

from stream_app.window.entries import Entries
from stream_app.window.rings import K, Rings, Rows
from stream_app.window.writing import Deltas, Writes


def replacing(rings: Rings, places: Rows, entries: Entries, samples: Deltas) -> Writes:
    """Give the writes that put entries, of shape (n,), into places of the rings; each place once.

    And samples into the places of others.

    Each ring that is touched is written to the changelog as a whole: it is a rare thing.
    """
    rows = np.unique(places // K)
    held = rings.all_of(rows)
    before = rings.entries[held]
    order = np.argsort(held)
    before[order[np.searchsorted(held, places, sorter=order)]] = entries
    numbers = rings.delta[rows].astype(np.int64) + 1
    lengths = rings.count[rows]
    return Writes(
        held,
        before,
        np.repeat(numbers, lengths),
        rows,
        rings.head[rows],
        lengths,
        Deltas(rows, numbers, lengths, before),
        samples,
    )
