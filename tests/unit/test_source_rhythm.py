"""What the source does between two rounds, under clocks that the test turns."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.backfill.daily import days_before
from producers.reading.times import observed
from producers.rhythm import Rhythm
from producers.settings import SourceSettings

START = datetime(2013, 11, 2, 12, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


class World:
    """A clock that goes on while somebody waits; it stops whoever waits too long."""

    def __init__(self, end: datetime = NEVER) -> None:
        self.moment = START
        self.waits: list[float] = []
        self.stop = threading.Event()
        self.stop.wait = self._wait  # type: ignore[method-assign]
        self._end = end

    def rhythm(self, look_back: Any = lambda _due: None, **settings: Any) -> Rhythm:
        chosen = {"url": "sqlite://", "mapping": "m.yaml", **settings}
        return Rhythm(
            SourceSettings.model_validate(chosen),
            self.stop,
            look_back,
            clock=self._seconds,
            now=lambda: self.moment,
        )

    def _seconds(self) -> float:
        return (self.moment - START).total_seconds()

    def _wait(self, seconds: float | None = None) -> bool:
        self.waits.append(seconds or 0.0)
        self.moment += timedelta(seconds=seconds or 0.0)
        if self.moment >= self._end:
            self.stop.set()
        return self.stop.is_set()


@pytest.mark.requirement("E8")
def test_a_continuous_source_asks_less_often_while_nothing_comes_and_often_once_it_does() -> None:
    world = World()
    rhythm = world.rhythm(poll_seconds=1, idle_poll_seconds=10)
    for _ in range(60):
        rhythm.rest(rows=0, done=True)
    assert world.waits == sorted(world.waits)
    assert (world.waits[0], world.waits[-1]) == (1.0, 10.0)
    rhythm.rest(rows=1, done=True)
    assert world.waits[-1] == 1.0


@pytest.mark.requirement("E8")
def test_a_network_of_minutes_is_asked_twice_a_second_and_three_times_while_readings_come() -> None:
    world = World()
    rhythm = world.rhythm()
    for rows in range(3):
        rhythm.rest(rows=rows, done=True)
    assert world.waits == [0.3] * 3
    while world.moment < START + timedelta(minutes=1):
        rhythm.rest(rows=2, done=True)
    assert max(world.waits) == world.waits[-1] == 0.5


@pytest.mark.requirement("D1")
def test_a_daily_source_looks_back_once_a_day_over_the_night_the_clocks_change() -> None:
    world, looks = World(START + timedelta(days=3)), []
    rhythm = world.rhythm(
        looks.append, schedule="daily", schedule_at="01:30", schedule_zone="America/New_York"
    )
    while not world.stop.is_set():
        rhythm.rest(rows=0, done=True)
    assert [look.isoformat() for look in looks] == [
        f"2013-11-{day:02}T{hour:02}:30:00+00:00" for day, hour in [(2, 5), (3, 5), (4, 6), (5, 6)]
    ]
    assert max(world.waits) <= 60


@pytest.mark.requirement("D1")
def test_an_hourly_source_reads_each_hour_once_and_never_looks_back() -> None:
    world, looks, rounds = World(START + timedelta(hours=9)), [], []
    rhythm = world.rhythm(looks.append, schedule="hourly", schedule_at="00:05")
    while not world.stop.is_set():
        rounds.append(world.moment)
        rhythm.rest(rows=0, done=True)
    hours = [moment.replace(minute=0) for moment in rounds[1:]]
    assert hours == [START + timedelta(hours=n) for n in range(9)]
    assert {moment.minute for moment in rounds[1:]} == {5}
    assert looks == []


def test_a_scheduled_source_looks_again_soon_while_something_is_left() -> None:
    world = World()
    rhythm = world.rhythm(schedule="daily", poll_seconds=2)
    rhythm.rest(rows=5, done=False)
    assert world.waits == [2.0]


def test_a_daily_source_may_be_told_not_to_look_back() -> None:
    world, looks = World(START + timedelta(days=2)), []
    rhythm = world.rhythm(looks.append, schedule="daily", reread_days=0)
    while not world.stop.is_set():
        rhythm.rest(rows=0, done=True)
    assert looks == []


@pytest.mark.requirement("D1")
def test_the_seven_days_before_a_day_end_at_its_midnight() -> None:
    (span,) = days_before(datetime(2013, 11, 8, tzinfo=UTC).date(), 7).spans
    assert span == (observed("2013-11-01 00:00")[0], observed("2013-11-08 00:00")[0])
