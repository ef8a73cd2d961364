"""What was true when: facts that hold for a time, and the intervals they cut each other into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeVar

from runtime.errors import DataQuality

BEGINNING: Final = -62_135_596_800_000_000
"""0001-01-01 in microseconds: the first time that Python and PostgreSQL both can write."""
FOR_EVER: Final = 2**63 - 1
"""Stands for an end that is not known yet; it travels as null."""

Key = TypeVar("Key")


class Fact(NamedTuple):
    """What a row says, from ``start`` until before ``end``, both in UTC microseconds."""

    key: str
    start: int
    end: int
    content: dict[str, Any]

    def within(self, start: int, end: int) -> bool:
        """Say whether it holds somewhere between ``start`` and ``end``."""
        return self.start < end and start < self.end


class Interval(NamedTuple):
    """A time in which neither sensor nor station nor calibration changed."""

    start: int
    end: int
    station: Fact
    sensor: Fact
    calibration: Fact | None


def refined(
    sensors: Sequence[Fact], stations: Sequence[Fact], calibrations: dict[str, list[Fact]]
) -> list[Interval]:
    """Cut the time of one measuring position at every change; ``calibrations`` are by sensor key.

    Where no station or no sensor is known there is no interval; a calibration may be None.

    Raises:
        DataQuality: two rows of one kind claim the same time, so that nobody can say what was true.
    """
    for facts in (sensors, stations, *(calibrations.get(s.key, []) for s in sensors)):
        _check_apart(facts)
    cut = [
        interval
        for sensor in sensors
        for station in stations
        for interval in _calibrated(sensor, station, calibrations.get(sensor.key, []))
    ]
    return sorted(cut, key=lambda interval: interval.start)


def _calibrated(sensor: Fact, station: Fact, calibrations: list[Fact]) -> Iterator[Interval]:
    start, end = max(sensor.start, station.start), min(sensor.end, station.end)
    if start >= end:
        return
    bounds = {start, end} | {b for c in calibrations for b in (c.start, c.end) if start < b < end}
    for first, last in pairwise(sorted(bounds)):
        holding = next((c for c in calibrations if c.within(first, last)), None)
        yield Interval(first, last, station, sensor, holding)


def _check_apart(facts: Sequence[Fact]) -> None:
    for one, other in pairwise(sorted(facts, key=lambda fact: fact.start)):
        if other.start < one.end:
            problem = f"rows {one.key} and {other.key} are valid at the same time"
            mend = "end the validity of the older row where that of the newer begins"
            raise DataQuality(problem, reason="overlapping_validity", mend=mend)


def checked(key: str, start: int, end: int, content: dict[str, Any]) -> Fact:
    """Make a fact.

    Raises:
        DataQuality: it ends before it begins.
    """
    if end < start:
        problem = f"row {key} ends before it begins"
        raise DataQuality(problem, reason="inverted_validity", mend="correct its validity")
    return Fact(key, start, end, content)
