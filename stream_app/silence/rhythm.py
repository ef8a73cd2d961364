"""The rhythm of sensors: how far apart their readings come, learnt from the readings themselves.

A rhythm is the median of the last waits between two arrivals that each brought something newer.
Waits are measured by when raw readings were published, not by when they were observed: a source
that is read once an hour brings sixty minute readings at once, and its sensors are silent only
when an hour passes without any. Within such a burst, and while history is read, arrivals follow
each other much faster than the observations that they tell of; those waits say nothing and are
left out. All of it is arrays, one entry for each sensor of one parameter in one partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.codec import Record
from stream_app.cleaned import CleanedColumns
from weather.arrays import Bools, Floats, Micros

_WAITS: Final = 8
_ENOUGH: Final = 3
"""A median of fewer waits is none."""
NEVER: Final = np.iinfo(np.int64).min
_AHEAD_MICROS: Final = 300_000_000
"""A reading further ahead of its own publication is no sign of what is newest."""

Places = NDArray[np.int64]


class Rhythms:
    """Newest reading, last arrival and rhythm of each sensor; ``ids`` gives their order."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.stations: list[str] = []
        self.newest: Micros = np.empty(0, np.int64)
        self.arrived: Micros = np.empty(0, np.int64)
        self.silent: Bools = np.empty(0, np.bool_)
        self._interval: Floats = np.empty(0)
        self._waits: Floats = np.empty((0, _WAITS))
        self._counts = np.empty(0, np.int64)
        self._places: dict[str, int] = {}

    def places(self, sensors: Sequence[str], stations: Sequence[str]) -> Places:
        """Give the place of each sensor; whoever is new gets the next one."""
        if not self._places.keys() >= set(sensors):
            self._welcome(sensors, stations)
        return np.array([self._places[sensor] for sensor in sensors], dtype=np.int64)

    def place(self, sensor: str) -> int:
        """Give the place of a sensor that is known."""
        return self._places[sensor]

    def news(self, heard: CleanedColumns, places: Places) -> Bools:
        """Say which readings are newer than all that their sensor had sent before."""
        newer = heard.observed_at > self.newest[places[heard.sensor]]
        ahead = heard.observed_at > heard.published_at + _AHEAD_MICROS
        told: Bools = newer & ~heard.deleted & ~ahead
        return told

    def learn(self, heard: CleanedColumns, places: Places) -> Places:
        """Take in readings, and give the places of the sensors that they brought news of."""
        news = np.flatnonzero(self.news(heard, places))
        place = places[heard.sensor[news]]
        order = np.lexsort((heard.observed_at[news], place))
        chosen, place = news[order], place[order]
        observed, arrived = heard.observed_at[chosen], heard.published_at[chosen]
        self._learn_waits(place, observed, arrived)
        _, last = _bounds(place)
        touched = place[last]
        self.newest[touched] = observed[last]
        self.arrived[touched] = np.maximum(self.arrived[touched], arrived[last])
        self._interval[touched] = heard.interval[chosen[last]] / 1e6
        self.silent[touched] = False
        return touched

    def cadences(self) -> Floats:
        """Give how far apart the readings of each sensor come, in seconds; NaN where unknown.

        Never less than their measuring interval: readings of ten minutes come every ten.
        """
        enough = self._counts >= _ENOUGH
        middle = (np.minimum(self._counts, _WAITS) - 1) // 2
        ordered = np.sort(self._waits, axis=1)  # what is not there stands behind what is
        median = ordered[np.arange(len(ordered)), np.maximum(middle, 0)]
        return np.where(enough, np.maximum(median, self._interval), np.nan)

    @property
    def intervals(self) -> Floats:
        """Measuring intervals in seconds; 0 for momentary values."""
        return self._interval

    def restore(self, record: Record, now: int) -> None:
        """Take back what was written of some sensors; each of them counts as heard just now."""
        places = self.places(record["sensor_ids"], record["station_ids"])
        self.newest[places] = record["observed_at"]
        self.arrived[places] = now
        self.silent[places] = record["silent"]
        self._interval[places] = record["intervals"]
        cadences = np.array(record["cadences"], dtype=np.float64)
        known = cadences >= 0
        self._waits[places[known], :_ENOUGH] = cadences[known, np.newaxis]
        self._counts[places[known]] = _ENOUGH

    def _welcome(self, sensors: Sequence[str], stations: Sequence[str]) -> None:
        for sensor, station in zip(sensors, stations, strict=True):
            if sensor not in self._places:
                self._places[sensor] = len(self.ids)
                self.ids.append(sensor)
                self.stations.append(station)
        self._grow(len(self.ids) - len(self.newest))

    def _grow(self, more: int) -> None:
        self.newest = np.append(self.newest, np.full(more, NEVER))
        self.arrived = np.append(self.arrived, np.full(more, NEVER))
        self.silent = np.append(self.silent, np.zeros(more, np.bool_))
        self._interval = np.append(self._interval, np.zeros(more))
        self._waits = np.vstack([self._waits, np.full((more, _WAITS), np.nan)])
        self._counts = np.append(self._counts, np.zeros(more, np.int64))

    def _learn_waits(self, place: Places, observed: Micros, arrived: Micros) -> None:
        first, _ = _bounds(place)
        step, wait = observed.copy(), arrived.copy()
        step[1:] -= observed[:-1]
        wait[1:] -= arrived[:-1]
        known = self.newest[place] != NEVER
        step[first] = np.where(known, observed - self.newest[place], 0)[first]
        wait[first] = np.where(known, arrived - self.arrived[place], 0)[first]
        telling = (step > 0) & (2 * wait >= step)
        self._remember(place[telling], wait[telling] / 1e6)

    def _remember(self, place: Places, waits: Floats) -> None:
        """Keep the last waits of each sensor, in a ring; ``place`` is sorted."""
        first, _ = _bounds(place)
        starts = np.flatnonzero(first)
        sizes = np.diff(np.append(starts, len(place)))
        rank = np.arange(len(place)) - np.repeat(starts, sizes)
        kept = np.repeat(sizes, sizes) - rank <= _WAITS
        slot = (self._counts[place] + rank) % _WAITS
        self._waits[place[kept], slot[kept]] = waits[kept]
        self._counts[place[first]] += sizes


def _bounds(place: Places) -> tuple[Bools, Bools]:
    """Mark the first and the last entry of each run of equal places."""
    changes = place[1:] != place[:-1]
    some = np.ones(min(1, len(place)), np.bool_)
    return np.concatenate([some, changes]), np.concatenate([changes, some])
