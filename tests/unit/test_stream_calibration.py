"""Whether a calibration was in date: what metadata tells, interval by interval."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Record
from stream_app.again.form import Form, changes, form_of
from stream_app.judging.judge import Judge
from stream_app.metadata.sensors import NEVER_CALIBRATED, Sensor
from stream_app.window.state import State
from tests.raw_batches import Columns, Schemas, encoded, records
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, mapping, metadata
from weather.qc.station import NEVER_EXPIRES

pytestmark = pytest.mark.requirement("B4", "B6")

NAME = "JFK:temperature"
NOON = local("2013-07-01T12:00:00")
NOON_UTC = local("2013-07-01T16:00:00")
MINUTE = 60_000_000


def bare(valid_from: int, valid_to: int | None = None, **changes: Any) -> Record:
    """Make an interval without a calibration."""
    return interval(valid_from, valid_to, calibration_version=None, **changes)


def judged(*intervals: Record, **changes: Any) -> list[Record]:
    """Judge readings of the minutes around noon."""
    sensors = {NAME: Sensor(metadata(NAME, *intervals))} if intervals else {}
    schemas = Schemas()
    readings = [
        raw(key=str(minute), observed_local=NOON + minute * MINUTE, **changes)
        for minute in (-1, 0, 1)
    ]
    columns = Columns(schemas, Judge(sensors, {("sample", 1): mapping("temperature")}))
    made = records("temperature", encoded(schemas, "temperature", readings))
    return columns.step({"temperature": made}, State(0).overlay()).clean["temperature"]


def flags(found: list[Record]) -> list[int]:
    return [record["flag_calibration"] for record in found]


def test_readings_are_suspect_from_the_moment_at_which_a_calibration_ends() -> None:
    found = judged(interval(0, NOON_UTC, calibration_due=NOON_UTC), bare(NOON_UTC))
    assert flags(found) == [1, 3, 3]
    assert [record["flag"] for record in found] == [1, 3, 3]
    assert found[1]["reason"] == "calibration_expired,low_score"
    assert (found[1]["value"], found[1]["score"]) == (12.5, 0.5)


def test_one_that_is_renewed_or_holds_for_ever_is_in_date() -> None:
    renewed = interval(NOON_UTC, calibration_version="c2")
    assert flags(judged(interval(0, NOON_UTC, calibration_due=NOON_UTC), renewed)) == [1, 1, 1]
    assert flags(judged(interval(0))) == [1, 1, 1]


def test_where_no_calibration_was_ever_told_of_nothing_is_judged() -> None:
    found = judged(bare(0))
    assert flags(found) == [2, 2, 2]
    assert [record["flag"] for record in found] == [1, 1, 1]
    assert flags(judged()) == [2, 2, 2]


def test_another_instrument_does_not_go_on_with_the_calibration_of_the_one_before() -> None:
    before = interval(0, NOON_UTC, serial="A1", calibration_due=NOON_UTC)
    assert flags(judged(before, bare(NOON_UTC, serial="A2"))) == [1, 2, 2]
    assert flags(judged(before, bare(NOON_UTC, serial="A1"))) == [1, 3, 3]


def test_a_due_time_inside_an_interval_counts_too() -> None:
    assert flags(judged(interval(0, calibration_due=NOON_UTC))) == [1, 3, 3]


def test_a_missing_reading_stays_missing_and_a_deletion_is_not_judged() -> None:
    expired = interval(0, calibration_due=NOON_UTC - MINUTE)
    missing = judged(expired, value=None)
    assert [record["flag"] for record in missing] == [9, 9, 9]
    assert missing[0]["reason"] == "missing,calibration_expired"
    assert flags(judged(expired, op="delete")) == [2, 2, 2]


def test_when_a_calibration_is_struck_out_what_it_made_suspect_is_judged_again() -> None:
    def form(*intervals: Record) -> Form:
        return form_of(Sensor(metadata(NAME, *intervals)))

    expired = form(interval(0, 10, calibration_due=10), bare(10))
    assert [one.since for one in changes(expired, form(bare(0, 10), bare(10)))] == [0]
    assert changes(expired, form(interval(0, 10, calibration_due=10), bare(10))) == []


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from([None, 0, 5, 25])), max_size=6))
def test_what_is_known_follows_from_the_intervals_before(
    told: list[tuple[str, int | None]],
) -> None:
    """None is no calibration, 0 one without end, else it is due so many tens later."""
    intervals, expected, last = [], [], {"A": NEVER_CALIBRATED, "B": NEVER_CALIBRATED}
    for place, (serial, due) in enumerate(told):
        since = place * 10
        if place and told[place - 1][0] != serial:
            last[serial] = NEVER_CALIBRATED
        if due is None:
            intervals.append(bare(since, since + 10, serial=serial))
        else:
            end = since + due if due else None
            last[serial] = int(NEVER_EXPIRES) if end is None else end
            intervals.append(interval(since, since + 10, serial=serial, calibration_due=end))
        expected.append(last[serial])
    sensor = Sensor(metadata(NAME, *intervals))
    assert [sensor.at(place * 10).expires for place in range(len(told))] == expected
