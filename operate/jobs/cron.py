"""Cron expressions by the clock of a zone, right in the two nights in which the clocks change.

Minute, hour, day, month and weekday are those of the zone's wall clock. An expression that names
hours (``30 2 * * *``) comes once for each wall time: where the clocks jump over it, at the moment
by the offset before; where it comes twice, the first time. One that names none (``15 * * * *``)
goes by real time: no hour is left out, and the hour that comes twice counts twice. croniter is
asked for wall times alone: given a zone, it is an hour late on the day behind a change back, and
leaves out the hour that comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]

_MOST_SHIFT: Final = timedelta(hours=3)
"""No zone's clock was ever changed by more at once, but where the date line was moved."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Moments of a cron expression with five fields, in UTC.

    >>> midnight = Cron("0 0 * * *", ZoneInfo("Asia/Seoul"))
    >>> midnight.following(datetime(2020, 1, 1, 12, tzinfo=UTC)).isoformat()
    '2020-01-01T15:00:00+00:00'
    """

    expression: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        """Refuse what is no such expression.

        Raises:
            ValueError: it is none.
        """
        if len(self.expression.split()) != 5 or not croniter.is_valid(self.expression):
            problem = f"{self.expression!r} is no cron expression like 30 2 * * 0"
            raise ValueError(problem)

    def following(self, now: datetime) -> datetime:
        """Give the first moment after ``now``."""
        return next(self.after(now))

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Give every moment behind ``after``, up to ``until`` itself.

        >>> nights = Cron("30 2 * * *", ZoneInfo("Europe/Berlin"))
        >>> spring = datetime(2024, 3, 30, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
        >>> [moment.strftime("%d %H:%M") for moment in nights.between(*spring)]
        ['30 01:30', '31 01:30']
        """
        found = []
        for moment in self.after(after):
            if moment > until:
                break
            found.append(moment)
        return found

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Give every later moment, in order, each once."""
        waiting: list[datetime] = []
        last = moment
        for wall in self._walls(_wall(moment, self.zone) - _MOST_SHIFT):
            # No wall time still to come is earlier than this one by more than the clocks can jump.
            for ready in sorted(m for m in waiting if m < _first(wall, self.zone) - _MOST_SHIFT):
                waiting.remove(ready)
                if ready > last:
                    last = ready
                    yield ready
            waiting += self._moments(wall)

    def _walls(self, start: datetime) -> Iterator[datetime]:
        walls = croniter(self.expression, start.replace(tzinfo=UTC))
        while True:
            yield walls.get_next(datetime).replace(tzinfo=None)

    def _moments(self, wall: datetime) -> list[datetime]:
        first = _first(wall, self.zone)
        if not self.expression.split()[1].startswith("*"):
            return [first]
        both = {first, wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)}
        return [moment for moment in both if _wall(moment, self.zone) == wall]


def _first(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
