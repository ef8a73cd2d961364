"""Sensors that move away from the others of their parameter, week against the weeks before.

A day's mean is compared with the median of all stations' means of that day: weather moves all of
them, a drifting sensor itself. What it was away in the four weeks before is how it is placed (a
hill, a town); how much that varied is what is usual of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from operate.reports.questions import Row

BEFORE_DAYS: Final = 28
_FEWEST_STATIONS: Final = 3
_FEWEST_BEFORE: Final = 10
_FEWEST_NOW: Final = 3
_TIMES: Final = 4.0
LEAST: Final = {"temperature": 0.3, "humidity": 3.0, "pressure": 0.5, "wind": 0.5}
"""What is within a sensor's accuracy is no drift. Rain is left out: it falls where it falls."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a sensor's distance from the others has moved, in units of the measure."""

    sensor: str
    shift: float
    usual: float

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        return {"sensor": self.sensor, "shift": round(self.shift, 3), "usual": round(self.usual, 3)}


def drifts(days: Sequence[Row], since: date, least: float) -> list[Drift]:
    """Give the sensors whose shift is beyond four times what is usual; the greatest first.

    ``days`` are those of one parameter, with the four weeks before ``since``; a shift of no more
    than ``least`` is none.

    >>> from datetime import timedelta
    >>> first = date(2026, 3, 1)
    >>> rows = [
    ...     {"day": first + timedelta(days=n), "sensor_id": s, "mean": 9 + 0.1 * (n % 2) * s}
    ...     for n in range(35) for s in (1, 2, 3, 4)
    ... ]
    >>> drifts(rows, first + timedelta(days=28), 0.3)
    []
    >>> moved = [r | {"mean": r["mean"] + 2} if r["sensor_id"] == 4 and r["day"].day > 29
    ...          else r for r in rows]
    >>> [one.sensor for one in drifts(moved, first + timedelta(days=28), 0.3)]
    ['4']
    """
    away: dict[str, list[tuple[date, float]]] = {}
    for day, rows in _by_day(days).items():
        if len(rows) >= _FEWEST_STATIONS:
            middle = float(np.median([mean for _, mean in rows]))
            for sensor, mean in rows:
                away.setdefault(sensor, []).append((day, mean - middle))
    found = (_drift(sensor, known, since) for sensor, known in away.items())
    moved = [
        one for one in found if one is not None and abs(one.shift) > max(_TIMES * one.usual, least)
    ]
    return sorted(moved, key=lambda one: -abs(one.shift) / one.usual)


def _drift(sensor: str, known: list[tuple[date, float]], since: date) -> Drift | None:
    before = np.array([away for day, away in known if day < since])
    now = np.array([away for day, away in known if day >= since])
    if len(before) < _FEWEST_BEFORE or len(now) < _FEWEST_NOW:
        return None
    spread = float(before.std(ddof=1)) / len(now) ** 0.5
    return Drift(sensor, float(now.mean() - before.mean()), max(spread, 1e-3))


def _by_day(days: Sequence[Row]) -> dict[date, list[tuple[str, float]]]:
    found: dict[date, list[tuple[str, float]]] = {}
    for row in days:
        if row["mean"] is not None:
            found.setdefault(row["day"], []).append((str(row["sensor_id"]), float(row["mean"])))
    return found
