"""The newest readings of every series of a partition, side by side in arrays.

Each series has a row: a ring of :data:`K` entries by observation time, written round and round, so
that a reading which comes in order moves no other. ``numbers`` tells in which delta of the
changelog an entry was last written, see :mod:`stream_app.window.changelog`. ``samples`` are what
stays of a series for hours, once it has left its ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream_app.window.entries import ENTRY, Entries, enlarged, past_of, taken
from stream_app.window.kinds import HUMIDITY, KINDS, RAINFALL, kinds_of
from stream_app.window.samples import Samples
from weather.qc.series import NEVER, Past

K: Final = 16
"""Readings remembered: one that is older than all of a full ring is too late to have neighbours."""

NOWHERE: Final = np.iinfo(np.int32).min // 2
"""The number of an entry that stands in no delta."""

Rows = NDArray[np.int64]


class Rings:
    """Rows of entries; a series keeps its row for as long as the partition is ours."""

    def __init__(self) -> None:
        self.entries: Entries = np.zeros(0, ENTRY)
        self.numbers = np.zeros(0, np.int32)
        self.head = np.zeros(0, np.int64)
        self.count = np.zeros(0, np.int64)
        self.delta = np.zeros(0, np.int32)
        self.station = np.zeros(0, np.int64)
        self.kind = np.zeros(0, np.int64)
        self.samples = Samples()
        self.sensors: list[str] = []
        self.stations: list[str] = []
        self._row_of: dict[str, dict[str, int]] = {kind.parameter: {} for kind in KINDS}
        self._station_of: dict[str, int] = {}
        self._together: dict[int, list[int]] = {}

    def __len__(self) -> int:
        """Count the series."""
        return len(self.sensors)

    def rows(self, parameter: str, sensors: Sequence[str], stations: Sequence[str]) -> Rows:
        """Give the first row of each sensor; one that is new gets an empty one.

        A wind's direction stands in the row behind its speed.
        """
        known = self._row_of[parameter]
        found = list(map(known.get, sensors))
        if None in found:
            for place, row in enumerate(found):
                if row is None:
                    found[place] = self._added(parameter, sensors[place], stations[place])
        return np.array(found, np.int64)

    def known(self, parameter: str, sensors: Sequence[str]) -> Rows:
        """Give the first row of each sensor, -1 for one that was never heard of."""
        rows = self._row_of[parameter]
        return np.array([rows.get(sensor, -1) for sensor in sensors], np.int64)

    def slots(self, rows: Rows, back: NDArray[np.int64] | int) -> Rows:
        """Find the entries so many places behind the newest (0): their places in ``entries``."""
        return rows * K + (self.head[rows] - back) % K

    def newest(self, rows: Rows) -> NDArray[np.int64]:
        """Say when the newest reading of each row was observed; NEVER where there is none."""
        at = self.entries["at"][self.slots(rows, 0)]
        return np.where(self.count[rows] > 0, at, NEVER)

    def oldest(self, rows: Rows) -> NDArray[np.int64]:
        """Say behind which time a reading is too late; NEVER where a ring is not full yet."""
        at = self.entries["at"][self.slots(rows, K - 1)]
        return np.where(self.count[rows] == K, at, NEVER)

    def past(self, rows: Rows, back: NDArray[np.int64] | int, known: NDArray[np.bool_]) -> Past:
        """Give what is known of series after the entry so many places back, where ``known``."""
        past = past_of(taken(self.entries, self.slots(rows, back)))
        if known.all():
            return past
        nothing = Past.nothing(len(rows))
        return Past(*(np.where(known, a, b) for a, b in zip(past, nothing, strict=True)))

    def all_of(self, rows: Rows) -> Rows:
        """Find all entries of these rows, oldest first, row after row: their places."""
        counts = self.count[rows]
        owner = np.repeat(rows, counts)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.slots(owner, np.repeat(counts, counts) - 1 - within)

    def together(self, stations: Sequence[int]) -> list[int]:
        """Give the rows of rain and humidity at these stations."""
        return [row for station in stations for row in self._together.get(station, ())]

    def series(self, row: int) -> tuple[str, str]:
        """Name a row's sensor and measure."""
        return self.sensors[row], KINDS[int(self.kind[row])].measure

    def remembered(self) -> dict[tuple[str, str], Any]:
        """Give all that is remembered, by sensor and measure, oldest first: for comparison."""
        return {
            self.series(row): self.entries[self.all_of(np.array([row]))].tolist()
            for row in np.flatnonzero(self.count[: len(self)]).tolist()
        }

    def _added(self, parameter: str, sensor: str, station: str) -> int:
        if sensor in self._row_of[parameter]:
            return self._row_of[parameter][sensor]
        row, number = len(self.sensors), self._station_of.setdefault(station, len(self.stations))
        if number == len(self.stations):
            self.stations.append(station)
        self._row_of[parameter][sensor] = row
        for kind in kinds_of(parameter):
            self.sensors.append(sensor)
            self._grow()
            self.kind[len(self.sensors) - 1], self.station[len(self.sensors) - 1] = kind, number
            if kind in (RAINFALL, HUMIDITY):
                self._together.setdefault(number, []).append(row)
        return row

    def _grow(self) -> None:
        """Make room for every series, a quarter more than there was."""
        room = len(self.head)
        if len(self.sensors) <= room:
            return
        more = max(64, room // 4)
        self.entries = enlarged(self.entries, more * K)
        self.numbers = np.concatenate([self.numbers, np.full(more * K, NOWHERE, np.int32)])
        for name in ("head", "count", "delta", "station", "kind"):
            held = getattr(self, name)
            setattr(self, name, np.concatenate([held, np.zeros(more, held.dtype)]))
