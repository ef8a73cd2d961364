"""Which part of the faults the tests find: by data set, fault, magnitude and parameter.

A fault counts as caught when one of its own readings is flagged 3 or 4 that is good in the healthy
series. The jump back, once a fault is over, is none of its own: it would be found too late.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from operate.quality.counters import with_resets
from operate.quality.course import Verdicts, is_bad, verdicts
from operate.quality.faults import CASES, MAIN, Case, Put, is_limited
from operate.quality.magnitudes import DRIFT_READINGS
from operate.quality.network import said
from operate.quality.readings import Past
from operate.quality.series import Series, as_live, series_of, with_faults
from operate.quality.targets import Target, target_of
from weather.arrays import Bools, Flags
from weather.injection import NONE, Fault, Places
from weather.ruleset import DEFAULT, Ruleset

_ENOUGH: Final = 30
"""Faults of a kind for which a short data set is gone through again, with other places."""
_MOST_ROUNDS: Final = 8
_DAY: Final = 86_400_000_000


@dataclass(slots=True)
class Recall:
    """What became of one fault at one magnitude in the series of one parameter."""

    data: str
    parameter: str
    case: Case
    events: int = 0
    caught: int = 0
    readings: int = 0
    flagged: int = 0
    limited: bool = False
    brief: bool = False
    by: Counter[str] = field(default_factory=Counter)

    def add(self, event: Places, flagged: Bools) -> None:
        """Count the faults of a series; both (n,): their numbers, and what is newly flagged."""
        inside = event != NONE
        self.readings += int(inside.sum())
        self.flagged += int((flagged & inside).sum())
        self.events += len(np.unique(event[inside]))
        self.caught += len(np.unique(event[flagged & inside]))

    @property
    def recall(self) -> float:
        """The part of the faults that was caught."""
        return self.caught / self.events if self.events else math.nan

    @property
    def target(self) -> Target:
        """What was to be reached."""
        return target_of(self.case, self.parameter, limited=self.limited, brief=self.brief)

    @property
    def holds(self) -> bool | None:
        """Whether it was; None where there was nothing to reach, or nothing to judge by."""
        least = self.target.least
        return None if least is None or not self.events else self.recall >= least

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table, and of JSON."""
        least = self.target.least
        return {
            "data": self.data,
            "fault": str(self.case.fault),
            "magnitude": self.case.told(self.parameter),
            "parameter": self.parameter,
            "faults": self.events,
            "caught": percent(self.recall),
            "readings": percent(self.flagged / self.readings if self.readings else math.nan),
            "by": ", ".join(name for name, _ in self.by.most_common(2)),
            "target": "" if least is None else percent(least),
            "holds": self.holds,
            "would take": "" if self.holds else self.target.would_take,
        }


def recalls(
    data: str,
    past: Past,
    cases: Sequence[Case] = CASES,
    ruleset: Ruleset = DEFAULT,
    tell: Callable[[str], None] = lambda _what: None,
    *,
    around: bool = False,
) -> Iterator[Recall]:
    """Put each case into a data set in turn, and see what is found.

    ``around``: the stations of a :mod:`~operate.quality.network` are asked, too.
    """
    past = as_live(past, verdicts(past, ruleset))
    healthy = verdicts(past, ruleset)
    series = series_of(past, healthy, MAIN, ruleset)
    for case in cases:
        tell(f"{data}: {case.fault}, {case.told()}")
        found: dict[str, Recall] = {}
        if case.fault is Fault.RESET:
            yield from _of_counters(data, case, series)
            continue
        for seed in range(_MOST_ROUNDS):
            short = [one for one in series if _is_short(found.get(one.parameter))]
            put = [one for one in case.put(series, seed) if one.series in short] if short else []
            if not put:
                break
            judged = verdicts(with_faults(past, put), ruleset)
            for one in put:
                name = one.series.parameter
                recall = found.setdefault(name, Recall(data, name, case))
                told = is_bad(said(one)) if around else np.zeros(len(one.series.at), np.bool_)
                _count(recall, one, (healthy[name], judged[name]), told)
        yield from found.values()


def _of_counters(data: str, case: Case, every: Sequence[Series]) -> Iterator[Recall]:
    recall = Recall(data, "rainfall", case, limited=True)
    for series in every:
        if series.parameter == "rainfall":
            judged = with_resets(series, case.magnitude, seed=0)
            recall.add(judged.faulty.event, judged.flagged)
            recall.by["rain_counter"] += recall.caught
    if recall.events:
        yield recall


def percent(part: float) -> str:
    """Write a part.

    >>> percent(0.953), percent(math.nan)
    ('95 %', '-')
    """
    return "-" if math.isnan(part) else f"{math.floor(100 * part + 1e-9)} %"


def _is_short(recall: Recall | None) -> bool:
    return recall is None or recall.events < _ENOUGH


def _count(recall: Recall, put: Put, found: tuple[Verdicts, Verdicts], told: Bools) -> None:
    """Count what was found; ``told`` is what the stations around contradict, (n,)."""
    (before, after), rows, event = found, put.series.rows, put.faulty.event
    count = 1 + max(int(one.judged.offsets.max()) for one in (before, after))
    new = _new(before.flag, before, after.flag, after, count)[rows]
    recall.add(event, new | told)
    recall.limited |= is_limited(put.series)
    recall.brief |= put.series.cadence * DRIFT_READINGS < _DAY
    if told.any():
        recall.by["neighbours"] += len(np.unique(event[told]))
    for name, flags in after.flags.items():
        mine = _new(before.flags[name], before, flags, after, count)[rows]
        number = len(np.unique(event[mine & (event != NONE)]))
        if number:
            recall.by[name.removeprefix("flag_")] += number


def _new(was: Flags, before: Verdicts, now: Flags, after: Verdicts, count: int) -> Bools:
    """Say of which readings, by offset, a flag is bad now that was not."""
    bad = np.zeros((2, count), np.bool_)
    bad[0, before.judged.offsets] = is_bad(was)
    bad[1, after.judged.offsets] = is_bad(now)
    found: Bools = bad[1] & ~bad[0]
    return found


def summary(found: Iterable[Recall]) -> list[Mapping[str, Any]]:
    """Lay it out fault by magnitude, a column for each parameter."""
    rows: dict[tuple[str, Case], dict[str, Any]] = {}
    for one in found:
        blank: dict[str, Any] = {name: "" for name, _ in MAIN}
        row = rows.setdefault(
            (one.data, one.case),
            {"data": one.data, "fault": str(one.case.fault), "magnitude": one.case.told(), **blank},
        )
        row[one.parameter] = percent(one.recall) + ("" if one.holds is not False else " missed")
    return list(rows.values())
