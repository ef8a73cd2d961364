"""Local time to UTC: the nights on which clocks changed, and zoneinfo as the judge of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weather.time import LocalTime, interval_start, is_ambiguous, parse_local, to_utc

pytestmark = pytest.mark.requirement("B3", "E1")

ZONES = [
    "Asia/Seoul",
    "America/New_York",
    "America/Phoenix",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Monrovia",
    "UTC",
]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def wall(text: str) -> int:
    """Read a local time that is known to be one."""
    micros = parse_local(text)
    assert micros is not None
    return micros


def utc_of(text: str, zone: str, fold: int = 0) -> tuple[str, LocalTime]:
    utc, status = to_utc(np.array([wall(text)]), zone, np.array([fold]))
    at = _EPOCH + timedelta(microseconds=int(utc[0]))
    return at.strftime("%Y-%m-%d %H:%M:%S"), LocalTime(status[0])


@pytest.mark.parametrize("zone", ZONES)
@given(
    local=st.datetimes(datetime(1901, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001  # a wall clock
    fold=st.integers(0, 1),
)
@example(local=datetime(2013, 11, 3, 1, 30), fold=1)  # noqa: DTZ001
@example(local=datetime(2013, 3, 10, 2, 0), fold=0)  # noqa: DTZ001
@example(local=datetime(2013, 3, 10, 2, 59, 59, 999999), fold=1)  # noqa: DTZ001
@example(local=datetime(1988, 5, 8, 2, 30), fold=0)  # noqa: DTZ001
@example(local=datetime(1961, 8, 10, 0, 15), fold=1)  # noqa: DTZ001
def test_every_time_is_what_zoneinfo_makes_of_it(zone: str, local: datetime, fold: int) -> None:
    micros = (local.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
    aware = local.replace(tzinfo=ZoneInfo(zone), fold=fold)
    other = aware.replace(fold=1 - fold)
    utc, status = to_utc(np.array([micros]), zone, np.array([fold]))
    assert _EPOCH + timedelta(microseconds=int(utc[0])) == aware.astimezone(UTC)
    assert (status[0] != LocalTime.OK) == (aware.utcoffset() != other.utcoffset())


def test_the_repeated_hour_of_autumn_is_summer_time_first_and_standard_time_second() -> None:
    assert utc_of("2013-11-03 01:00", "America/New_York", fold=0) == (
        "2013-11-03 05:00:00",
        LocalTime.AMBIGUOUS,
    )
    assert utc_of("2013-11-03 01:00", "America/New_York", fold=1) == (
        "2013-11-03 06:00:00",
        LocalTime.AMBIGUOUS,
    )
    assert utc_of("2013-11-03 02:00", "America/New_York", fold=0) == (
        "2013-11-03 07:00:00",
        LocalTime.OK,
    )
    assert utc_of("2013-11-03 00:59", "America/New_York", fold=1) == (
        "2013-11-03 04:59:00",
        LocalTime.OK,
    )


def test_the_missing_hour_of_spring_is_flagged_and_still_has_a_utc() -> None:
    assert utc_of("2013-03-10 01:59", "America/New_York") == ("2013-03-10 06:59:00", LocalTime.OK)
    assert utc_of("2013-03-10 02:00", "America/New_York") == (
        "2013-03-10 07:00:00",
        LocalTime.MISSING,
    )
    assert utc_of("2013-03-10 02:00", "America/New_York", fold=1) == (
        "2013-03-10 06:00:00",
        LocalTime.MISSING,
    )
    assert utc_of("2013-03-10 03:00", "America/New_York") == ("2013-03-10 07:00:00", LocalTime.OK)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("1910-01-01 12:00", "1910-01-01 03:30:00"),
        ("1950-07-01 12:00", "1950-07-01 02:00:00"),
        ("1954-06-01 12:00", "1954-06-01 03:30:00"),
        ("1961-09-01 12:00", "1961-09-01 03:00:00"),
        ("1987-05-10 01:59", "1987-05-09 16:59:00"),
        ("1987-05-10 03:00", "1987-05-09 17:00:00"),
        ("1988-08-01 12:00", "1988-08-01 02:00:00"),
        ("1988-10-09 12:00", "1988-10-09 03:00:00"),
        ("2026-01-01 09:00", "2026-01-01 00:00:00"),
    ],
)
def test_the_historic_clocks_of_seoul_are_known(local: str, utc: str) -> None:
    assert utc_of(local, "Asia/Seoul") == (utc, LocalTime.OK)


def test_a_fixed_offset_has_no_summer() -> None:
    assert utc_of("1988-08-01 12:00", "+09:00") == ("1988-08-01 03:00:00", LocalTime.OK)
    assert utc_of("2018-10-18 00:00", "-07:00") == ("2018-10-18 07:00:00", LocalTime.OK)


def test_ambiguous_hours_are_found_in_a_column_of_any_length() -> None:
    column = np.array([wall(f"2013-11-03 {hour:02}:00") for hour in range(5)])
    assert is_ambiguous(column, "America/New_York").tolist() == [False, True, False, False, False]
    assert is_ambiguous(column[:0], "America/New_York").tolist() == []
    assert not is_ambiguous(column, "+09:00").any()


def test_without_a_fold_the_first_of_two_is_meant() -> None:
    twice = np.array([wall("2013-11-03 01:00")])
    first, _ = to_utc(twice, "America/New_York")
    assert first.tolist() == to_utc(twice, "America/New_York", np.array([0]))[0].tolist()


@pytest.mark.parametrize("zone", ["Asia/Soul", "", "+25:00", "+09:75", "../etc/passwd", "America"])
def test_an_unknown_zone_is_refused_with_examples_of_good_ones(zone: str) -> None:
    with pytest.raises(ValueError, match=r"unknown time zone .*Asia/Seoul.*\+09:00"):
        to_utc(np.zeros(1, dtype=np.int64), zone)


def test_times_beyond_the_table_keep_the_offset_of_its_end() -> None:
    year_3000 = (datetime(3000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
    utc, status = to_utc(np.array([year_3000]), "Asia/Seoul")
    assert (year_3000 - int(utc[0]), status[0]) == (9 * 3600 * 1_000_000, LocalTime.OK)


def test_an_interval_ends_at_the_observed_time() -> None:
    assert interval_start(np.array([60_000_000]), minutes=1).tolist() == [0]
    assert interval_start(np.array([0]), minutes=0.5).tolist() == [-30_000_000]


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2018-10-18T24:00", "2018-10-19 00:00"),
        ("2018-12-31 24:00:00", "2019-01-01 00:00"),
        ("201810182400", "2018-10-19 00:00"),
        ("2018/10/18 9:05", "2018-10-18 09:05:00"),
        ("2018.10.18 09:05", "2018-10-18 09:05:00.000000"),
        (" 20181018090500 ", "2018-10-18 09:05"),
        ("20181018 0905", "2018-10-18 09:05"),
        ("2018-10-18 09:05:00.1234569", "2018-10-18 09:05:00.123456"),
        ("2018-10-18 09:05:00.5", "2018-10-18 09:05:00.500000"),
    ],
)
def test_the_forms_in_which_sources_write_time_are_read(text: str, same_as: str) -> None:
    assert wall(text) == wall(same_as)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NULL",
        "9999",
        "2018-10-18",
        "2018-13-01 00:00",
        "2018-02-29 00:00",
        "2018-10-18 24:01",
        "2018-10-18 24:00:00.1",
        "2018-10-18 25:00",
        "2018-10-18 09:60",
        "2018-10-18T09:05Z",
        "2018-10-18 09:05+09:00",
        "0000-01-01 00:00",
        "٢٠١٨-10-18 09:05",
    ],
)
def test_what_is_no_local_time_is_none(text: str) -> None:
    assert parse_local(text) is None


def test_the_last_midnight_of_the_calendar_is_read_without_an_error() -> None:
    assert parse_local("9999-12-31 24:00") is not None
