"""What a model adds to the rules: faults put into a station that it has never seen.

It grows on the other stations of a table. The station that is left out is judged twice by the
stream's own code, by the rules alone and with the model beside them, with the same faults in it;
then it is held against the stations around it, as the neighbours' agent does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from operate.anomaly.company import odd_beside
from operate.anomaly.forest import Growth
from operate.anomaly.history import History, histories
from operate.anomaly.training import ALERT_RATE, trained
from operate.anomaly.tuning import with_models
from operate.quality.course import Verdicts, is_bad, verdicts
from operate.quality.faults import CASES, MAIN, Case, Put
from operate.quality.readings import Past
from operate.quality.recall import percent
from operate.quality.series import as_live, series_of, with_faults
from schemas.columnar import Integers
from weather.arrays import Bools, Flags
from weather.injection import NONE, Fault
from weather.parameters import parameter_of
from weather.qc.flags import Flag
from weather.ruleset import DEFAULT, Ruleset

_ROUNDS: Final = 3
_FIELD: Final = "flag_anomaly"
WAYS: Final = ("rules", "model alone", "neighbours alone", "all")
"""Ways of judging that are compared: the last is the rules, and both models beside them."""


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
    beside: Found
    all: Found

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table."""
        told = {"fault": str(self.fault), "parameter": self.parameter}
        ways = dict(zip(WAYS, (self.rules, self.model, self.beside, self.all), strict=True))
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
    beside: int
    all: int

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table."""
        parts = dict(zip(WAYS, (self.rules, self.model, self.beside, self.all), strict=True))
        shares = {name: f"{100 * part / self.readings:.3f} %" for name, part in parts.items()}
        named = {"station": self.station, "parameter": self.parameter, "readings": self.readings}
        return {**named, **shares}


class Judged(NamedTuple):
    """What came out: healthy readings flagged, faults found."""

    healthy: list[Healthy]
    faults: list[Compared]


def ruleset_of(
    known: Mapping[str, History],
    growth: Growth,
    rate: float = ALERT_RATE,
    base: Ruleset = DEFAULT,
    without: str = "",
) -> Ruleset:
    """Train on histories, and give the rules with the models beside them.

    Of the station that is left out nothing is learnt; it is there as a neighbour of the others.
    """
    grown = {
        name: trained(
            one.clean_where(~np.char.startswith(one.sensors, f"{without}:")),
            growth,
            rate,
            among=one,
        )
        for name, one in known.items()
    }
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
    known = histories(verdicts(past))
    healthy: list[Healthy] = []
    found: dict[tuple[Fault, str], Compared] = {}
    for station in stations:
        tell(f"{station}: growing trees on the others")
        ruleset = ruleset_of(known, growth or Growth(), rate, without=station)
        company = _Company(known, ruleset)
        alone = _of(past, {station})
        live = as_live(alone, verdicts(alone))
        usual = verdicts(live)
        clean = company.ways(usual, verdicts(live, ruleset))
        healthy += list(_healthy(station, clean))
        series = series_of(live, usual, MAIN)
        for case in [one for one in cases if one.fault is not Fault.RESET]:
            tell(f"{station}: {case.fault}, {case.told()}")
            for seed in range(_ROUNDS):
                put = case.put(series, seed)
                if put:
                    faulty = with_faults(live, put)
                    after = company.ways(verdicts(faulty), verdicts(faulty, ruleset))
                    _add(found, case.fault, put, clean, after)
    return Judged(healthy, [found[key] for key in sorted(found)])


class _Way(NamedTuple):
    """What one way of judging found of the readings of a parameter, and the offsets of these."""

    flags: Flags
    offsets: Integers


@dataclass(frozen=True, slots=True)
class _Company:
    """What readings are looked at beside: those of the healthy stations around."""

    known: Mapping[str, History]
    ruleset: Ruleset

    def ways(
        self, rules: Mapping[str, Verdicts], model: Mapping[str, Verdicts]
    ) -> dict[str, tuple[_Way, ...]]:
        """Give what every way found, by parameter, in the order of :data:`WAYS`."""
        return {name: self._of(name, rules[name], model[name]) for name in rules}

    def _of(self, name: str, rules: Verdicts, model: Verdicts) -> tuple[_Way, ...]:
        offsets = model.judged.offsets
        beside = self._beside(name, model)
        every = np.where(is_bad(model.flag) | (beside != Flag.SUSPECT), model.flag, beside)
        return (
            _Way(rules.flag, rules.judged.offsets),
            _Way(model.flags[_FIELD], offsets),
            _Way(beside, offsets),
            _Way(every, offsets),
        )

    def _beside(self, name: str, found: Verdicts) -> Flags:
        """Ask the neighbours, as their agent does: they are judged already."""
        flags = np.full(len(found.flag), np.int32(Flag.NOT_EVALUATED))
        anomaly = self.ruleset.limits_of(name, parameter_of(name).main.name).anomaly
        if anomaly is None or anomaly.company is None:
            return flags
        mine, order = History.in_order(name, found)
        odd = odd_beside(mine, self.known[name], anomaly.company)
        flags[order[odd]] = Flag.SUSPECT
        return flags


def _add(
    found: dict[tuple[Fault, str], Compared],
    fault: Fault,
    put: Sequence[Put],
    clean: Mapping[str, tuple[_Way, ...]],
    after: Mapping[str, tuple[_Way, ...]],
) -> None:
    for one in put:
        name, event = one.series.parameter, one.faulty.event
        blank = Compared(fault, name, 0, Found(), Found(), Found(), Found())
        compared = found.setdefault((fault, name), blank)
        compared.events += len(np.unique(event[event != NONE]))
        counted = compared.rules, compared.model, compared.beside, compared.all
        for way, before, now in zip(counted, clean[name], after[name], strict=True):
            bad, known = _bad(now, one.series.rows), _bad(before, one.series.rows)
            way.add(event, np.where(event != NONE, bad & ~known, bad))


def _bad(way: _Way, rows: Any) -> Bools:
    by_offset = np.full(int(rows.max()) + 1, np.int32(Flag.MISSING))
    mine = way.offsets < len(by_offset)
    by_offset[way.offsets[mine]] = way.flags[mine]
    bad: Bools = is_bad(by_offset[rows])
    return bad


def _healthy(station: str, clean: Mapping[str, tuple[_Way, ...]]) -> Iterator[Healthy]:
    for name, ways in clean.items():
        there = int((ways[0].flags != Flag.MISSING).sum())
        if there:
            yield Healthy(station, name, there, *(int(is_bad(way.flags).sum()) for way in ways))


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
