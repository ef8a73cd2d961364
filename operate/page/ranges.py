"""How much time a question may span, and how fine its answer is. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from operate.given import wrong

MOST_POINTS: Final = 10_000
"""A plot has no more pixels to draw on, and a browser takes so many without a pause."""
UNKNOWN_CADENCE: Final = timedelta(minutes=1)


class Resolution(StrEnum):
    """What one point of a plot is: a reading, or an aggregate of so long."""

    READINGS = "readings"
    TEN_MINUTES = "10min"
    HOUR = "hour"
    DAY = "day"


_WIDTHS: Final = {
    Resolution.READINGS: timedelta(0),
    Resolution.TEN_MINUTES: timedelta(minutes=10),
    Resolution.HOUR: timedelta(hours=1),
    Resolution.DAY: timedelta(days=1),
}


class Span(NamedTuple):
    """From behind ``since`` to ``until``, which belongs to it, as the end of an interval does."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.until - self.since


def bounded(since: datetime | None, until: datetime, default: timedelta, most: timedelta) -> Span:
    """Give the span that is asked for; without ``since`` the ``default`` before ``until``.

    Raises:
        Configuration: a time has no zone, there is nothing between them, or it is too much.
    """
    begin = since if since is not None else until - default
    for name, at in (("from", begin), ("to", until)):
        if at.tzinfo is None:
            mend = "write it with its zone, such as 2026-03-01T00:00:00Z"
            raise wrong(at.isoformat(), "it has no zone", mend, name)
    if begin >= until:
        raise wrong(begin.isoformat(), "it is not before the end", "turn the two round", "from")
    if until - begin > most:
        raise wrong(begin.isoformat(), f"more than {most.days} days", "ask for less", "from")
    return Span(begin, until)


def resolution(length: timedelta, cadence: timedelta | None) -> Resolution:
    """Choose the finest resolution of which not too many points are to be expected.

    >>> resolution(timedelta(days=7), timedelta(minutes=1)).value
    '10min'
    >>> resolution(timedelta(days=365), timedelta(hours=1)).value
    'readings'
    """
    step = max(cadence or UNKNOWN_CADENCE, timedelta(seconds=1))
    for name, width in _WIDTHS.items():
        if length / max(width, step) <= MOST_POINTS:
            return name
    return Resolution.DAY
