"""Cron by the clock of a zone: each wall time once, each hour once, through both changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.jobs.cron import Cron

pytestmark = pytest.mark.requirement("D1")
NEW_YORK = ZoneInfo("America/New_York")
SPRING = datetime(2013, 3, 10, tzinfo=NEW_YORK)
AUTUMN = datetime(2013, 11, 3, tzinfo=NEW_YORK)


def walls(expression: str, day: datetime, days: int = 1) -> list[str]:
    """Tell the wall times from the start of a day on, of so many days, with their offsets."""
    start = day.astimezone(UTC) - timedelta(microseconds=1)
    end = (day + timedelta(days=days)).astimezone(UTC) - timedelta(microseconds=1)
    moments = Cron(expression, NEW_YORK).between(start, end)
    return [m.astimezone(NEW_YORK).strftime("%d %H:%M %z") for m in moments]


def test_a_time_that_the_clocks_jump_over_comes_by_the_offset_before() -> None:
    assert walls("30 2 * * *", SPRING, 2) == ["10 03:30 -0400", "11 02:30 -0400"]


def test_a_time_that_comes_twice_is_taken_the_first_time() -> None:
    assert walls("30 1 * * *", AUTUMN, 2) == ["03 01:30 -0400", "04 01:30 -0500"]
    assert walls("0 0 * * *", AUTUMN, 2) == ["03 00:00 -0400", "04 00:00 -0500"]


def test_an_hourly_one_comes_in_every_real_hour() -> None:
    assert len(walls("5 * * * *", SPRING)) == 23
    autumn = walls("5 * * * *", AUTUMN)
    assert len(autumn) == 25
    assert autumn[1:3] == ["03 01:05 -0400", "03 01:05 -0500"]


def test_several_named_hours_come_once_each_even_where_two_fall_together() -> None:
    assert walls("0 2,3 * * *", SPRING) == ["10 03:00 -0400"]


@given(
    st.sampled_from(["*/20 * * * *", "0 */3 * * *", "7 1,2,3 * * *", "0 2 * * 0", "59 23 1 * *"]),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.datetimes(datetime(2012, 1, 1), datetime(2014, 1, 1)),  # noqa: DTZ001 - of hypothesis
    st.integers(1, 9),
)
def test_moments_rise_and_do_not_depend_on_where_one_begins(
    expression: str, zone: str, start: datetime, hours: int
) -> None:
    cron, begin = Cron(expression, ZoneInfo(zone)), start.replace(tzinfo=UTC)
    middle, end = begin + timedelta(hours=hours), begin + timedelta(hours=3 * hours)
    whole = cron.between(begin, end)
    assert whole == sorted(set(whole))
    assert whole == cron.between(begin, middle) + cron.between(middle, end)


@pytest.mark.parametrize("text", ["", "0 0 * *", "61 * * * *", "@daily", "0 0 * * * *"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no cron expression"):
        Cron(text, NEW_YORK)
