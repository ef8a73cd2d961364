"""What a model adds to the rules: faults put into a station that it has never seen.

It grows on the other stations of a table. The station that is left out is judged twice by the
stream's own code, by the rules alone and with the model beside them, with the same faults in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from operate.anomaly.forest import Growth
from operate.anomaly.history import histories
from operate.anomaly.training import ALERT_RATE, trained
from operate.anomaly.tuning import with_models
from operate.quality.course import Verdicts, is_bad, verdicts
from operate.quality.faults import CASES, MAIN, Case, Put
from operate.quality.readings import Past
from operate.quality.recall import percent
from operate.quality.series import as_live, series_of, with_faults
from weather.arrays import Bools, Flags
from weather.injection import NONE, Fault
from weather.qc.flags import Flag
from weather.ruleset import DEFAULT, Ruleset

_ROUNDS: Final = 3
_FIELD: Final = "flag_anomaly"


@dataclass(slots=True)
class Found:
    """What was found of faults by one way of judging; ``alarms`` are flagged readings."""

    caught: int = 0
    inside: int = 0
    alarms: int = 0

    def add(self, event: Any, flagged: Bools) -> None:
        """Count a series: the numbers of its faults, and which readings are flagged."""
        self.caught += len(np.unique(event[flagged & (event != NONE)]))
        self.inside += int((flagged & (event != NONE)).sum())
        self.alarms += int(flagged.sum())

    @property
    def precision(self) -> float:
        """The part of flagged readings that a fault was in."""
        return self.inside / self.alarms if self.alarms else math.nan


@dataclass(slots=True)
class Compared:
    """A fault in the series of a parameter, over all its magnitudes: by rules, with the model."""

    fault: Fault
    parameter: str
    events: int
    rules: Found
    model: Found
    both: Found

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table."""
        told = {"fault": str(self.fault), "parameter": self.parameter}
        ways = {"rules": self.rules, "model alone": self.model, "both": self.both}
        recall = {f"recall: {name}": self._recall(one) for name, one in ways.items()}
        precision = {f"precision: {name}": percent(one.precision) for name, one in ways.items()}
        return {**told, "faults": self.events, **recall, **precision}

    def _recall(self, one: Found) -> str:
        return percent(one.caught / self.events if self.events else math.nan)


class Healthy(NamedTuple):
    """How many readings of a healthy station are flagged."""

    station: str
    parameter: str
    readings: int
    rules: int
    model: int
    both: int

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table."""
        parts = {"rules": self.rules, "model alone": self.model, "both": self.both}
        shares = {name: f"{100 * part / self.readings:.3f} %" for name, part in parts.items()}
        named = {"station": self.station, "parameter": self.parameter, "readings": self.readings}
        return {**named, **shares}


class Judged(NamedTuple):
    """What came out: healthy readings flagged, faults found."""

    healthy: list[Healthy]
    faults: list[Compared]


def ruleset_of(
    past: Past, growth: Growth, rate: float = ALERT_RATE, base: Ruleset = DEFAULT
) -> Ruleset:
    """Train on a source that lies ready, and give the rules with the models beside them."""
    grown = {name: trained(one, growth, rate) for name, one in histories(verdicts(past)).items()}
    models = {name: one.at(rate) for name, one in grown.items() if one is not None}
    return with_models(base, "judged", models)


def judged(
    past: Past,
    stations: Sequence[str],
    growth: Growth | None = None,
    rate: float = ALERT_RATE,
    cases: Sequence[Case] = CASES,
    tell: Callable[[str], None] = lambda _what: None,
) -> Judged:
    """Leave each of some stations out in turn, and see what a model of the others says of it.

    ``past`` is one table, as it was read; several stations are summed up.
    """
    every = stations_of(past)
    healthy: list[Healthy] = []
    found: dict[tuple[Fault, str], Compared] = {}
    for station in stations:
        tell(f"{station}: growing trees on the others")
        ruleset = ruleset_of(_of(past, every - {station}), growth or Growth(), rate)
        alone = _of(past, {station})
        live = as_live(alone, verdicts(alone))
        clean = verdicts(live), verdicts(live, ruleset)
        healthy += list(_healthy(station, *clean))
        series = series_of(live, clean[0], MAIN)
        for case in [one for one in cases if one.fault is not Fault.RESET]:
            tell(f"{station}: {case.fault}, {case.told()}")
            for seed in range(_ROUNDS):
                put = case.put(series, seed)
                if put:
                    faulty = with_faults(live, put)
                    after = verdicts(faulty), verdicts(faulty, ruleset)
                    _add(found, case.fault, put, clean, after)
    return Judged(healthy, [found[key] for key in sorted(found)])


def _add(
    found: dict[tuple[Fault, str], Compared],
    fault: Fault,
    put: Sequence[Put],
    clean: tuple[Mapping[str, Verdicts], Mapping[str, Verdicts]],
    after: tuple[Mapping[str, Verdicts], Mapping[str, Verdicts]],
) -> None:
    for one in put:
        name, event = one.series.parameter, one.faulty.event
        blank = Compared(fault, name, 0, Found(), Found(), Found())
        compared = found.setdefault((fault, name), blank)
        compared.events += len(np.unique(event[event != NONE]))
        rows = one.series.rows
        ways = (
            (compared.rules, [was[name].flag for was in (clean[0], after[0])], (0, 0)),
            (compared.both, [was[name].flag for was in (clean[1], after[1])], (1, 1)),
            (compared.model, [was[name].flags[_FIELD] for was in (clean[1], after[1])], (1, 1)),
        )
        for way, (before, now), (first, second) in ways:
            bad = _bad(now, after[second][name], rows)
            known = _bad(before, clean[first][name], rows)
            new = bad & ~known
            way.add(event, np.where(event != NONE, new, bad))


def _bad(flags: Flags, found: Verdicts, rows: Any) -> Bools:
    by_offset = np.full(int(rows.max()) + 1, np.int32(Flag.MISSING))
    mine = found.judged.offsets < len(by_offset)
    by_offset[found.judged.offsets[mine]] = flags[mine]
    bad: Bools = is_bad(by_offset[rows])
    return bad


def _healthy(
    station: str, rules: Mapping[str, Verdicts], both: Mapping[str, Verdicts]
) -> Iterator[Healthy]:
    for name, found in rules.items():
        there = int((found.flag != Flag.MISSING).sum())
        odd = int(is_bad(both[name].flags[_FIELD]).sum())
        if there:
            counts = (int(found.bad.sum()), odd, int(both[name].bad.sum()))
            yield Healthy(station, name, there, *counts)


def stations_of(past: Past) -> set[str]:
    """Name the stations of a past."""
    heads = (head for decoded in past.readings.values() for head in decoded.heads)
    return {str(head.record["station_id"]) for head in heads}


def _of(past: Past, stations: set[str]) -> Past:
    """Leave only what some stations gave of a past of one table."""
    table = past.tables()[0]
    heads = (head for decoded in past.readings.values() for head in decoded.heads)
    others = {head.sensor for head in heads if head.record["station_id"] not in stations}
    return past.only(table, sorted(others))
