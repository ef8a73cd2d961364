"""Hourly samples of series: what step tests over hours compare with, of what has left the rings.

Only series of which a sample has left their ring have a row here, and samples are kept as
:mod:`weather.qc.hours` says: 96 bytes for twelve.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream_app.window.entries import ENTRY, Entries
from weather.arrays import Floats, Micros
from weather.qc.hours import HOUR, HOURS, SECOND

_NONE: Final = 0
_LEAST: Final = 64


class Samples:
    """Twelve samples of a series, by hour; the sample of another day takes the place of one."""

    def __init__(self) -> None:
        self._row_of = np.zeros(0, np.int32)
        """By the series' own row; 0 where it has none, which is a row that stays empty."""
        self._seconds = np.zeros((1, HOURS), np.uint32)
        self._values = np.zeros((1, HOURS), np.float32)
        self._count = 1

    def of(self, rows: NDArray[np.int64]) -> tuple[Micros, Floats]:
        """Give times and values of the samples of m series; time 0: there is none.

        (m, 12) each, values with room for two more.
        """
        known = np.zeros(len(rows), np.int64)
        here = rows < len(self._row_of)
        known[here] = self._row_of[rows[here]]
        values = np.zeros((len(rows), HOURS + 2))
        values[:, :HOURS] = self._values[known]
        return self._seconds[known] * np.int64(SECOND), values

    def entries(self, row: int) -> Entries:
        """Give the samples of a series as entries of which nothing else is known, by time."""
        at, values = self.of(np.array([row]))
        there = np.flatnonzero(at[0] != _NONE)
        found = np.zeros(len(there), ENTRY)
        found["at"], found["value"] = at[0, there], values[0, there]
        return found[np.argsort(found["at"])]

    def put(self, rows: NDArray[np.int64], entries: Entries) -> None:
        """Keep entries as samples of these series, (n,) each; in one place the last stays."""
        if not len(rows):
            return
        self._make_room(int(rows.max()))
        new = np.unique(rows[self._row_of[rows] == 0])
        self._row_of[new] = np.arange(self._count, self._count + len(new))
        self._count += len(new)
        self._grow()
        at = entries["at"]
        place = self._row_of[rows], at // HOUR % HOURS
        self._seconds[place], self._values[place] = at // SECOND, entries["value"]

    def _make_room(self, row: int) -> None:
        more = row + 1 - len(self._row_of)
        if more > 0:
            room = np.zeros(max(more, len(self._row_of) // 4), np.int32)
            self._row_of = np.concatenate([self._row_of, room])

    def _grow(self) -> None:
        more = self._count - len(self._seconds)
        if more > 0:
            room = np.zeros((max(more, _LEAST, self._count // 4), HOURS))
            self._seconds = np.concatenate([self._seconds, room.astype(np.uint32)])
            self._values = np.concatenate([self._values, room.astype(np.float32)])
