"""From a station's local clock to UTC, with a word on every hour that it skipped or repeated.

Times are whole microseconds: a local one counts from 1970-01-01 00:00 on the wall. The observed
time of a reading is the END of its interval ([K]).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Micros
from weather.zones import Zone, zone_of


class LocalTime(IntEnum):
    """How a local time relates to UTC."""

    OK = 0
    AMBIGUOUS = 1
    """The clocks went back: it came twice, and ``fold`` said which was meant."""
    MISSING = 2
    """The clocks went forward over it: the wall never showed it."""


def to_utc(
    local: Micros, zone: str, fold: NDArray[np.integer] | None = None
) -> tuple[Micros, NDArray[np.int8]]:
    """Convert local times of one zone to UTC.

    ``fold`` counts as in PEP 495: where a time came twice, 0 is the first (summer time) and 1 the
    second (standard time). A time that never came is read by the offset before the change (fold 0)
    or after it (fold 1), and flagged all the same: 02:30 in a New York spring is 03:30, fold 0.

    Returns UTC microseconds and, for each, a `LocalTime`; both in the shape of ``local``.

    >>> from datetime import datetime
    >>> autumn = np.array([parse_local("2013-11-03 01:00")] * 2)
    >>> utc, status = to_utc(autumn, "America/New_York", np.array([0, 1]))
    >>> np.diff(utc).tolist(), status.tolist()
    ([3600000000], [1, 1])

    Raises:
        ValueError: there is no such zone.
    """
    table = zone_of(zone)
    first, second = _positions(table, local)
    chosen = first if fold is None else np.where(np.asarray(fold) == 0, first, second)
    return local - table.offsets[chosen], _status(table, first, second)


def is_ambiguous(local: Micros, zone: str) -> Bools:
    """Say which local times came twice, so that only the order of the readings tells them apart.

    Raises:
        ValueError: there is no such zone.
    """
    table = zone_of(zone)
    twice: Bools = _status(table, *_positions(table, local)) == LocalTime.AMBIGUOUS
    return twice


def interval_start(end: Micros, minutes: float) -> Micros:
    """Give the start, itself outside, of intervals of this length that end at ``end``."""
    return end - round(minutes * 60_000_000)


def _positions(table: Zone, local: Micros) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find which offset is in force at each time, read as the first of two, and as the second."""
    return (
        np.searchsorted(table.ends, local, side="right"),
        np.searchsorted(table.starts, local, side="right"),
    )


def _status(table: Zone, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.int8]:
    status = np.full(first.shape, LocalTime.OK, dtype=np.int8)
    doubtful = first != second
    if doubtful.any():  # a few hours of a year: most batches stop here
        forward = table.offsets[second] > table.offsets[first]
        status[doubtful] = np.where(forward, LocalTime.MISSING, LocalTime.AMBIGUOUS)[doubtful]
    return status


_SEPARATED: Final = re.compile(
    r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)[ T]+(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?", re.ASCII
)
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)[ T]?(\d\d)(\d\d)(?:(\d\d))?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # the wall's own epoch
_END_OF_DAY: Final = 24


def parse_local(text: str) -> int | None:
    """Read a local time as sources write it; None where it is none.

    Known are year, month, day, hour and minute, with or without seconds, either separated
    (``2013-11-03 01:00``, ``2013/11/03T01:00:00.5``) or run together (``201311030100``). ``24:00``
    is the next day's 00:00. Digits beyond the microsecond are cut. A time that brings an offset of
    its own is not local, and a date alone is not a time: both are None.

    >>> parse_local("1970-01-01 24:00") == 24 * 3600 * 1_000_000
    True
    """
    match = _SEPARATED.fullmatch(text.strip()) or _COMPACT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micros = match.group(7) if match.re is _SEPARATED else None
    next_day = hour == _END_OF_DAY and minute == 0 and second == 0 and not int(micros or 0)
    try:
        wall = datetime(year, month, day, 0 if next_day else hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None
    span = wall - _EPOCH + timedelta(days=int(next_day))
    return span // timedelta(microseconds=1) + int((micros or "0")[:6].ljust(6, "0"))
