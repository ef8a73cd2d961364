"""Rain that is no increment: totals since midnight, and sums over the last so many hours."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from producers.inspect.facts import NO_TIME
from weather.arrays import Floats, Micros

_SPAN: Final = re.compile(r"(\d+)[ _-]?(min|m|hours|hour|hr|h|d)(?![a-z])", re.IGNORECASE)
_SPAN_BEFORE: Final = re.compile(r"(?:^|[ _-])(hr|hour|min)[ _-]?(\d+)", re.IGNORECASE)
_SYNOP: Final = re.compile(r"rr_?(\d+)", re.IGNORECASE)
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400}
_DAY: Final = 86_400_000_000


def rolling_seconds(name: str) -> int | None:
    """Give the span that a column of rain names; None where it names none.

    >>> [rolling_seconds(name) for name in ("RN_60M", "rn_hr1", "rr3", "RN")]
    [3600, 3600, 10800, None]
    """
    if found := _SYNOP.fullmatch(name):
        return int(found.group(1)) * 3600
    if found := _SPAN.search(name):
        return int(found.group(1)) * _SECONDS[found.group(2)[0].lower()]
    if found := _SPAN_BEFORE.search(name):
        return int(found.group(2)) * _SECONDS[found.group(1)[0].lower()]
    return None


def daily_totals(name: str) -> str:
    """Say why a total since midnight is left to a person."""
    return (
        f"{name} is a running total since midnight: beside it `counter: daily` makes amounts of "
        "it; as it stands, every row would count the whole day's rain again"
    )


def counter(name: str) -> str:
    """Say why a counter that is never reset is left to a person."""
    return (
        f"{name} only rises, as a counter that is never reset does: beside it `counter: running` "
        "makes amounts of it"
    )


def never_falls(local: Micros, values: Floats, groups: list[object]) -> bool:
    """Say whether values only rise, as those of a counter that is never reset do.

    >>> at = np.arange(10) * 3_600_000_000
    >>> never_falls(at, np.array([5.0, 5, 5, 6, 6, 8, 8, 8, 9, 9]), ["A"] * 10)
    True
    """
    use = np.isfinite(values) & (local != NO_TIME)
    _, numbers = np.unique(np.array([str(g) for g in groups]), return_inverse=True)
    order = np.lexsort((local, numbers))
    order = order[use[order]]
    steps = np.diff(values[order])[np.diff(numbers[order]) == 0]
    return int((steps > 0).sum()) >= 3 and int((steps < 0).sum()) <= 0.01 * len(steps)


def grows_within_days(local: Micros, values: Floats, groups: list[object]) -> bool:
    """Say whether values only rise within each day, and fall back to nothing between days.

    The total of 00:00 belongs to the day before, so a day begins right after it.
    """
    _, numbers = np.unique(np.array([str(g) for g in groups]), return_inverse=True)
    use = np.isfinite(values) & (local != NO_TIME)
    order = np.lexsort((local, numbers))
    order = order[use[order]]
    steps = np.diff(values[order])
    days = np.diff((local[order] - 1) // _DAY) == 0
    same = np.diff(numbers[order]) == 0
    rises = int((steps[same & days] > 0).sum())
    falls = int((steps[same & days] < 0).sum())
    resets = int((steps[same & ~days] < 0).sum())
    return rises >= 3 and resets >= 1 and falls <= 0.05 * rises
