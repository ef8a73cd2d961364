"""The stream's own step: what becomes of a raw reading, case by case."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.mapping import Mapping
from stream_app.judging.decoding import DeadLetter
from stream_app.judging.judge import Judge
from stream_app.metadata.sensors import UNKNOWN, Sensor
from stream_app.window.state import State
from tests.raw_batches import Columns, Schemas, encoded, records
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, mapping, metadata

NOON_UTC = local("2013-07-01T16:00:00")
NOW = local("2013-07-01T18:00:00")
HOUR = 3_600_000_000


class Verdicts(NamedTuple):
    clean: list[Record]
    dead: list[DeadLetter]


def judged(
    parameter: str,
    *readings: Record,
    sensors: dict[str, Sensor] | None = None,
    how: Mapping | None = None,
) -> Verdicts:
    """Judge readings of one station whose sensor has always been there."""
    sensor = f"JFK:{parameter}"
    if sensors is None:
        sensors = {sensor: Sensor(metadata(sensor, interval(0)))}
    how, schemas = how or mapping(parameter), Schemas()
    columns = Columns(schemas, Judge(sensors, {(how.source, how.version): how}))
    raw_records = records(parameter, encoded(schemas, parameter, readings))
    done = columns.step({parameter: raw_records}, State(generation=0).overlay(), now=NOW)
    return Verdicts(done.clean.get(parameter, []), done.dead)


def clean_of(parameter: str, known: bool = True, **changes: Any) -> Record:
    [clean] = judged(parameter, raw(parameter, **changes), sensors=None if known else {}).clean
    return clean


@pytest.mark.requirement("B2", "B3", "B10")
def test_a_good_reading_comes_out_in_standard_units_and_utc() -> None:
    record = clean_of("temperature")
    assert (record["value"], record["unit"], record["flag"]) == (12.5, "degC", 1)
    assert record["observed_at"] == NOON_UTC
    assert (record["longitude"], record["latitude"]) == (-73.78, 40.64)
    assert (record["score"], record["reason"], record["corrections"]) == (1.0, None, None)
    assert (record["processed_at"], record["raw_offset"]) == (NOW, 0)


@pytest.mark.requirement("B3")
def test_units_are_those_of_the_record_not_of_the_mapping() -> None:
    assert clean_of("temperature", unit="degF", value=212.0)["flag"] == 4
    assert clean_of("temperature", unit="degF", value=50.0)["value"] == pytest.approx(10.0)


@pytest.mark.requirement("B6", "B7")
def test_what_is_physically_impossible_fails_and_keeps_its_raw_value() -> None:
    record = clean_of("wind", speed=1048.36, speed_unit="mph")
    assert (record["flag"], record["flag_speed_range"], record["speed"]) == (4, 4, None)
    assert record["raw_speed"] == pytest.approx(468.66, abs=0.01)
    assert (record["reason"], record["score"]) == ("speed_range,low_score", 0.0)
    assert record["gust"] == 6.5


@pytest.mark.requirement("B5")
@pytest.mark.parametrize(
    ("given", "corrections"),
    [
        ({"value": None}, None),
        ({"value": None, "value_text": "MM"}, None),
        ({"value": None, "value_text": "  "}, None),
        ({"value": -99.0}, "sentinel_removed"),
        ({"value": math.nan}, None),
    ],
    ids=["null", "text sentinel", "blank", "sentinel", "nan"],
)
def test_a_missing_reading_is_kept_with_flag_9(
    given: dict[str, Any], corrections: str | None
) -> None:
    record = clean_of("temperature", **given)
    assert (record["flag"], record["value"], record["reason"]) == (9, None, "missing")
    assert record["corrections"] == corrections


@pytest.mark.requirement("B5")
def test_a_number_in_a_text_column_is_a_number() -> None:
    assert clean_of("temperature", value=None, value_text=" 12.25 ")["value"] == 12.25


@pytest.mark.requirement("B5", "D3")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": None, "value_text": "warm"}, "not_a_number"),
        ({"value": None, "value_text": "inf"}, "not_a_number"),
        ({"observed_local": None}, "no_time"),
        ({"observed_local": None, "observed_text": "noon"}, "bad_time"),
        ({"zone": "Mars/Olympus"}, "unknown_zone"),
        ({"unit": "furlong"}, "unknown_unit"),
        ({"mapping_version": 2}, "unknown_mapping"),
        ({"source_table": "elsewhere"}, "unknown_mapping"),
    ],
)
def test_what_cannot_be_used_is_dead_with_its_reason_and_harms_nobody(
    changes: dict[str, Any], reason: str
) -> None:
    good = raw("temperature", key="2")
    verdicts = judged("temperature", raw("temperature", **changes), good)
    assert [dead.error.reason for dead in verdicts.dead] == [reason]
    assert [record["source_key"] for record in verdicts.clean] == ["2"]


def test_time_as_text_is_read() -> None:
    record = clean_of("rainfall", observed_local=None, observed_text="2013-06-30 24:00")
    assert record["observed_at"] == local("2013-07-01T04:00:00")


@pytest.mark.requirement("B4")
def test_an_unknown_sensor_is_passed_on_unjudged() -> None:
    record = clean_of("temperature", known=False)
    assert (record["flag"], record["flag_metadata"], record["value"]) == (2, 2, 12.5)
    assert (record["reason"], record["metadata_version"], record["score"]) == (
        "no_metadata",
        None,
        None,
    )


@pytest.mark.requirement("B4")
def test_metadata_is_joined_by_observation_time_with_half_open_intervals() -> None:
    change = NOON_UTC
    sensor = Sensor(
        metadata(
            "JFK:temperature",
            interval(change - HOUR, change, metadata_version="old"),
            interval(change, change + HOUR, metadata_version="new", offset=-0.3),
        )
    )
    seen = [sensor.at(at).fields["metadata_version"] for at in (change - 1, change)]
    assert seen == ["old", "new"]
    assert sensor.at(change - HOUR - 1) is UNKNOWN
    assert sensor.at(change + HOUR) is UNKNOWN


@pytest.mark.requirement("B7")
def test_calibration_makes_the_value_and_leaves_the_raw_value() -> None:
    sensors = {"JFK:temperature": Sensor(metadata("x:temperature", interval(0, offset=-0.3)))}
    [clean] = judged("temperature", raw("temperature"), sensors=sensors).clean
    assert clean["raw_value"] == 12.5
    assert clean["value"] == pytest.approx(12.2)
    assert clean["corrections"] == "calibration_applied"


@pytest.mark.requirement("B3")
def test_the_repeated_hour_of_autumn_is_told_apart_by_the_order_of_its_rows() -> None:
    night = local("2013-11-03T01:00:00")
    extracted = local("2013-11-03T08:00:00")
    rows = [
        raw("humidity", key=key, observed_local=night, extracted_at=extracted, value=60.0)
        for key in ("7320", "7321")
    ]
    found = judged("humidity", *rows).clean
    assert [record["observed_at"] for record in found] == [
        local("2013-11-03T05:00:00"),
        local("2013-11-03T06:00:00"),
    ]
    assert {record["flag"] for record in found} == {1}


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("when", "reason"),
    [("2013-03-10T02:30:00", "time_never_was"), ("2013-07-02T12:00:00", "time_in_future")],
)
def test_a_time_that_never_was_or_is_yet_to_come_is_suspect(when: str, reason: str) -> None:
    record = clean_of("temperature", observed_local=local(when))
    assert (record["flag"], record["flag_time"], record["reason"]) == (3, 3, f"{reason},low_score")
    assert record["value"] == 12.5


def test_the_interval_ends_at_the_observation() -> None:
    [clean] = judged(
        "rainfall", raw("rainfall"), how=mapping("rainfall", interval_seconds=3600)
    ).clean
    assert clean["interval_start"] == NOON_UTC - HOUR


@pytest.mark.parametrize("parameter", ["temperature", "wind"])
def test_a_deletion_carries_its_key_and_no_verdict(parameter: str) -> None:
    record = clean_of(parameter, op="delete")
    flags = [value for name, value in record.items() if name.endswith("_range")]
    assert (record["op"], record["flag"], record["reason"]) == ("delete", 2, "deleted")
    assert set(flags) == {2}
    assert record["observed_at"] == NOON_UTC


def test_coordinates_outside_the_earth_are_refused_with_a_reason() -> None:
    with pytest.raises(DataQuality) as caught:
        Sensor(metadata("JFK:wind", interval(0, x=40.64, y=-173.78)))
    assert caught.value.reason == "bad_coordinates"
