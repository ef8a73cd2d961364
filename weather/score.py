"""How much readings are worth, from 0 to 1, in five dimensions.

================  ===========================================================================
completeness      what should be there is there: 1 with a value, 0 without; of many readings,
                  those with a value as a part of those expected
validity          what the tests of the reading's own series say: 1 good, ½ suspect, 0 failed
timeliness        how soon it was there: 1 up to an hour, ½ from a day, linear between; also ½
                  where its time is impossible; not judged beyond a week, which is history
consistency       what the tests against other measures and stations say: 1, ½, 0
uniqueness        1 where a reading is the only one of its sensor and time, or the one that won,
                  0 where it gave way; of many, the distinct ones as a part of all
================  ===========================================================================

**The score is the product of those that were judged**, NaN where neither value nor validity was.
Why a product: in a mean, a failed reading buys itself off by being punctual and unique; here
nothing is worth more than its worst side, two faults weigh more than one, and what was not judged
changes nothing. It keeps what stands on clean readings: good 1, suspect ½, failed or missing 0.
Why ½ for suspect: below the threshold of 0.7, yet far from failed. The same formula holds for a
batch, a sensor and a day, over the means of their readings' dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Flags, Floats, Micros
from weather.qc.flags import FAIL, GOOD, MISSING, NOT_EVALUATED, SUSPECT, aggregate

_HOUR: Final = 3_600_000_000
PROMPT: Final = _HOUR
LATE: Final = 24 * _HOUR
HISTORY: Final = 7 * 24 * _HOUR
"""Beyond this nobody waited for the reading: the daily import reads the last 7 days again."""
_LATE_WORTH: Final = 0.5

_WORTH: Final = np.full(10, np.nan)
_WORTH[[GOOD, SUSPECT, FAIL]] = [1.0, 0.5, 0.0]
_VALIDITY: Final = _WORTH.copy()
_VALIDITY[MISSING] = 0.0


class Dimension(StrEnum):
    """A side of quality."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    TIMELINESS = "timeliness"
    CONSISTENCY = "consistency"
    UNIQUENESS = "uniqueness"


_TOLD_BY: Final = {
    Dimension.CONSISTENCY: ("consistency", "together", "buddy", "neighbour", "spatial"),
    Dimension.TIMELINESS: ("time", "late"),
    Dimension.UNIQUENESS: ("duplicate", "repeat"),
}
NO_QUALITY: Final = frozenset({"flag", "flag_metadata"})
"""Flags of no dimension: the aggregate, and whether metadata is known."""


class Scores(NamedTuple):
    """Scores of n readings, or of n groups of them; NaN where a dimension was not judged."""

    completeness: Floats
    validity: Floats
    timeliness: Floats
    consistency: Floats
    uniqueness: Floats

    @property
    def score(self) -> Floats:
        """The product of the dimensions that were judged.

        >>> nan = np.array([np.nan, np.nan])
        >>> one = np.ones(2)
        >>> Scores(one, np.array([0.5, np.nan]), nan, one, one).score.tolist()
        [0.5, nan]
        """
        together = np.prod([np.where(np.isnan(part), 1.0, part) for part in self], axis=0)
        unjudged = np.isnan(self.validity) & ~(self.completeness == 0.0)
        return np.where(unjudged, np.nan, together)


def validity(flags: Flags) -> Floats:
    """Score aggregate flags: good 1, suspect ½, failed and missing 0, not evaluated NaN.

    >>> validity(np.array([1, 3, 4, 9, 2])).tolist()
    [1.0, 0.5, 0.0, 0.0, nan]
    """
    return _VALIDITY[flags]


@cache
def dimension_of(field: str) -> Dimension | None:
    """Say which dimension the flag of a test belongs to, by its field; a new test's, too.

    >>> dimension_of("flag_speed_step"), dimension_of("flag_buddy")
    (<Dimension.VALIDITY: 'validity'>, <Dimension.CONSISTENCY: 'consistency'>)
    """
    if field in NO_QUALITY:
        return None
    words = field.split("_")
    told = (side for side, names in _TOLD_BY.items() if any(name in words for name in names))
    return next(told, Dimension.VALIDITY)


def timeliness(delay: Micros | None, flag_time: Flags | None, count: int) -> Floats:
    """Score how soon readings were there; ``delay`` from the observation to the reading of its row.

    >>> hour = 3_600_000_000
    >>> timeliness(np.array([0, 12.5, 24, 100, 200]) * hour, None, 5).tolist()
    [1.0, 0.75, 0.5, 0.5, nan]
    """
    known = np.full(count, np.nan)
    if delay is not None:
        part = (np.asarray(delay, np.float64) - PROMPT) / (LATE - PROMPT)
        known = 1.0 - (1.0 - _LATE_WORTH) * np.clip(part, 0.0, 1.0)
        known[np.asarray(delay) > HISTORY] = np.nan
    doubtful = np.full(count, np.nan) if flag_time is None else _WORTH[flag_time]
    found: Floats = np.fmin(known, np.where(doubtful < 1.0, doubtful, np.nan))
    return found


def of_readings(
    flags: Mapping[str, Flags],
    missing: Bools,
    delay: Micros | None = None,
    repeated: Bools | None = None,
) -> Scores:
    """Score readings, all arrays of shape (n,).

    Args:
        flags: of every test, by field of the clean schema (``flag_step``, ``flag_time``, …).
        missing: where the main measure gave no value.
        delay: from the observation to the reading of its row, in microseconds.
        repeated: which readings gave way to another of the same sensor and time.

    >>> flags = {"flag_range": np.array([1, 1, 9]), "flag_step": np.array([1, 3, 9])}
    >>> of_readings(flags, np.array([False, False, True])).score.tolist()
    [1.0, 0.5, 0.0]
    """
    count = len(missing)
    unique = np.ones(count) if repeated is None else np.where(repeated, 0.0, 1.0)
    return Scores(
        completeness=np.where(missing, 0.0, 1.0),
        validity=_told(flags, Dimension.VALIDITY, count),
        timeliness=timeliness(delay, flags.get("flag_time"), count),
        consistency=_told(flags, Dimension.CONSISTENCY, count),
        uniqueness=np.fmin(unique, _told(flags, Dimension.UNIQUENESS, count)),
    )


def of_stream(flag: Flags, flags: Mapping[str, Flags], delay: Micros | None = None) -> Floats:
    """Score readings of which nearly all are good: what :func:`of_readings` says of them, but less.

    ``flag`` is the aggregate, metadata included: what it calls not evaluated (2) has no score. Only
    those that are not good are looked into.

    >>> flags = {"flag_range": np.array([1, 1, 9]), "flag_step": np.array([1, 3, 9])}
    >>> of_stream(np.array([1, 3, 9]), flags).tolist()
    [1.0, 0.5, 0.0]
    """
    found = np.ones(len(flag)) if delay is None else timeliness(delay, None, len(flag))
    found[np.isnan(found)] = 1.0
    odd = np.flatnonzero(flag != GOOD)
    if len(odd):
        theirs = {field: column[odd] for field, column in flags.items()}
        late = None if delay is None else delay[odd]
        score = of_readings(theirs, flag[odd] == MISSING, late).score
        found[odd] = np.where(flag[odd] == NOT_EVALUATED, np.nan, score)
    return found


def of_groups(
    scores: Scores, group: NDArray[np.int64], groups: int, expected: Floats | None = None
) -> Scores:
    """Score groups of readings: a batch, sensors, days.

    ``group`` (n,) numbers each reading's group below ``groups``; ``expected`` (groups,) is how many
    readings there should be, NaN where no cadence is known: then those that came count. Readings
    that gave way count for uniqueness alone.

    >>> scores = of_readings({"flag_range": np.array([1, 1, 3])}, np.zeros(3, bool))
    >>> of_groups(scores, np.array([0, 0, 1]), 2, np.array([4.0, 1.0])).score.tolist()
    [0.5, 0.5]
    """
    kept = ~(scores.uniqueness == 0.0)
    came = _sum(kept, group, groups)
    there = _sum(kept & (scores.completeness > 0.0), group, groups)
    wanted = came if expected is None else np.where(np.isnan(expected), came, expected)
    means = {
        name: _mean(getattr(scores, name), kept, group, groups)
        for name in (Dimension.VALIDITY, Dimension.TIMELINESS, Dimension.CONSISTENCY)
    }
    return Scores(
        completeness=np.minimum(_ratio(there, wanted), 1.0),
        uniqueness=_mean(scores.uniqueness, np.ones_like(kept), group, groups),
        **{str(name): mean for name, mean in means.items()},
    )


def _told(flags: Mapping[str, Flags], dimension: Dimension, count: int) -> Floats:
    """Score what the tests of a dimension say together; a missing value is no fault of theirs."""
    mine: Iterable[Flags] = [
        column for field, column in flags.items() if dimension_of(field) is dimension
    ]
    return _WORTH[aggregate(*mine)] if mine else np.full(count, np.nan)


def _sum(which: Bools, group: NDArray[np.int64], groups: int) -> Floats:
    return np.bincount(group[which], minlength=groups).astype(np.float64)


def _mean(values: Floats, which: Bools, group: NDArray[np.int64], groups: int) -> Floats:
    judged = which & ~np.isnan(values)
    total = np.bincount(group[judged], weights=values[judged], minlength=groups)
    return _ratio(total.astype(np.float64), _sum(judged, group, groups))


def _ratio(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0.0)
    return found
