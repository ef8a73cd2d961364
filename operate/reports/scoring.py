"""Scores from counts: what :mod:`weather.score` says of readings, weighed by how many they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from operate.reports.questions import Row
from weather.arrays import Floats
from weather.qc.flags import Flag
from weather.score import Dimension, Scores, of_readings

_HOUR: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Worth:
    """What some readings are worth; a dimension that was not judged is None."""

    readings: int
    score: float | None
    dimensions: Mapping[str, float | None]

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        return {"readings": self.readings, "score": self.score, **self.dimensions}


def worths(
    rows: Sequence[Row], flags: Sequence[str], by: str | None, expected: Mapping[str, float]
) -> dict[str, Worth]:
    """Score the readings of one parameter that were counted, by a column; by None, all of them.

    ``expected`` is how many readings there should be of each; of those not named, as many as came.
    """
    if not rows:
        return {}
    names = [str(row[by]) if by else "" for row in rows]
    groups = sorted(set(names))
    group = np.array([groups.index(name) for name in names])
    weight = np.array([row["readings"] for row in rows], np.float64)
    columns = {name: np.array([row[name] for row in rows], np.int32) for name in flags}
    missing = np.array([row["flag"] for row in rows]) == Flag.MISSING
    delay = np.array([row["hours_late"] for row in rows], np.int64) * _HOUR
    parts = of_readings(columns, missing, delay)
    wanted = np.array([expected.get(name, np.nan) for name in groups])
    found = _weighed(parts, group, weight, wanted)
    counted = np.bincount(group, weights=weight)
    return {
        name: Worth(
            int(counted[place]),
            _number(found.score[place]),
            {side.value: _number(getattr(found, side.value)[place]) for side in Dimension},
        )
        for place, name in enumerate(groups)
    }


def _weighed(parts: Scores, group: NDArray[np.int64], weight: Floats, wanted: Floats) -> Scores:
    count = len(wanted)

    def mean(side: Floats) -> Floats:
        known = ~np.isnan(side)
        total = np.bincount(group[known], (side * weight)[known], minlength=count)
        of = np.bincount(group[known], weight[known], minlength=count)
        found: Floats = np.divide(total, of, out=np.full(count, np.nan), where=of > 0)
        return found

    there = np.bincount(group, weight * (parts.completeness > 0), minlength=count)
    came = np.bincount(group, weight, minlength=count)
    whole = np.where(np.isnan(wanted), came, np.maximum(wanted, 1.0))
    return Scores(
        completeness=np.minimum(there / whole, 1.0),
        validity=mean(parts.validity),
        timeliness=mean(parts.timeliness),
        consistency=mean(parts.consistency),
        uniqueness=mean(parts.uniqueness),
    )


def by_test(rows: Sequence[Row], flags: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count by test what it found suspect and failed; tests that found nothing are left out."""
    found: dict[str, dict[str, int]] = {}
    for name in flags:
        counts = {
            word: sum(row["readings"] for row in rows if row[name] == flag)
            for word, flag in (("suspect", Flag.SUSPECT), ("failed", Flag.FAIL))
        }
        if any(counts.values()):
            found[name.removeprefix("flag_")] = counts
    return found


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
