"""Real, healthy data: what the default rules flag of it, month by month, and why."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import numpy as np
import pytest

from devstack.sample.tables import from_data
from weather.arrays import Bools, Floats, Micros
from weather.clean import Given, clean
from weather.limits import Factor
from weather.qc.flags import Flag
from weather.qc.in_time import judge_in_time
from weather.qc.series import Past, neighbours
from weather.qc.step import factor_test, step_test
from weather.ruleset import DEFAULT, months_of

pytestmark = pytest.mark.requirement("B6", "E6")

MOST = 0.005
STATIONS = ("EWR", "JFK", "LGA")
COLUMNS = {
    ("temperature", "value"): ("temp", "degF"),
    ("humidity", "value"): ("humid", "%"),
    ("pressure", "value"): ("pressure", "hPa"),
    ("wind", "speed"): ("wind_speed", "mph"),
    ("wind", "direction"): ("wind_dir", "degree"),
    ("rainfall", "value"): ("precip", "in"),
}


@cache
def rows_of(station: str) -> list[dict[str, str]]:
    return [row for row in from_data("weather.csv.xz") if row["origin"] == station]


def column(station: str, name: str) -> Floats:
    texts = [row[name] for row in rows_of(station)]
    return np.array([float(text) if text not in ("", "NA") else np.nan for text in texts])


def year(station: str, measure: tuple[str, str]) -> tuple[Micros, Floats]:
    """Give a station's year as the stream cleans it, in order of time."""
    seconds = [datetime.fromisoformat(r["time_hour"]).timestamp() for r in rows_of(station)]
    at = np.array(seconds).astype(np.int64) * 1_000_000
    name, unit = COLUMNS[measure]
    given = {measure[1]: Given(column(station, name), unit)}
    if measure[0] == "wind":
        given["speed"] = Given(column(station, "wind_speed"), "mph")
    order = np.argsort(at, kind="stable")
    cleaned = clean(measure[0], given).measures
    value = cleaned[measure[1]].value
    if measure[1] == "direction":
        value = np.where(cleaned["speed"].value > 0.5, value, np.nan)
    return at[order], value[order]


def flagged(at: Micros, values: Floats, measure: tuple[str, str]) -> Bools:
    live = np.ones(len(at), np.bool_)
    found = neighbours(at, values, live, np.array([len(at)]), Past.nothing(1))
    flags = judge_in_time(at, values, found, DEFAULT.limits_of(*measure)).values()
    return np.logical_or.reduce([(one == Flag.SUSPECT) | (one == Flag.FAIL) for one in flags])


@pytest.mark.parametrize("station", STATIONS)
@pytest.mark.parametrize("measure", COLUMNS, ids=".".join)
def test_less_than_half_a_percent_of_any_month_is_flagged(
    station: str, measure: tuple[str, str]
) -> None:
    at, values = year(station, measure)
    bad, there = flagged(at, values, measure), ~np.isnan(values)
    months = months_of(at)
    for month in range(1, 13):
        share = (bad & there)[months == month].sum() / max(there[months == month].sum(), 1)
        assert share < MOST, (month, share)


@pytest.mark.parametrize(
    ("station", "when", "before", "after"),
    [
        ("EWR", "2013-04-01T20:00Z", 15.0, 9.4),  # a cold front: the wind rises to 9 m/s
        ("EWR", "2013-07-20T23:00Z", 34.0, 27.2),  # a thunderstorm, and the wind turns about
        ("LGA", "2013-04-09T13:00Z", 16.1, 22.2),  # fog lifts: humidity falls from 62 to 43 %
    ],
)
def test_a_front_that_passes_within_the_hour_is_no_error(
    station: str, when: str, before: float, after: float
) -> None:
    at, values = year(station, ("temperature", "value"))
    micros = round(datetime.fromisoformat(when).timestamp()) * 1_000_000
    place = int(np.flatnonzero(at == micros)[0])
    assert values[place - 1 : place + 1] == pytest.approx([before, after], abs=0.06)
    assert not flagged(at, values, ("temperature", "value"))[place]


def test_the_one_real_error_of_a_thermometer_is_found() -> None:
    at, values = year("JFK", ("temperature", "value"))
    place = int(np.nanargmin(np.where(months_of(at) == 5, values, np.nan)))
    assert values[place] == pytest.approx(-10.5, abs=0.05)
    assert flagged(at, values, ("temperature", "value"))[place]


@pytest.mark.parametrize("factor", [0.01, 0.1, 0.16])
def test_a_humidity_in_another_unit_is_found_where_it_begins(factor: float) -> None:
    at, values = year("EWR", ("humidity", "value"))
    begins = np.arange(100, len(at) - 60, 131)
    begins = begins[np.diff(at)[begins - 1] == 3_600_000_000]
    mixed = values.copy()
    for begin in begins.tolist():
        mixed[begin : begin + 24] *= factor
    assert flagged(at, mixed, ("humidity", "value"))[begins].mean() >= 0.95


def test_a_small_change_near_nothing_is_no_leap_and_a_coarse_sensor_may_round() -> None:
    hour, limits = np.full(2, 3_600_000_000), Factor(60, 4.0, least=10.0)
    dry, change = np.array([8.0, 16.0]), np.array([7.0, 13.0])
    assert factor_test(dry, change, hour, limits).tolist() == [1, 3]
    assert factor_test(dry, change, hour, None).tolist() == [2, 2]
    assert factor_test(dry, change, hour + 1, limits).tolist() == [2, 2]
    steps = DEFAULT.limits_of("pressure", "value").steps
    minute = np.full(3, 60_000_000)
    for resolution, flags in ((None, [3, 3, 4]), (np.full(3, 1.0), [1, 3, 4])):
        made = step_test(np.array([3.0, -4.0, 12.0]), minute, steps, resolution=resolution)
        assert made.tolist() == flags
