"""When the source looks: each hour and each day once, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.schedule import Daily, Hourly, Hours, Pace, Turns, time_of_day
from producers.settings import SourceSettings

ZONES = ["UTC", "Asia/Seoul", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"]
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
NEW_YORK = ZoneInfo("America/New_York")
NIGHTS = {
    "spring": datetime(2013, 3, 10, tzinfo=NEW_YORK),
    "autumn": datetime(2013, 11, 3, tzinfo=NEW_YORK),
}


def walk(moments: Daily | Hourly, start: datetime, hours: int, every: timedelta) -> list[datetime]:
    """Ask a schedule every so often, as a source does, and give the turns it took."""
    turns, now, taken = Turns(moments, start), start, []
    while now <= start + timedelta(hours=hours):
        if (due := turns.take(now)) is not None:
            taken.append(due)
        now += every
    return taken


@pytest.mark.requirement("D1")
@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("at", ["00:30", "01:30", "02:30", "03:30"])
def test_a_day_comes_once_in_both_nights_in_which_the_clocks_change(night: str, at: str) -> None:
    start = (NIGHTS[night] - timedelta(days=1, hours=-12)).astimezone(UTC)
    daily = Daily(time_of_day(at), NEW_YORK)
    taken = walk(daily, start, 48, timedelta(minutes=7))
    days = [daily.day_of(moment) for moment in taken]
    assert days == [days[0] + timedelta(days=n) for n in range(3)]


@pytest.mark.requirement("D1")
@pytest.mark.parametrize("night", NIGHTS)
def test_an_hour_comes_once_in_both_nights_in_which_the_clocks_change(night: str) -> None:
    start = NIGHTS[night].astimezone(UTC) - timedelta(hours=2)
    taken = walk(Hourly(5, NEW_YORK), start, 8, timedelta(minutes=1))
    assert [later - earlier for earlier, later in pairwise(taken)] == [timedelta(hours=1)] * 8
    assert {moment.astimezone(NEW_YORK).minute for moment in taken} == {5}


@given(MOMENTS, TIMES, st.sampled_from(ZONES))
def test_days_follow_one_another_without_a_gap(now: datetime, at: time, zone: str) -> None:
    daily = Daily(at, ZoneInfo(zone))
    latest, following = daily.latest(now), daily.following(now)
    assert latest <= now < following
    assert daily.following(latest) == following
    assert daily.latest(following) == following


@given(MOMENTS, st.integers(0, 59), st.sampled_from(ZONES))
def test_hours_follow_one_another_without_a_gap(now: datetime, minute: int, zone: str) -> None:
    hourly = Hourly(minute, ZoneInfo(zone))
    latest, following = hourly.latest(now), hourly.following(now)
    assert latest <= now < following
    assert following - latest == timedelta(hours=1)
    assert latest.astimezone(ZoneInfo(zone)).minute == minute


@pytest.mark.requirement("D1")
@given(st.lists(st.integers(-7200, 90_000), max_size=40), TIMES, st.sampled_from(ZONES))
def test_no_turn_is_taken_twice_by_a_clock_that_jumps(
    jumps: list[int], at: time, zone: str
) -> None:
    now = datetime(2020, 3, 28, 12, tzinfo=UTC)
    turns, taken = Turns(Daily(at, ZoneInfo(zone)), now), []
    for jump in jumps:
        if (due := turns.take(now)) is not None:
            taken.append(due)
            assert due <= now
        now += timedelta(seconds=jump)
    assert taken == sorted(set(taken))


def test_the_turn_that_was_missed_before_the_start_is_due_at_once() -> None:
    turns = Turns(Daily(time(0, 30), NEW_YORK), datetime(2013, 6, 1, 12, tzinfo=UTC))
    assert turns.seconds(datetime(2013, 6, 1, 12, tzinfo=UTC)) == 0
    assert turns.take(datetime(2013, 6, 1, 12, tzinfo=UTC)) == datetime(
        2013, 6, 1, 4, 30, tzinfo=UTC
    )


def test_of_several_turns_that_passed_meanwhile_only_the_last_is_made_up_for() -> None:
    start = datetime(2020, 1, 1, 0, 10, tzinfo=UTC)
    turns = Turns(Hourly(0, ZoneInfo("UTC")), start)
    turns.take(start)
    late = start + timedelta(hours=5)
    assert turns.take(late) == datetime(2020, 1, 1, 5, tzinfo=UTC)
    assert turns.take(late) is None
    assert turns.seconds(late) == 50 * 60


@given(st.floats(0, 1e6), st.floats(0.01, 5), st.floats(5, 60))
def test_a_wait_is_a_tenth_of_the_quiet_within_its_limits(
    quiet: float, least: float, most: float
) -> None:
    wait = Pace(least, most).wait(quiet)
    assert least <= wait <= most
    assert wait <= max(least, quiet * 0.1)


@given(MOMENTS, TIMES, TIMES, st.sampled_from(["UTC", "Asia/Seoul", "Asia/Kolkata"]))
def test_who_waits_for_the_hours_is_in_them_and_was_not_before(
    now: datetime, start: time, end: time, zone: str
) -> None:
    if start == end:
        return
    hours = Hours(start, end, ZoneInfo(zone))
    wait = hours.wait(now)
    assert 0 <= wait <= 24 * 3600
    if wait:
        assert hours.wait(now + timedelta(seconds=wait / 2)) > 0
        wall = (now + timedelta(seconds=wait)).astimezone(ZoneInfo(zone)).time()
        assert wall >= start


@pytest.mark.parametrize(
    ("text", "open_at"), [("22:00-06:00", [0, 1, 2, 3, 4, 5, 22, 23]), ("01:00-03:00", [1, 2])]
)
def test_hours_may_go_over_midnight(text: str, open_at: list[int]) -> None:
    hours = Hours.of(text, ZoneInfo("UTC"))
    opened = [h for h in range(24) if hours.wait(datetime(2020, 1, 1, h, tzinfo=UTC)) == 0]
    assert opened == open_at


@pytest.mark.parametrize("text", ["22:00", "22-06", "24:00-06:00", "06:00-06:00", "06:60-07:00"])
def test_what_is_no_part_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        Hours.of(text, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    "wrong", [{"schedule_zone": "Mars/Olympus"}, {"schedule_at": "24:30"}, {"schedule": "weekly"}]
)
def test_a_wrong_schedule_is_refused_by_the_settings(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SourceSettings.model_validate({"url": "sqlite://", "mapping": "m.yaml", **wrong})
