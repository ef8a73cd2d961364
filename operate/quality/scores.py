"""The quality of a past in numbers: by sensor, by day, by batch, in five dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from operate.quality.course import Verdicts
from schemas.columnar import Integers
from weather.arrays import Floats
from weather.qc.flags import Flag
from weather.score import Dimension, Scores, of_groups, of_readings
from weather.score_policy import QUALITY_THRESHOLD

_DAY = 86_400_000_000


class By(StrEnum):
    """What readings are put together by."""

    SENSOR = "sensor"
    DAY = "day"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Worth:
    """The score of a sensor, of one of its days, or of a batch.

    ``dimensions`` are those that were judged. A batch has readings of many sensors and days: it
    names its parameter and its number instead.
    """

    sensor: str
    day: str
    readings: int
    score: float
    dimensions: Mapping[str, float]
    below: bool

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table."""
        parts = {side.value: _rounded(self.dimensions.get(side)) for side in Dimension}
        head = {"sensor": self.sensor, "day": self.day, "readings": self.readings}
        return {**head, "score": _rounded(self.score), **parts, "below": self.below}


def worths(
    found: Verdicts, by: By, threshold: float = QUALITY_THRESHOLD, *, live: bool = False
) -> Iterator[Worth]:
    """Score the sensors of a parameter, or each of their local days (00:00 belongs to the past).

    How many readings there should be follows from the sensor's usual distance of two, from its
    first reading on to its last. ``live``: what was read counts as read in time or late; else it is
    history.
    """
    judged = found.judged
    delay = judged.extracted - judged.utc if live else None
    scores = of_readings(found.flags, found.flag == Flag.MISSING, delay)
    names = np.array([origin.head.sensor for origin in judged.origins])[judged.origin]
    for sensor in np.unique(names).tolist():
        rows = np.flatnonzero(names == sensor)
        mine = Scores(*(side[rows] for side in scores))
        yield from _of_sensor(
            str(sensor), mine, judged.local[rows], judged.utc[rows], by, threshold
        )


def of_batches(
    found: Verdicts, page: Integers, threshold: float = QUALITY_THRESHOLD
) -> Iterator[Worth]:
    """Score what was read together; ``page`` says of each reading, by its offset, with which.

    What is complete is what came: nobody knows how much there should have been.
    """
    scores = of_readings(found.flags, found.flag == Flag.MISSING)
    numbers, group = np.unique(page[found.judged.offsets], return_inverse=True)
    grouped = of_groups(scores, group, len(numbers))
    counted = np.bincount(group, minlength=len(numbers))
    for place, number in enumerate(numbers.tolist()):
        named = found.judged.parameter, f"batch {number}"
        yield _worth(*named, int(counted[place]), grouped, place, threshold)


def _of_sensor(
    sensor: str,
    scores: Scores,
    local: Integers,
    utc: Integers,
    by: By,
    threshold: float,
) -> Iterator[Worth]:
    days, group = np.unique((local - 1) // _DAY, return_inverse=True)
    expected = _expected(days, group, local, utc)
    if by is By.SENSOR:
        group, expected = np.zeros_like(group), expected.sum(keepdims=True)
    grouped = of_groups(scores, group, len(expected), expected)
    counted = np.bincount(group, minlength=len(expected))
    for number in range(len(expected)):
        day = "" if by is By.SENSOR else str(days[number].astype("datetime64[D]"))
        yield _worth(sensor, day, int(counted[number]), grouped, number, threshold)


def _worth(
    sensor: str, day: str, readings: int, grouped: Scores, number: int, threshold: float
) -> Worth:
    score = float(grouped.score[number])
    sides = {side: float(_column(grouped, side)[number]) for side in Dimension}
    known = {side.value: worth for side, worth in sides.items() if not np.isnan(worth)}
    return Worth(sensor, day, readings, score, known, score < threshold)


def _expected(days: Integers, group: Integers, local: Integers, utc: Integers) -> Floats:
    """Say how many readings each day should have: those of a night when clocks change, too."""
    if len(utc) < 2:
        return np.full(len(days), np.nan)
    order = np.argsort(utc, kind="stable")
    cadence = float(np.median(np.diff(utc[order])))
    ahead, mine = (local - utc)[order], group[order]
    first = np.searchsorted(mine, np.arange(len(days)))
    last = np.searchsorted(mine, np.arange(len(days)), side="right") - 1
    begin = np.maximum(days * _DAY + cadence, local.min())
    end = np.minimum((days + 1) * _DAY, local.max())
    expected: Floats = np.round((end - begin - (ahead[last] - ahead[first])) / cadence) + 1
    return expected


def _column(scores: Scores, side: Dimension) -> Floats:
    column: Floats = getattr(scores, side.value)
    return column


def _rounded(worth: float | None) -> float | None:
    return None if worth is None or np.isnan(worth) else round(worth, 3)
