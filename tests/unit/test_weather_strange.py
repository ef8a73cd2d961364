"""Stations never seen: any cadence, any resolution, holes, single readings, none at all."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.arrays import Flags, Floats, Micros
from weather.clean import Given, clean
from weather.parameters import PARAMETERS
from weather.qc.digits import STEPS, counted
from weather.qc.flags import Flag
from weather.qc.in_time import judge_in_time
from weather.qc.rain import amount_test
from weather.qc.series import Past, neighbours
from weather.rain import increments
from weather.ruleset import DEFAULT
from weather.units import from_standard, known_units, to_standard

pytestmark = pytest.mark.requirement("B6", "E3")

SECOND = 1_000_000
CADENCES = (1, 10, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 86_400)
RESOLUTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
COARSE = {"temperature": 5.0, "humidity": 5.0}
"""Beyond that a sensor tells little of the weather: a barometer may stand still for days."""
SERIES = [("temperature", "value"), ("humidity", "value"), ("pressure", "value"), ("wind", "speed")]
USUAL = {"temperature": 15.0, "humidity": 60.0, "pressure": 1013.0, "wind": 4.0}
DAILY = {"temperature": 6.0, "humidity": 20.0, "pressure": 3.0, "wind": 3.0}
NOISE = {"temperature": 0.1, "humidity": 0.5, "pressure": 0.05, "wind": 0.5}
FLAGS = {flag.value for flag in Flag}


def judged(measure: tuple[str, str], at: Micros, values: Floats) -> dict[str, Flags]:
    live = np.ones(len(at), np.bool_)
    lengths, nothing = np.array([len(at)]), Past.nothing(1)
    found = neighbours(at, values, live, lengths, nothing)
    if measure in STEPS:
        found = counted(found, values, ~np.isnan(values), lengths, nothing.runs, STEPS[measure])
    return judge_in_time(at, values, found, DEFAULT.limits_of(*measure))


def flagged(flags: dict[str, Flags]) -> Flags:
    found: Flags = np.max([np.where(f == Flag.MISSING, 0, f) for f in flags.values()], axis=0)
    return found


def healthy(parameter: str, cadence: int, resolution: float, days: float = 4.0) -> Floats:
    """Make days, and the weather's turns, of a healthy station, as its sensor rounds them."""
    n = max(int(days * 86_400 / cadence), 30)
    n = min(n, 6000)
    random = np.random.default_rng(cadence)
    day = np.arange(n) * cadence / 86_400
    waves = np.sin(2 * np.pi * day) + np.sin(2 * np.pi * day / 5.3)
    smooth = USUAL[parameter] + DAILY[parameter] / 2 * waves
    values = np.maximum(smooth + random.normal(0, NOISE[parameter], n), 0.0)
    return np.round(values / resolution) * resolution


@pytest.mark.parametrize("parameter", USUAL)
@pytest.mark.parametrize("cadence", CADENCES)
def test_a_healthy_station_of_any_cadence_and_resolution_is_left_alone(
    parameter: str, cadence: int
) -> None:
    measure = next(name for name in SERIES if name[0] == parameter)
    for resolution in (*RESOLUTIONS, 2.0, COARSE.get(parameter, 2.0)):
        values = healthy(parameter, cadence, resolution)
        at = np.arange(len(values)) * cadence * SECOND
        share = np.mean(flagged(judged(measure, at, values)) >= Flag.SUSPECT)
        assert share < 0.005, (resolution, share)


@pytest.mark.parametrize(
    ("parameter", "unit", "resolution"),
    [
        *product(["temperature"], ["degF", "K", "0.1degC"], [0.1, 1.0]),
        *product(["humidity"], ["1"], [0.001, 0.01]),
        ("humidity", "0.1%", 1.0),
        *product(["pressure"], ["inHg", "mmHg", "kPa", "Pa"], [0.01, 0.1]),
        *product(["wind"], ["kt", "mph", "km/h", "0.1m/s"], [0.1, 1.0]),
    ],
)
def test_a_healthy_station_of_any_unit_is_left_alone(
    parameter: str, unit: str, resolution: float
) -> None:
    measure = next(name for name in SERIES if name[0] == parameter)
    for cadence in (60, 600, 3600, 10_800):
        told = from_standard(healthy(parameter, cadence, 0.001), *measure, unit)
        kept = np.round(np.round(told / resolution) * resolution, 3)
        values = to_standard(kept, *measure, unit)
        at = np.arange(len(values)) * cadence * SECOND
        share = np.mean(flagged(judged(measure, at, values)) >= Flag.SUSPECT)
        assert share < 0.005, (cadence, share)


@pytest.mark.parametrize(("measure", "cadence"), list(product(SERIES, (1, 60, 600))))
def test_a_spike_of_three_steps_is_found_at_any_resolution(
    measure: tuple[str, str], cadence: int
) -> None:
    limits = DEFAULT.limits_of(*measure)
    step = next(one.suspect for one in limits.steps if one.minutes * 60 >= cadence)
    for resolution in RESOLUTIONS:
        values = healthy(measure[0], cadence, resolution)
        at, places = np.arange(len(values)) * cadence * SECOND, np.arange(50, len(values) - 1, 97)
        values[places] += 3 * step
        found = flagged(judged(measure, at, values))[places] >= Flag.SUSPECT
        beyond = values[places] > limits.fail.high
        assert (found | beyond).mean() >= 0.95, resolution


@pytest.mark.parametrize("measure", SERIES)
@pytest.mark.parametrize("cadence", [10, 60, 600, 3600])
def test_a_value_stuck_for_longer_than_the_window_is_found(
    measure: tuple[str, str], cadence: int
) -> None:
    limits = DEFAULT.limits_of(*measure).flat_line
    assert limits is not None
    for resolution in (0.01, 0.1, 1.0):
        values = healthy(measure[0], cadence, resolution)
        coarser = max(1.0, resolution / limits.resolution)
        window = max(limits.suspect_minutes * 60 * coarser, limits.readings * cadence)
        stuck = np.full(int(window / cadence) + 3, USUAL[measure[0]])
        values = np.concatenate([values, stuck])
        at = np.arange(len(values)) * cadence * SECOND
        assert judged(measure, at, values)["flat_line"][-1] >= Flag.SUSPECT, resolution


def test_series_under_other_limits_are_judged_each_by_its_own() -> None:
    parts = [healthy(parameter, 60, 0.1, days=0.1) for parameter in ("temperature", "pressure")]
    values = np.concatenate([part + np.where(np.arange(len(part)) == 50, 9.0, 0) for part in parts])
    lengths = np.array([len(part) for part in parts])
    at = np.concatenate([np.arange(n) * 60 * SECOND for n in lengths])
    found = neighbours(at, values, np.ones(len(at), np.bool_), lengths, Past.nothing(2))
    for measure, rows in ((SERIES[0], slice(0, lengths[0])), (SERIES[2], slice(lengths[0], None))):
        limits = DEFAULT.limits_of(*measure)
        together = judge_in_time(at[rows], values[rows], found.take(rows), limits)
        alone = judged(measure, at[rows], values[rows])
        assert {name: made.tolist() for name, made in together.items()} == {
            name: made.tolist() for name, made in alone.items()
        }
        assert Flag.SUSPECT in together["step"]


MESS = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [np.nan, 0.0, -9999.9, 999.0, 20.0, 20.1]
)


@given(
    values=st.lists(MESS, max_size=40),
    cadence=st.sampled_from(CADENCES),
    measure=st.sampled_from([*SERIES, ("wind", "direction"), ("rainfall", "value")]),
)
def test_whatever_comes_each_reading_has_a_flag_and_nothing_breaks(
    values: list[float], cadence: int, measure: tuple[str, str]
) -> None:
    parameter, name = measure
    at = np.arange(len(values), dtype=np.int64) * cadence * SECOND
    main = PARAMETERS[parameter].main.name
    column = np.array(values, np.float64)
    unit = known_units(parameter, name)[-1]
    given_values = {main: Given(column, known_units(parameter, main)[0]), name: Given(column, unit)}
    cleaned = clean(parameter, given_values).measures[name].value
    flags = judged(measure, at, cleaned)
    for made in flags.values():
        assert made.shape == column.shape
        assert set(made.tolist()) <= FLAGS
        assert ((made == Flag.MISSING) == np.isnan(cleaned)).all()


@given(
    totals=st.lists(st.sampled_from([np.nan, 0.0, 0.1, 0.5, 7.0, 1800.0]), max_size=40),
    cadence=st.sampled_from(CADENCES),
)
def test_rain_from_any_counter_is_never_negative_and_always_flagged(
    totals: list[float], cadence: int
) -> None:
    values = np.array(totals, np.float64)
    at = np.arange(len(values), dtype=np.int64) * cadence * SECOND
    live = np.ones(len(at), np.bool_)
    found = neighbours(at, values, live, np.array([len(at)]), Past.nothing(1))
    fell = increments(values, found.change, found.elapsed, at, cadence * SECOND)
    assert not (fell.amount < 0).any()
    assert not (fell.amount > np.nan_to_num(values)).any()
    flags = amount_test(fell.amount, fell.minutes, DEFAULT.limits_of("rainfall", "value").amounts)
    assert set(flags.tolist()) | set(fell.flags.tolist()) <= FLAGS


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("measure", SERIES)
def test_a_single_reading_and_none_at_all_are_judged(measure: tuple[str, str], n: int) -> None:
    flags = judged(measure, np.zeros(n, np.int64), np.full(n, USUAL[measure[0]]))
    assert {name: made.tolist() for name, made in flags.items()} == {
        "step": [2] * n,
        "spike": [2] * n,
        "flat_line": [1] * n,
    }
