"""What is measured of the tests: on some weeks of the sample, through the code of the stream."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from devstack.sample import MAPPING, build
from operate.cli import app
from operate.quality.catalogue import TESTS
from operate.quality.course import is_bad, verdicts
from operate.quality.false_flags import Count, counts
from operate.quality.faults import CASES, MAIN, Case
from operate.quality.network import falsely
from operate.quality.plots import data_of, plot
from operate.quality.readings import Past, read_past
from operate.quality.recall import Recall, recalls, summary
from operate.quality.scores import By, of_batches, worths
from operate.quality.series import as_live, series_of, with_faults
from producers.settings import SourceSettings
from weather.dense import DENSE
from weather.injection import NONE, Fault

HOURS, MINUTES = "weather_hourly", "aws_minute"
BROKEN = "UAT:temperature:2"


@pytest.fixture(scope="module")
def aos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the sample, and leave of it May 2013 of two stations and a morning in Tucson."""
    path = tmp_path_factory.mktemp("aos") / "sample.db"
    build(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "DELETE FROM weather_hourly WHERE station_id = 'EWR' "
            "OR observed_at NOT BETWEEN '2013-05-01' AND '2013-05-22'"
        )
        database.execute("DELETE FROM aws_minute WHERE observed_at > '2018-10-18 08:00'")
        database.commit()
    return path


def source(path: Path) -> SourceSettings:
    return SourceSettings(url=f"sqlite:///{path}", mapping=MAPPING)


@pytest.fixture(scope="module")
def past(aos: Path) -> Past:
    return read_past(source(aos))


@pytest.fixture(scope="module")
def hours(past: Past) -> Past:
    return past.only(HOURS)


@pytest.mark.requirement("B6", "E6")
def test_a_wrong_reading_of_a_real_month_is_counted_with_the_test_that_found_it(
    hours: Past,
) -> None:
    found = {(one.parameter, one.month): one for one in counts(HOURS, verdicts(hours))}
    may = found["temperature", "2013-05"]
    assert may.tests["spike"] >= 1
    assert may.flagged >= 1
    assert found["rainfall", "2013-05"].flagged == 0
    assert all(one.holds for one in found.values())


def test_what_is_flagged_does_not_depend_on_the_pages_that_were_read(aos: Path, past: Past) -> None:
    other = verdicts(read_past(source(aos), page_rows=97))
    for parameter, found in verdicts(past).items():
        theirs = other[parameter]
        np.testing.assert_array_equal(found.judged.utc, theirs.judged.utc)
        for field, flags in {**found.flags, "flag": found.flag}.items():
            mine = theirs.flag if field == "flag" else theirs.flags[field]
            np.testing.assert_array_equal(flags, mine, err_msg=f"{parameter} {field}")


def test_a_broken_sensor_can_be_left_out(past: Past) -> None:
    assert past.tables() == [MINUTES, HOURS]
    whole, without = past.only(MINUTES), past.only(MINUTES, [BROKEN])
    assert verdicts(whole)["temperature"].bad.any()
    assert not verdicts(without)["temperature"].bad.any()


def test_a_count_beyond_the_bar_does_not_hold() -> None:
    assert Count("d", "pressure", "2013-01", 1000, 4, {}).holds
    assert not Count("d", "pressure", "2013-01", 1000, 5, {}).holds


@pytest.fixture(scope="module")
def found(hours: Past) -> list[Recall]:
    cases = (Case(Fault.SENTINEL, 0), Case(Fault.SPIKE, 2), Case(Fault.STUCK, 0))
    return list(recalls(HOURS, hours, (*cases, Case(Fault.RESET, 1))))


@pytest.mark.requirement("B6", "E3", "E6")
def test_units_that_are_mixed_up_are_found(hours: Past) -> None:
    cases = [Case(Fault.UNIT, which) for which in range(5)]
    recall = {(one.parameter, one.case): one.recall for one in recalls(HOURS, hours, cases)}
    for parameter in ("temperature", "humidity", "wind"):
        assert min(recall[parameter, case] for case in cases) >= 0.95, parameter


@pytest.mark.requirement("B6", "E3")
def test_leaked_sentinels_and_large_spikes_are_found(found: list[Recall]) -> None:
    recall = {(one.case.fault, one.parameter): one for one in found}
    for parameter, _ in MAIN:
        leaked = recall[Fault.SENTINEL, parameter]
        assert (leaked.events > 0, leaked.recall, leaked.holds) == (True, 1.0, True)
    for parameter in ("temperature", "humidity", "pressure"):
        assert recall[Fault.SPIKE, parameter].recall >= 0.95
    assert recall[Fault.RESET, "rainfall"].events > 0


@pytest.mark.requirement("B6", "E3")
def test_a_dense_live_network_finds_slow_drifts_and_slow_clocks_that_a_station_lets_pass(
    hours: Past,
) -> None:
    cases = Case(Fault.DRIFT, 1), Case(Fault.CLOCK, 1)
    alone, asked = (
        {(one.case.fault, one.parameter): one for one in found}
        for found in (
            recalls(HOURS, hours, cases),
            recalls(HOURS, hours, cases, DENSE, around=True),
        )
    )
    clocks = Fault.CLOCK, "temperature"
    assert (alone[clocks].recall, asked[clocks].recall) == (0.0, 1.0)
    for parameter in ("temperature", "pressure"):
        drift = asked[Fault.DRIFT, parameter]
        assert alone[Fault.DRIFT, parameter].recall < 0.5 <= drift.recall
        assert drift.by["neighbours"] > 0


def test_stations_around_leave_nearly_all_healthy_readings_alone(hours: Past) -> None:
    several, said = falsely(series_of(hours, verdicts(hours), MAIN[:1], DENSE)[0])
    assert several > 400
    assert said / several < 0.005


def test_what_is_too_short_to_be_seen_is_not_found_and_not_promised(found: list[Recall]) -> None:
    short = [one for one in found if one.case.fault is Fault.STUCK]
    assert {one.target.least for one in short} == {0.0}
    assert max(one.recall for one in short) < 0.5


def test_the_table_has_a_line_for_each_fault_and_magnitude(found: list[Recall]) -> None:
    rows = summary(found)
    assert [row["fault"] for row in rows] == [
        "sentinel leak", "spike", "stuck value", "counter reset",
    ]  # fmt: skip
    assert rows[0]["temperature"] == "100 %"
    assert rows[3]["pressure"] == ""


AMONG_READINGS = [one for one in CASES if one.magnitude == 1 and one.fault is not Fault.RESET]


@pytest.mark.parametrize("case", AMONG_READINGS, ids=lambda case: case.fault)
def test_a_fault_changes_the_verdict_of_no_other_sensor(hours: Past, case: Case) -> None:
    live = as_live(hours, verdicts(hours))
    healthy = verdicts(live)
    series = series_of(live, healthy, [("temperature", "value"), ("humidity", "value")])
    put = [one for one in case.put(series, 5) if one.series.sensor == "JFK:temperature"]
    assert (put[0].faulty.event != NONE).any()
    after = verdicts(with_faults(live, put))
    for name in ("humidity", "pressure", "wind"):
        np.testing.assert_array_equal(after[name].flag, healthy[name].flag)
    others = ~np.isin(np.arange(len(live.readings["temperature"].records)), put[0].series.rows)
    before, now = (v["temperature"].by_offset(len(others)) for v in (healthy, after))
    np.testing.assert_array_equal(now[others], before[others])


def test_a_plot_shows_a_real_reading_that_was_caught(hours: Past) -> None:
    spikes = next(test for test in TESTS if test.name == "spike")
    data = data_of(HOURS, hours)
    drawn = plot(spikes, [data])
    assert drawn is not None
    assert "JFK:temperature: caught, in real data" in drawn
    assert drawn == plot(spikes, [data])
    assert is_bad(data.healthy["temperature"].flag).any()


@pytest.mark.requirement("B8")
def test_a_sensor_and_its_days_are_scored_by_what_came_of_what_should_have(hours: Past) -> None:
    found = verdicts(hours)["temperature"]
    (jfk, lga) = worths(found, By.SENSOR)
    assert (jfk.sensor, lga.sensor) == ("JFK:temperature", "LGA:temperature")
    assert jfk.readings == 504
    assert jfk.dimensions["completeness"] == 1.0
    assert jfk.dimensions["validity"] < lga.dimensions["validity"] == 1.0
    days = {(one.sensor, one.day): one for one in worths(found, By.DAY)}
    assert days["LGA:temperature", "2013-05-09"].score == 1.0
    bad = days["JFK:temperature", "2013-05-08"]
    assert bad.dimensions["validity"] < 1.0
    assert bad.readings == 24
    assert [one.below for one in worths(found, By.SENSOR, threshold=1.0)] == [True, False]


@pytest.mark.requirement("B8")
def test_what_was_read_at_once_is_scored_as_a_batch(aos: Path) -> None:
    pages = read_past(source(aos), page_rows=400).only(HOURS)
    found = verdicts(pages)["temperature"]
    batches = [*of_batches(found, pages.page["temperature"])]
    assert sum(one.readings for one in batches) == len(found.flag)
    assert len({one.day for one in batches}) == len(batches) > 1
    assert len({one.dimensions["validity"] for one in batches}) > 1


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["quality", *map(str, arguments)])


@pytest.fixture
def where(aos: Path) -> list[object]:
    return ["--url", f"sqlite:///{aos}", "--mapping", MAPPING]


@pytest.mark.requirement("B6", "F3")
def test_the_command_counts_for_programs_and_fails_where_it_is_told_to(
    where: list[object],
) -> None:
    told = run("false-flags", *where, "--without", BROKEN, "--json", "--strict")
    assert told.exit_code == 0
    rows = json.loads(told.stdout)
    assert {row["data"] for row in rows} == {HOURS, MINUTES}
    assert all(row["holds"] for row in rows)
    assert run("false-flags", *where, "--strict").exit_code == 1


def test_a_database_without_its_mapping_is_a_mistake_of_one_line(where: list[object]) -> None:
    told = run("false-flags", *where[:2])
    assert told.exit_code == 2
    assert "--mapping" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("name", ["climate", "station", "neighbours"])
def test_what_no_real_day_shows_is_drawn_of_what_it_would_catch(name: str, hours: Past) -> None:
    drawn = plot(next(one for one in TESTS if one.name == name), [data_of(HOURS, hours)]) or ""
    assert "caught: " in drawn
    assert "#e08a00" in drawn, "a flagged reading is marked"
