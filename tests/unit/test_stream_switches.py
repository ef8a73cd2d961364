"""Cleaning and judging as a job wants them: corrections switched off, nothing judged, limits."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codec import Record
from schemas.mapping import published_mapping
from stream_app.judging.judge import Judge
from stream_app.metadata.sensors import Sensor
from stream_app.rulesets.table import Rulesets
from stream_app.settings import StreamSettings
from stream_app.window.state import State
from tests.again_model import Model
from tests.raw_batches import Columns, Schemas, encoded, records
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, mapping, metadata
from weather.korea import KOREA
from weather.limits import Limits, Span
from weather.ruleset import DEFAULT, Override

MINUTE = 60_000_000


def made(
    parameter: str, settings: StreamSettings | None = None, seconds: int = 0, **given: Any
) -> Record:
    """Judge one reading of a known sensor as a stream with these settings does."""
    settings, schemas = settings or StreamSettings(), Schemas()
    siting = given.pop("station_class", None)
    offset = 0.5 if parameter == "humidity" else 0.0
    calibration = interval(0, offset=offset, station_class=siting)
    sensors = {f"JFK:{parameter}": Sensor(metadata(f"JFK:{parameter}", calibration))}
    how = mapping(parameter, interval_seconds=seconds)
    ruleset = given.pop("ruleset", DEFAULT)
    judge = Judge(
        sensors,
        {("sample", 1): how},
        Rulesets(ruleset),
        allowed=settings.corrections,
        validate=settings.validate_data,
    )
    readings = encoded(schemas, parameter, [raw(parameter, **given)])
    columns = Columns(schemas, judge)
    [clean] = columns.step({parameter: records(parameter, readings)}, State(0).overlay()).clean[
        parameter
    ]
    return clean


@pytest.mark.requirement("B11")
def test_a_single_correction_is_switched_off_by_the_name_it_has_on_a_reading() -> None:
    usual = made("humidity", value=101.0)
    assert (usual["value"], usual["corrections"]) == (100.0, "calibration_applied,clamped_to_100")
    settings = StreamSettings(corrections_off=("clamped_to_100",))
    kept = made("humidity", settings, value=101.0)
    assert (kept["value"], kept["corrections"]) == (101.5, "calibration_applied")


@pytest.mark.requirement("B11")
def test_without_cleaning_readings_stand_as_measured_and_are_judged_so() -> None:
    raw_only = StreamSettings(clean_data=False)
    humidity = made("humidity", raw_only, value=101.0)
    assert (humidity["value"], humidity["corrections"], humidity["flag"]) == (101.0, None, 1)
    sentinel = made("temperature", raw_only, value=-99.0)
    assert (sentinel["flag"], sentinel["raw_value"]) == (4, -99.0)
    assert made("temperature", raw_only, unit="degF", value=50.0)["value"] == pytest.approx(10.0)


@pytest.mark.requirement("B11")
@pytest.mark.parametrize(
    ("given", "flag", "value"),
    [
        ({"value": 500.0}, 2, 500.5),
        ({"value": None}, 9, None),
        ({"observed_local": local("2013-03-10T02:30:00")}, 2, 13.0),
    ],
    ids=["impossible", "missing", "at no time"],
)
def test_without_validation_nothing_is_judged_and_no_value_is_taken_away(
    given: dict[str, Any], flag: int, value: float | None
) -> None:
    record = made("humidity", StreamSettings(validate_data=False), **given)
    flags = {v for name, v in record.items() if name.startswith("flag_")} - {9}
    assert (record["flag"], record["value"]) == (flag, value)
    assert flags - {record["flag_metadata"]} == {2}
    assert record["reason"] == ("missing" if flag == 9 else None)


@pytest.mark.requirement("B11")
def test_without_validation_neighbours_say_nothing_either() -> None:
    def told(*, validate: bool) -> set[int]:
        noon = local("2013-07-01T12:00:00")
        readings = [
            raw(key=str(place), observed_local=noon + place * MINUTE, value=value)
            for place, value in enumerate((20.0, 45.0, 20.0))
        ]
        model = Model([("temperature", one) for one in readings], validate=validate)
        for _ in readings:
            model.batch(1)
        tests = ("flag_range", "flag_step", "flag_spike", "flag_flat_line", "flag_consistency")
        return {record[name] for record in model.final().values() for name in tests}

    assert told(validate=True) == {1, 2, 3, 4}
    assert told(validate=False) == {2}


UNJUDGED, AS_GIVEN = 100_000_001, 200_000_001
"""Versions of the mapping by which a job has readings treated that switches something off."""


def course(*readings: tuple[str, Record], batches: int) -> list[Record]:
    """Take readings in as many batches, and give all clean readings in the order of sending."""
    model = Model(readings)
    for _ in range(batches):
        model.batch(len(readings) // batches)
    return model.sent


@pytest.mark.requirement("B11", "D2a")
def test_readings_of_a_job_are_not_judged_though_others_of_their_batch_are() -> None:
    noon = local("2013-07-01T12:00:00")
    sent = course(
        *(
            ("temperature", raw(key=str(n), observed_local=noon + n * MINUTE, value=value,
                                mapping_version=UNJUDGED if n == 1 else 1))
            for n, value in enumerate((20.0, 90.0, 20.0))
        ),
        batches=1,
    )  # fmt: skip
    flags = [
        {one[name] for name in one if name.startswith("flag_") and name != "flag_metadata"}
        for one in sorted(sent, key=lambda one: str(one["source_key"]))
    ]
    assert (flags[1], flags[0] >= {1}, flags[2] >= {1}) == ({2}, True, True)
    (unjudged,) = [one for one in sent if one["mapping_version"] == UNJUDGED]
    assert (unjudged["flag"], unjudged["value"], unjudged["reason"]) == (2, 90.0, "no_metadata")


@pytest.mark.requirement("B11", "D2a")
def test_what_a_job_read_uncorrected_is_corrected_once_it_is_read_again() -> None:
    first = ("humidity", raw("humidity", value=101.0, mapping_version=AS_GIVEN))
    again = ("humidity", raw("humidity", value=101.0))
    before, after = course(first, again, batches=2)
    assert [(one["value"], one["corrections"]) for one in (before, after)] == [
        (101.0, None),
        (100.0, "clamped_to_100"),
    ]
    assert before["source_version"] == after["source_version"]
    assert before["revision"] < after["revision"], "the later reading of the same row wins"
    assert [one["value"] for one in course(again, first, batches=2)] == [100.0, 101.0]


@pytest.mark.requirement("B11", "D2a")
@pytest.mark.parametrize("version", [UNJUDGED, AS_GIVEN, UNJUDGED + AS_GIVEN - 1])
def test_what_is_switched_off_is_seen_also_where_a_reading_had_neighbours(version: int) -> None:
    noon = local("2013-07-01T12:00:00")
    hours = [raw(key=str(n), observed_local=noon + n * MINUTE, value=20.0) for n in range(40)]
    late = {**hours[1], "mapping_version": version}
    first, *_, last = course(*(("temperature", one) for one in (*hours[1:], late)), batches=40)
    assert (first["source_key"], last["source_key"], last["mapping_version"]) == ("1", "1", version)
    assert last["revision"] > first["revision"]


def test_a_mapping_of_which_nothing_is_switched_off_stays_as_it_is() -> None:
    usual = mapping("humidity")
    off = usual.treated(validate=False, clean=False)
    assert usual.treated() is usual
    assert (off.version, off.treated(clean=False)) == (300_000_001, off)
    assert published_mapping(off.as_json()) == off


@pytest.mark.requirement("B11")
def test_a_correction_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValidationError, match="known are sentinel_removed"):
        StreamSettings(corrections_off=("clamped",))


@pytest.mark.requirement("B6")
def test_limits_of_a_month_are_those_of_the_local_clock() -> None:
    def flag(day: str) -> int:
        clean = made("temperature", ruleset=KOREA, value=2.0, observed_local=local(day))
        return int(clean["flag_range"])

    assert [flag("2013-06-30T23:30:00"), flag("2013-07-01T00:30:00")] == [1, 3]


@pytest.mark.requirement("B6")
def test_an_override_holds_in_its_months_alone() -> None:
    july = Override("temperature", "value", Limits(Span(20.0, 60.0)), months=(7,))
    ruleset = replace(DEFAULT, version="july", overrides=(july,))
    assert made("temperature", ruleset=ruleset)["flag_range"] == 4
    june = local("2013-06-30T12:00:00")
    assert made("temperature", ruleset=ruleset, observed_local=june)["flag_range"] == 1


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(
    ("seconds", "amount", "flag"),
    [(60, 20.0, 1), (60, 20.5, 3), (60, 41.0, 4), (3600, 41.0, 1), (3600, 151.0, 3), (0, 41.0, 1)],
)
def test_rain_is_held_to_what_may_fall_in_its_interval(
    seconds: int, amount: float, flag: int
) -> None:
    clean = made("rainfall", seconds=seconds, value=amount)
    assert clean["flag_range"] == flag
    assert clean["reason"] == {1: None, 3: "range_suspect,low_score", 4: "range,low_score"}[flag]


def test_what_the_ruleset_does_not_limit_is_not_asked_for() -> None:
    limits = {**DEFAULT.limits, ("rainfall", "value"): Limits(Span(0.0, 1800.0))}
    ruleset = replace(DEFAULT, limits=MappingProxyType(limits))
    assert made("rainfall", ruleset=ruleset, seconds=60, value=500.0)["flag_range"] == 1


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(("siting", "flag"), [(5, 3), (1, 1), (None, 1)])
def test_a_station_may_have_the_limits_of_its_class(siting: int | None, flag: int) -> None:
    usual = DEFAULT.limits_of("temperature", "value")
    poor = Override("temperature", "value", replace(usual, suspect=Span(0, 10)), classes=(4, 5))
    ruleset = replace(DEFAULT, version="sited", overrides=(poor,))
    record = made("temperature", ruleset=ruleset, station_class=siting, value=12.5)
    assert record["flag_range"] == flag
