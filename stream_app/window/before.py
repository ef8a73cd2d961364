"""What stood before readings: how a gauge that counts has gone on since the usable one before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_app.window.entries import Entries
from stream_app.window.layout import Layout
from weather.arrays import Bools, Floats, Micros
from weather.qc.series import NEVER


class Before(NamedTuple):
    """Of n readings, the change since the usable one before, NaN for none, and how long ago."""

    change: Floats
    elapsed: Micros

    @classmethod
    def nothing(cls, n: int) -> Before:
        """Know nothing of what stood before."""
        return cls(np.full(n, np.nan), np.zeros(n, np.int64))

    def take(self, rows: NDArray[np.int64] | Bools) -> Before:
        """Pick readings."""
        return Before(self.change[rows], self.elapsed[rows])


def before(layout: Layout, judged: Entries) -> tuple[Before, Bools]:
    """Say what stands before each entry, and of which remembered ones that may be another now.

    Totals stand in entries as their negative.
    """
    series = np.repeat(np.arange(len(layout.lengths)), layout.lengths)
    first = np.cumsum(layout.lengths) - layout.lengths
    place = np.arange(len(judged)) - 1
    opens = place < first[series]
    at = np.where(opens, layout.before.at[series], judged["past_at"][place])
    value = np.where(opens, layout.before.value[series], judged["past_value"][place])
    was = layout.entries[place]
    other = (layout.new[place] >= 0) | (was["past_at"] != at) | (was["past_value"] != value)
    other &= ~opens & (layout.source >= 0)
    return _since(judged, at, value), other


def _since(entries: Entries, at: Micros, value: Floats) -> Before:
    known = (at != NEVER) & ~np.isnan(entries["value"])
    change = np.where(known, value - entries["value"], np.nan)
    return Before(change, np.where(known, entries["at"] - np.where(known, at, 0), 0))


def in_ring(entries: Entries, lengths: NDArray[np.int64]) -> tuple[Before, Bools]:
    """Say what stands before each entry of rings, row after row, and where that is known at all."""
    at, value = np.roll(entries["past_at"], 1), np.roll(entries["past_value"], 1)
    known = np.ones(len(entries), np.bool_)
    known[(np.cumsum(lengths) - lengths)[lengths > 0]] = False
    at[~known] = NEVER
    return _since(entries, at, value), known
