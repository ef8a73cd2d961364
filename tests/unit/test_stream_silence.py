"""Who is silent, by a clock that the test holds: rhythm, patience, return, memory."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.silence.watch import Rule, Watch
from tests.silence_columns import DAY, HOUR, MINUTE, NAME, NOON, every, heard


def watching(rule: Rule | None = None, retired: Iterable[str] = ()) -> Watch:
    gone = set(retired)
    return Watch(rule or Rule(), lambda sensor, _at: sensor not in gone)


def silent_at(watch: Watch, clock: int) -> list[str]:
    return [turn["sensor_id"] for turn in watch.falling({"temperature": clock})]


@pytest.mark.requirement("D6")
def test_a_sensor_is_silent_after_three_of_its_own_cadences_and_not_before() -> None:
    watch = watching()
    watch.hear(heard(every(10 * MINUTE, 5)))
    last = NOON + 40 * MINUTE
    assert silent_at(watch, last + 30 * MINUTE) == []
    (turn,) = watch.falling({"temperature": last + 30 * MINUTE + 3_000_000})
    assert turn == {
        "station_id": "JFK",
        "sensor_id": NAME,
        "parameter": "temperature",
        "state": "silent",
        "since": last,
        "last_observed_at": last,
        "expected_cadence_seconds": 600.0,
        "limit_seconds": 1800.0,
        "detected_at": last + 30 * MINUTE + 3_000_000,
    }


def test_a_quick_sensor_is_given_the_floor() -> None:
    watch = watching(Rule(cadences=3, floor_seconds=300))
    watch.hear(heard(every(1_000_000, 50)))
    last = NOON + 49_000_000
    assert silent_at(watch, last + 299_000_000) == []
    assert silent_at(watch, last + 303_000_000) == [NAME]


def test_a_silence_is_told_once_and_ends_with_the_next_reading() -> None:
    watch = watching()
    watch.hear(heard(every(MINUTE, 5)))
    turns = watch.falling({"temperature": NOON + HOUR})
    watch.fell(turns)
    assert silent_at(watch, NOON + 2 * HOUR) == []
    back = heard([(NAME, NOON + 3 * HOUR, NOON + 3 * HOUR + 5_000_000)])
    (turn,) = watch.returning(back)
    assert (turn["state"], turn["since"]) == ("heard", NOON + 3 * HOUR)
    assert turn["last_observed_at"] == NOON + 4 * MINUTE
    watch.hear(back)
    assert watch.returning(back) == []
    assert silent_at(watch, NOON + 5 * HOUR) == [NAME]


def test_what_is_old_deleted_or_ahead_of_its_time_is_no_sign_of_life() -> None:
    watch = watching()
    watch.hear(heard(every(MINUTE, 5)))
    watch.fell(watch.falling({"temperature": NOON + HOUR}))
    now = NOON + 2 * HOUR
    assert watch.returning(heard([(NAME, NOON - DAY, now)])) == []
    assert watch.returning(heard([(NAME, now, now)], deleted=True)) == []
    assert watch.returning(heard([(NAME, now + DAY, now)])) == []
    assert len(watch.returning(heard([(NAME, now, now)]))) == 1


def test_a_source_that_is_read_once_an_hour_does_not_silence_its_minute_sensors() -> None:
    watch = watching()
    for hour in range(5):
        burst = [(NAME, at, NOON + hour * HOUR) for _, at, _ in every(MINUTE, 60)]
        watch.hear(heard([(s, at + (hour - 1) * HOUR, p + 500_000) for s, at, p in burst]))
    assert silent_at(watch, NOON + 4 * HOUR + 3 * HOUR) == []
    assert silent_at(watch, NOON + 4 * HOUR + 4 * HOUR) == [NAME]


@pytest.mark.requirement("D8")
def test_history_that_is_being_read_silences_nobody_and_teaches_no_rhythm() -> None:
    watch = watching()
    start = NOON - 3650 * DAY
    for chunk in range(10):
        times = [start + (chunk * 100 + n) * HOUR for n in range(100)]
        watch.hear(heard([(NAME, at, NOON + chunk * 1_000_000) for at in times]))
        assert silent_at(watch, NOON + chunk * 1_000_000) == []
    assert silent_at(watch, NOON + HOUR) == []
    assert silent_at(watch, NOON + DAY + MINUTE) == [NAME]


def test_the_interval_of_the_mapping_counts_where_it_is_longer() -> None:
    watch = watching()
    watch.hear(heard(every(MINUTE, 9), interval=10 * MINUTE))
    assert silent_at(watch, NOON + 8 * MINUTE + 30 * MINUTE) == []
    assert silent_at(watch, NOON + 8 * MINUTE + 31 * MINUTE) == [NAME]


def test_a_newcomer_is_given_a_day() -> None:
    watch = watching()
    watch.hear(heard(every(MINUTE, 3)))
    assert silent_at(watch, NOON + DAY) == []
    (turn,) = watch.falling({"temperature": NOON + DAY + HOUR})
    assert turn["expected_cadence_seconds"] is None


def test_a_sensor_whose_metadata_ended_is_not_missed() -> None:
    watch = watching(retired=[NAME])
    watch.hear(heard(every(MINUTE, 5)))
    assert silent_at(watch, NOON + DAY) == []
    assert watch.overdue(NOON + DAY) == []


def test_one_gap_in_between_does_not_change_a_rhythm() -> None:
    watch = watching()
    watch.hear(heard([*every(10 * MINUTE, 5), *every(10 * MINUTE, 5, start=NOON + 5 * HOUR)]))
    last = NOON + 5 * HOUR + 40 * MINUTE
    assert silent_at(watch, last + 31 * MINUTE) == [NAME]


@pytest.mark.requirement("D4")
def test_after_a_restart_silences_are_remembered_and_nobody_else_is_silent_for_it() -> None:
    watch = watching()
    sensors = [f"S{n}:temperature" for n in range(600)]
    watch.hear(heard(r for sensor in sensors for r in every(MINUTE, 5, sensor)))
    turns = watch.falling({"temperature": NOON + HOUR})[:3]
    changes = watch.changes(NOON + HOUR, turns)
    watch.fell(turns)
    watch.kept(NOON + HOUR, changes)
    assert len(changes) == 3
    assert watch.changes(NOON + 3 * HOUR) == []
    later = NOON + 10 * DAY
    again = watching()
    for _, record in changes:
        again.restore(record, later)
    assert silent_at(again, later) == []
    back = heard([(sensor, later, later) for sensor in sensors])
    assert {turn["sensor_id"] for turn in again.returning(back)} == {
        turn["sensor_id"] for turn in turns
    }
    assert len(silent_at(again, later + 6 * MINUTE)) == 597


def test_what_is_known_is_kept_once_a_minute_and_only_where_it_changed() -> None:
    watch = watching()
    watch.hear(heard(every(MINUTE, 5)))
    first = watch.changes(NOON)
    assert [key for key, _ in first] == ["silence#temperature#0"]
    watch.kept(NOON, first)
    watch.hear(heard(every(MINUTE, 1, start=NOON + HOUR)))
    assert watch.changes(NOON + 59_000_000) == []
    assert len(watch.changes(NOON + 61_000_000)) == 1


def test_the_watermark_is_that_of_the_last_sensor_that_is_still_heard() -> None:
    watch = watching()
    watch.hear(heard([*every(MINUTE, 5), *every(MINUTE, 9, "LGA:temperature")]))
    (standing,) = watch.standing()
    assert (standing.watermark, standing.silent) == (NOON + 4 * MINUTE, 0)
    late = NOON + 8 * MINUTE + 60_000_000
    watch.fell(watch.falling({"temperature": late + MINUTE}))
    (standing,) = watch.standing()
    assert (standing.watermark, standing.silent) == (NOON + 8 * MINUTE, 1)


@given(st.sets(st.integers(1, 39)))
def test_rhythm_and_silence_do_not_depend_on_where_batches_end(cuts: set[int]) -> None:
    readings = sorted(
        [*every(MINUTE, 20), *every(5 * MINUTE, 20, "LGA:temperature")], key=lambda r: r[2]
    )
    whole, cut = watching(), watching()
    whole.hear(heard(readings))
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(readings)], strict=True):
        cut.hear(heard(readings[start:end]))
    for clock in range(NOON, NOON + 3 * HOUR, MINUTE):
        at = {"temperature": clock}
        assert whole.falling(at) == cut.falling(at)
