"""When, where and over how long readings were made: what the limits of a single value depend on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Flags, Floats, Micros
from weather.limits import Limits, Timeliness
from weather.parameters import parameter_of
from weather.qc.arrival import ANY_DELAY, Arrival, timeliness_test
from weather.qc.climate import climate_test
from weather.qc.flags import Flag, aggregate, flags_like
from weather.qc.rain import amount_test
from weather.qc.range import range_test
from weather.ruleset import Ruleset, months_of


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of readings, each of shape (n,) or None; what is not known, nothing asks for.

    Attributes:
        observed_local: local time in microseconds, for the month.
        classes: of their stations, 1 to 5; 0 where it is not known.
        minutes: over how many minutes rain fell; None of a counter's totals.
    """

    observed_local: Micros | None = None
    classes: NDArray[np.integer] | None = None
    minutes: Floats | None = None

    def take(self, rows: Bools) -> Circumstances:
        """Pick readings."""
        given: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return replace(self, **{n: one if one is None else one[rows] for n, one in given.items()})


UNKNOWN: Final = Circumstances()


def range_flags(
    parameter: str, measure: str, values: Floats, ruleset: Ruleset, known: Circumstances = UNKNOWN
) -> Flags:
    """Flag single values of a measure by range, climate and amount, whichever is worst.

    An override for a class or month stands only where these are known.

    >>> from weather.korea import KOREA
    >>> july = Circumstances(observed_local=np.full(2, 1_531_000_000_000_000))
    >>> range_flags("temperature", "value", np.array([4.9, 5.0]), KOREA, july).tolist()
    [3, 1]

    Raises:
        ValueError: the ruleset has no limits for it.
    """
    if not ruleset.depends(parameter, measure):
        return _judged(ruleset.limits_of(parameter, measure), values, known)
    flags = flags_like(values.shape, Flag.MISSING)
    for limits, rows in ruleset.cases(parameter, measure, *_where(known, len(values))):
        flags[rows] = _judged(limits, values[rows], known.take(rows))
    return flags


def arrival_of(
    parameter: str,
    observed: Micros,
    arrived: Micros,
    ruleset: Ruleset,
    known: Circumstances = UNKNOWN,
    usual: Timeliness = ANY_DELAY,
) -> Arrival:
    """Find readings that come too early or too late, by the limits of class and month.

    ``observed`` and ``arrived`` are in UTC microseconds. Where a ruleset says nothing, the
    ``usual`` limits hold.

    >>> from weather.ruleset import DEFAULT
    >>> at = np.array([0, 600]) * 1_000_000
    >>> arrival_of("temperature", at, at[:1], DEFAULT).flags.tolist()
    [1, 3]
    """
    measure = parameter_of(parameter).main.name
    if not ruleset.depends(parameter, measure):
        limits = ruleset.limits_of(parameter, measure).timeliness
        return timeliness_test(observed, arrived, limits or usual)
    arrived = np.broadcast_to(arrived, observed.shape)
    ahead, late = np.zeros((2, len(observed)), np.bool_)
    for one, rows in ruleset.cases(parameter, measure, *_where(known, len(observed))):
        made = timeliness_test(observed[rows], arrived[rows], one.timeliness or usual)
        ahead[rows] = made.ahead
        if made.late is not None:
            late[rows] = made.late
    return Arrival(ahead, late)


def _where(known: Circumstances, n: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Give class and month of each reading, 0 where they are not known."""
    nowhere = np.zeros(n, np.int64)
    classes = nowhere if known.classes is None else known.classes
    return classes, nowhere if known.observed_local is None else months_of(known.observed_local)


def _judged(limits: Limits, values: Floats, known: Circumstances) -> Flags:
    flags = range_test(values, limits.fail, limits.suspect)
    if limits.climate and known.observed_local is not None:
        months = months_of(known.observed_local)
        flags = aggregate(flags, climate_test(values, months, limits.climate))
    if limits.amounts and known.minutes is not None:
        flags = aggregate(flags, amount_test(values, known.minutes, limits.amounts))
    return flags
