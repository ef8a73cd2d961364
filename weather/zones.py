"""A time zone as arrays: when its clocks changed, and by how much they were ahead of UTC.

zoneinfo answers for one time at a time. Here its answers for 1900 to 2100 are found once by
bisection, and then serve whole columns by binary search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from weather.arrays import Micros

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100

_SECOND: Final = 1_000_000
# Run over every zone of tzdata, 1900 to 2040: none changes and changes back within a week.
_STRIDE: Final = timedelta(days=7)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIXED: Final = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Zone:
    """The clock changes of a zone; all times in microseconds.

    Around a change the wall clock either jumps over an hour or shows it twice. From the start to
    the end of that hour a local time has two readings, by the offset before or by the one after.

    Attributes:
        starts: local time at which each doubtful hour begins, rising, shape (n,).
        ends: local time at which it is over, rising, shape (n,).
        offsets: local minus UTC before the first change and after each, shape (n + 1,).
    """

    starts: Micros
    ends: Micros
    offsets: Micros


@cache
def zone_of(name: str) -> Zone:
    """Look up a zone by its IANA name, or a fixed offset from UTC such as ``+09:00``.

    Before 1900 and after 2100 the offset at that end holds.

    >>> zone_of("+09:00").offsets.tolist()
    [32400000000]

    Raises:
        ValueError: there is no such zone.
    """
    fixed = _fixed_offset(name)
    if fixed is not None:
        return _table([], [fixed])
    changes = list(_changes(_zoneinfo(name)))
    return _table([at for at, _ in changes[1:]], [offset for _, offset in changes])


def _fixed_offset(name: str) -> int | None:
    match = _FIXED.fullmatch(name)
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    seconds = int(hours) * 3600 + int(minutes) * 60
    return (-seconds if sign == "-" else seconds) * _SECOND


def _zoneinfo(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _unknown(name) from error


def _unknown(name: str) -> ValueError:
    return ValueError(
        f"unknown time zone {name!r}: give an IANA name such as Asia/Seoul, "
        "or a fixed offset such as +09:00"
    )


def _changes(zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Walk through the years: yield (UTC micros, offset micros) for the start and each change."""
    at, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    offset = _offset(zone, at)
    yield _micros(at - _EPOCH), _micros(offset)
    while at < end:
        ahead = at + _STRIDE
        if _offset(zone, ahead) != offset:
            change = _bisect(zone, at, ahead)
            offset = _offset(zone, ahead)
            yield _micros(change - _EPOCH), _micros(offset)
        at = ahead


def _bisect(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find the first second of the offset that holds at ``after``."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    return timedelta() if offset is None else offset


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _table(changes: list[int], offsets: list[int]) -> Zone:
    at, offset = np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64)
    before, after = offset[:-1], offset[1:]
    return Zone(at + np.minimum(before, after), at + np.maximum(before, after), offset)
