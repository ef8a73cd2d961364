"""When the source looks: all the time, hourly or daily. Pure: whoever asks says the time.

All the time means: often while something comes, and less often the longer nothing does. Hours and
days are those of a zone: around a change of the clocks a day still comes once, and so does an hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Kind = Literal["continuous", "hourly", "daily"]
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_QUIET_PART: Final = 0.1
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def time_of_day(text: str) -> time:
    """Read a time of day.

    >>> time_of_day("00:30")
    datetime.time(0, 30)

    Raises:
        ValueError: it is none.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        problem = f"{text!r} is no time of day like 00:30"
        raise ValueError(problem)
    return time(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between two looks, in seconds, after so long a quiet.

    A reading that ends a quiet is found late by a tenth of that quiet at most, and never later than
    ``most``; while readings come, every ``least``.

    >>> pace = Pace(least=1.0, most=10.0)
    >>> [pace.wait(quiet) for quiet in (0, 5, 40, 3600)]
    [1.0, 1.0, 4.0, 10.0]
    """

    least: float
    most: float

    def wait(self, quiet_seconds: float) -> float:
        """Give the wait after nothing has come for ``quiet_seconds``."""
        return max(self.least, min(self.most, quiet_seconds * _QUIET_PART))


@dataclass(frozen=True, slots=True)
class Daily:
    """Once each day of the zone, at a time of its clock.

    Where that time does not come, because the clocks go forward over it, it is the moment by the
    offset before; where it comes twice, it is the first.

    >>> from zoneinfo import ZoneInfo
    >>> daily = Daily(time(0, 30), ZoneInfo("Asia/Seoul"))
    >>> daily.latest(datetime(2020, 1, 1, 12, tzinfo=UTC)).isoformat()
    '2019-12-31T15:30:00+00:00'
    """

    at: time
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime:
        """Give the last moment at or before ``now``, in UTC."""
        today = now.astimezone(self.zone).date()
        days = (self._on(today + n * _DAY) for n in (1, 0, -1))
        return next(moment for moment in days if moment <= now)

    def following(self, now: datetime) -> datetime:
        """Give the first moment after ``now``, in UTC."""
        today = now.astimezone(self.zone).date()
        days = (self._on(today + n * _DAY) for n in (-1, 0, 1, 2))
        return next(moment for moment in days if moment > now)

    def day_of(self, moment: datetime) -> date:
        """Give the day, in the zone, of one of these moments."""
        return moment.astimezone(self.zone).date()

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Hourly:
    """Once each hour of the zone, at a minute of its clock.

    >>> from zoneinfo import ZoneInfo
    >>> hourly = Hourly(5, ZoneInfo("Asia/Kolkata"))  # half an hour off
    >>> hourly.latest(datetime(2020, 1, 1, 12, tzinfo=UTC)).isoformat()
    '2020-01-01T11:35:00+00:00'
    """

    minute: int
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime:
        """Give the last moment at or before ``now``, in UTC."""
        local = now.astimezone(self.zone)
        past = timedelta(
            minutes=(local.minute - self.minute) % 60,
            seconds=local.second,
            microseconds=local.microsecond,
        )
        return now.astimezone(UTC) - past

    def following(self, now: datetime) -> datetime:
        """Give the first moment after ``now``, in UTC."""
        return self.latest(now) + _HOUR


class Turns:
    """Tells when the next turn of a schedule is due, each once, however late it is asked.

    The first is due at once: it is the last moment before the start, which may have been missed.
    Of several that passed during one long turn only the last is made up for. A clock that is set
    back repeats none.

    >>> from zoneinfo import ZoneInfo
    >>> turns = Turns(Hourly(0, ZoneInfo("UTC")), datetime(2020, 1, 1, 9, 40, tzinfo=UTC))
    >>> now = datetime(2020, 1, 1, 9, 40, tzinfo=UTC)
    >>> turns.take(now), turns.take(now), turns.seconds(now)
    (datetime.datetime(2020, 1, 1, 9, 0, tzinfo=datetime.timezone.utc), None, 1200.0)
    """

    def __init__(self, moments: Daily | Hourly, now: datetime) -> None:
        self._moments = moments
        self._next = moments.latest(now)

    def take(self, now: datetime) -> datetime | None:
        """Give the moment whose turn it is, and count it as taken; None while none is due."""
        if now < self._next:
            return None
        due = max(self._next, self._moments.latest(now))
        self._next = self._moments.following(now)
        return due

    def seconds(self, now: datetime) -> float:
        """Give the seconds until the next is due; 0 when it is."""
        return max(0.0, (self._next - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Hours:
    """The part of each day in which something may be done, by the clock of a zone.

    >>> from zoneinfo import ZoneInfo
    >>> night = Hours.of("22:00-06:00", ZoneInfo("Asia/Seoul"))
    >>> [night.wait(datetime(2020, 1, 1, hour, tzinfo=UTC)) for hour in (12, 14)]
    [3600.0, 0.0]
    """

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str, zone: ZoneInfo) -> Hours:
        """Read such a part of the day; one that ends before it starts goes over midnight.

        Raises:
            ValueError: it is none, or is empty.
        """
        start, dash, end = text.partition("-")
        if not dash or start.strip() == end.strip():
            problem = f"{text!r} is no part of a day like 22:00-06:00"
            raise ValueError(problem)
        return cls(time_of_day(start), time_of_day(end), zone)

    def wait(self, now: datetime) -> float:
        """Give the seconds until it begins; 0 within it.

        In a night in which the clocks change that may be up to a change too long: whoever waits
        looks again meanwhile.
        """
        wall = now.astimezone(self.zone).time()
        over_midnight = self.end < self.start
        started, ended = wall >= self.start, wall >= self.end
        within = (started or not ended) if over_midnight else (started and not ended)
        if within:
            return 0.0
        return (Daily(self.start, self.zone).following(now) - now).total_seconds()
