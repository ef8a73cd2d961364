"""What the source does between two rounds: it waits, as its schedule says; daily it looks back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from producers.schedule import Daily, Hourly, Pace, Turns, time_of_day
from producers.settings import SourceSettings

LookBack = Callable[[datetime], None]
_LOOK_SECONDS: Final = 60.0
"""A machine that slept, or whose clock was set, is not late by more than this."""


def utc_now() -> datetime:
    """Give this machine's time."""
    return datetime.now(UTC)


class Rhythm:
    """Waits between rounds; ``clock`` gives rising seconds, ``now`` the time of day.

    ``look_back`` is called once in each turn of a daily schedule, with the moment of that turn,
    when its increments are read.
    """

    def __init__(
        self,
        settings: SourceSettings,
        stop: threading.Event,
        look_back: LookBack = lambda _due: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._stop = stop
        self._look_back = look_back
        self._clock = clock
        self._now = now
        self._poll_seconds = settings.poll_seconds
        self._pace = Pace(settings.poll_seconds, settings.idle_poll_seconds)
        self._rows = 0
        self._quiet_since = clock()
        moments = _moments(settings)
        self._turns = Turns(moments, now()) if moments else None
        self._due = self._turns.take(now()) if self._turns else None
        self._looks_back = settings.schedule == "daily" and settings.reread_days > 0

    def rest(self, *, rows: int, done: bool) -> None:
        """Wait for the next round.

        ``rows`` were read since the start; ``done`` says that nothing is left before the bound.
        """
        if self._turns is None:
            self._stop.wait(self._wait(rows))
        elif not done:
            self._stop.wait(self._poll_seconds)
        else:
            self._end_turn(self._turns)

    def _wait(self, rows: int) -> float:
        if rows != self._rows:
            self._rows, self._quiet_since = rows, self._clock()
        return self._pace.wait(self._clock() - self._quiet_since)

    def _end_turn(self, turns: Turns) -> None:
        """Look back, once, and wait until the next turn is due."""
        if self._due is not None and self._looks_back:
            self._look_back(self._due)
        self._due = None
        while not self._stop.is_set() and self._due is None:
            self._due = turns.take(self._now())
            if self._due is None:
                self._stop.wait(min(turns.seconds(self._now()), _LOOK_SECONDS))


def _moments(settings: SourceSettings) -> Daily | Hourly | None:
    at, zone = time_of_day(settings.schedule_at), ZoneInfo(settings.schedule_zone)
    if settings.schedule == "continuous":
        return None
    return Daily(at, zone) if settings.schedule == "daily" else Hourly(at.minute, zone)
