"""Who has fallen silent, who is back: the sensors of one partition, judged by an injected clock.

A sensor is silent once nothing new has come of it for longer than ``cadences`` times its rhythm
(:mod:`stream_app.silence.rhythm`), and never before ``floor_seconds``. One whose rhythm is not
known yet is given a day. The clock of a parameter stands where its raw topic has been read to, see
:mod:`stream_app.silence.clock`: while a backlog is read nobody is silent for being unread. After a
restart or a move every sensor counts as heard just then, so what was missed in between is no
silence. A sensor that its metadata ended is not expected any more. Nothing ever waits for a
reading: a silence is an event, and readings that come late are judged like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.codec import Record
from stream_app.cleaned import CleanedColumns
from stream_app.silence.rhythm import NEVER, Places, Rhythms
from weather.arrays import Floats, Micros

KEY: Final = "silence#"
_DAY_SECONDS: Final = 86_400.0
_CHUNK: Final = 256
_EVERY_MICROS: Final = 60_000_000
"""How often what is known of sensors is written, at most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a sensor counts as silent: after so many cadences, and so many seconds."""

    cadences: float = 3.0
    floor_seconds: float = 300.0

    def limits(self, rhythms: Rhythms) -> Floats:
        """Give how long each sensor may say nothing, in seconds."""
        cadence = rhythms.cadences()
        known = np.where(np.isnan(cadence), rhythms.intervals, cadence)
        least = np.where(np.isnan(cadence), _DAY_SECONDS, self.floor_seconds)
        return np.maximum(self.cadences * known, least)


class Standing(NamedTuple):
    """How the sensors of a parameter are: the oldest of their newest readings, how many are silent.

    ``watermark`` is that of the sensors that are heard, in UTC microseconds; None where none is.
    """

    parameter: str
    watermark: int | None
    silent: int


class Watch:
    """Watches the sensors of one partition.

    ``expected`` says whether a sensor should be heard at a time (UTC microseconds).
    """

    def __init__(self, rule: Rule, expected: Callable[[str, int], bool]) -> None:
        self._rule = rule
        self._expected = expected
        self._rhythms: dict[str, Rhythms] = {}
        self._unwritten: set[tuple[str, int]] = set()
        self._written_at = 0

    def returning(self, heard: CleanedColumns) -> list[Record]:
        """Give an event for each silent sensor that these readings are news of."""
        rhythms = self._of(heard.parameter)
        if not rhythms.silent.any():
            return []
        places = rhythms.places(heard.sensors, heard.stations)
        news = rhythms.silent[places[heard.sensor]] & rhythms.news(heard, places)
        numbers, which = np.unique(heard.sensor[news], return_inverse=True)
        first = np.full(len(numbers), np.iinfo(np.int64).max)
        np.minimum.at(first, which, heard.observed_at[news])
        at = int(heard.published_at.max())
        return self._turns(heard.parameter, places[numbers], "heard", first, at)

    def hear(self, heard: CleanedColumns) -> None:
        """Take in readings whose transaction is committed."""
        rhythms = self._of(heard.parameter)
        places = rhythms.places(heard.sensors, heard.stations)
        touched = rhythms.learn(heard, places)
        chunks = np.unique(touched // _CHUNK).tolist()
        self._unwritten.update((heard.parameter, chunk) for chunk in chunks)

    def overdue(self, now: int) -> list[str]:
        """Name the parameters in which a sensor would be silent, were all read that is there."""
        return [name for name, rhythms in self._rhythms.items() if self._due(rhythms, now).size]

    def falling(self, clocks: Mapping[str, int]) -> list[Record]:
        """Give an event for each sensor that is silent by its parameter's clock."""
        turns = []
        for name, clock in clocks.items():
            rhythms = self._rhythms[name]
            due = self._due(rhythms, clock)
            turns += self._turns(name, due, "silent", rhythms.newest[due], clock)
        return turns

    def fell(self, turns: Iterable[Record]) -> None:
        """Take it that these sensors are silent: the events are committed."""
        for turn in turns:
            rhythms = self._rhythms[turn["parameter"]]
            rhythms.silent[rhythms.place(turn["sensor_id"])] = True

    def changes(self, now: int, turns: Collection[Record] = ()) -> list[tuple[str, Record]]:
        """Give key and record of what is to be kept: once a minute, and with every silence."""
        chunks = {
            (turn["parameter"], self._rhythms[turn["parameter"]].place(turn["sensor_id"]) // _CHUNK)
            for turn in turns
        }
        if now - self._written_at >= _EVERY_MICROS:
            chunks |= self._unwritten
        silent = {turn["sensor_id"] for turn in turns}
        return [(f"{KEY}{name}#{n}", self._record(name, n, silent)) for name, n in sorted(chunks)]

    def kept(self, now: int, changes: Collection[tuple[str, Record]]) -> None:
        """Take it that the changes are committed."""
        if changes and now - self._written_at >= _EVERY_MICROS:
            self._written_at = now
            self._unwritten.clear()

    def restore(self, record: Record, now: int) -> None:
        """Take back a record of :meth:`changes`."""
        self._of(record["parameter"]).restore(record, now)

    def standing(self) -> Iterator[Standing]:
        """Tell of each parameter, for the metrics."""
        for name, rhythms in self._rhythms.items():
            heard = rhythms.newest[~rhythms.silent & (rhythms.newest != NEVER)]
            yield Standing(
                name, int(heard.min()) if heard.size else None, int(rhythms.silent.sum())
            )

    def _of(self, parameter: str) -> Rhythms:
        return self._rhythms.setdefault(parameter, Rhythms())

    def _due(self, rhythms: Rhythms, at: int) -> Places:
        quiet = (at - np.maximum(rhythms.newest, rhythms.arrived)) / 1e6
        watched = (rhythms.newest != NEVER) & ~rhythms.silent
        due = np.flatnonzero(watched & (quiet > self._rule.limits(rhythms)))
        expected = [place for place in due.tolist() if self._expected(rhythms.ids[place], at)]
        return np.array(expected, dtype=np.int64)

    def _turns(
        self, parameter: str, places: Places, state: str, since: Micros, at: int
    ) -> list[Record]:
        if not places.size:
            return []
        rhythms = self._rhythms[parameter]
        cadences, limits = rhythms.cadences()[places], self._rule.limits(rhythms)[places]
        return [
            {
                "station_id": rhythms.stations[place],
                "sensor_id": rhythms.ids[place],
                "parameter": parameter,
                "state": state,
                "since": began,
                "last_observed_at": int(rhythms.newest[place]),
                "expected_cadence_seconds": None if np.isnan(cadence) else cadence,
                "limit_seconds": limit,
                "detected_at": at,
            }
            for place, began, cadence, limit in zip(
                places.tolist(), since.tolist(), cadences.tolist(), limits.tolist(), strict=True
            )
        ]

    def _record(self, parameter: str, chunk: int, silent: Collection[str]) -> Record:
        rhythms = self._rhythms[parameter]
        part = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        ids = rhythms.ids[part]
        return {
            "parameter": parameter,
            "sensor_ids": ids,
            "station_ids": rhythms.stations[part],
            "observed_at": rhythms.newest[part].tolist(),
            "intervals": rhythms.intervals[part].tolist(),
            "cadences": np.nan_to_num(rhythms.cadences()[part], nan=-1.0).tolist(),
            "silent": [
                bool(was) or name in silent
                for name, was in zip(ids, rhythms.silent[part], strict=True)
            ],
        }
