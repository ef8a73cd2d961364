"""Tests that look at neighbours in time: QARTOD's vectors, real days, and series cut anywhere."""

from __future__ import annotations

import csv
import io
import lzma
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.arrays import Flags, Floats, Micros
from weather.qc.consistency import wind_consistency
from weather.qc.flags import Flag
from weather.qc.flat_line import flat_line_test
from weather.qc.series import Neighbours, Past, neighbours
from weather.qc.spike import spike_test
from weather.qc.step import step_test
from weather.ruleset import DEFAULT, FlatLine, Spike, Step

NAN = float("nan")
MINUTE = 60_000_000
X = np.array([10, 10.2, 10.1, 18, 10.3, NAN, 10.4, 10.4, 10.4, 45])
Y = np.array([10, 10.1, 10.1, 10.1, 10.1, 10.1, 10.1, 10.2, 10.3, NAN])


def around(values: Floats, at: Micros | None = None) -> Neighbours:
    """Look around the readings of one series, a minute apart."""
    at = np.arange(len(values)) * MINUTE if at is None else at
    live = np.ones(len(values), np.bool_)
    return neighbours(at, values, live, np.array([len(values)]), Past.nothing(1))


def missing(flags: Flags, values: Floats) -> list[int]:
    return np.where(np.isnan(values), Flag.MISSING, flags).tolist()


def stepped(values: Floats, *steps: Step) -> Flags:
    found = around(values)
    return step_test(found.change, found.elapsed, steps)


def spiked(values: Floats, limits: Spike) -> Flags:
    found = around(values)
    return spike_test(found.rise, found.fall, found.elapsed, found.to_behind, limits)


def flat(values: Floats, limits: FlatLine, at: Micros | None = None) -> Flags:
    found = around(values, at)
    at = np.arange(len(values)) * MINUTE if at is None else at
    stood, count = at - found.past.since, found.past.length
    return flat_line_test(values, stood, count, found.resolution, limits)


@pytest.mark.requirement("B6")
def test_steps_are_flagged_as_qartod_does_but_for_the_first_which_nothing_precedes() -> None:
    flags = missing(stepped(X, Step(2, 2.0, fail=10.0)), X)
    assert flags == [2, 1, 1, 3, 3, 9, 1, 1, 1, 4]


@pytest.mark.requirement("B6")
def test_spikes_are_flagged_as_qartods_differential_method_does() -> None:
    assert missing(spiked(X, Spike(2.0, 4.0, 60)), X) == [2, 1, 1, 4, 2, 9, 2, 1, 1, 2]


@pytest.mark.requirement("B6")
def test_flat_lines_are_flagged_as_qartod_does() -> None:
    limits = FlatLine(2, 4, resolution=0.1, readings=1)
    assert missing(flat(Y, limits), Y) == [1, 1, 1, 3, 3, 4, 4, 1, 1, 9]


@pytest.mark.requirement("B6")
def test_a_coarse_sensor_may_stand_longer_than_a_fine_one() -> None:
    limits = FlatLine(10, 100, resolution=0.1, readings=1)
    fine = np.array([20.0, 20.1, *[20.0] * 15])
    coarse = np.array([20.0, 21.0, *[20.0] * 15])
    assert flat(fine, limits).tolist().count(3) == 5
    assert flat(coarse, limits).tolist().count(3) == 0


@pytest.mark.requirement("B6")
def test_few_equal_readings_are_no_flat_line_however_far_apart() -> None:
    hourly = np.arange(30) * 60 * MINUTE
    flags = flat(np.array([1.0, 1.1, *[1.0] * 28]), FlatLine(180, 720, resolution=0.1), hourly)
    assert flags.tolist() == [1] * 25 + [4] * 5


@pytest.mark.requirement("B6")
def test_beyond_the_longest_step_and_without_limits_nothing_is_judged() -> None:
    far = np.array([MINUTE, 61 * MINUTE])
    assert step_test(np.array([1.0, 1.0]), far, (Step(60, 4),)).tolist() == [1, 2]
    assert step_test(np.array([99.0]), far[:1], ()).tolist() == [2]
    assert spike_test(X, X, far[[0] * 10], far[[0] * 10], None).tolist() == [2] * 10
    minutes = np.arange(10) * MINUTE
    assert flat_line_test(Y, minutes, minutes, Y, None).tolist() == [2] * 10


def test_a_counter_may_fall_as_far_as_it_likes() -> None:
    fall_and_rise, minutes = np.array([-900.0, 21.0]), np.array([MINUTE, MINUTE])
    assert step_test(fall_and_rise, minutes, (Step(1, 20),), rises_only=True).tolist() == [1, 3]


def test_a_wind_that_contradicts_itself_is_flagged() -> None:
    speed, gust = np.array([5.0, 5.0, 5.0]), np.array([5.0, 4.99, NAN])
    assert wind_consistency(speed, speed, gust).tolist() == [1, 4, 1]


MEASURES = {
    ("temperature", "value"): "Air Temperature [deg C]",
    ("humidity", "value"): "Rel Humidity [%]",
    ("pressure", "value"): "Station Pressure [mBar]",
    ("wind", "speed"): "Avg Wind Speed @ 3m [m/s]",
    ("wind", "direction"): "Avg Wind Direction @ 3m [deg from N]",
}


@pytest.mark.requirement("B6")
@pytest.mark.parametrize("measure", MEASURES)
def test_a_real_day_by_the_minute_is_good(measure: tuple[str, str]) -> None:
    packed = files("devstack").joinpath("sample", "data", "midc_20181018.csv.xz").read_bytes()
    rows = csv.DictReader(io.StringIO(lzma.decompress(packed).decode()))
    values = np.array([float(row[MEASURES[measure]]) for row in rows])
    limits = DEFAULT.limits_of(*measure)
    flags = [stepped(values, *limits.steps)]
    flags += [spiked(values, limits.spike)] if limits.spike else []
    flags += [flat(values, limits.flat_line)] if limits.flat_line else []
    assert sum(int((f >= 3).sum()) for f in flags) == 0


SERIES = st.lists(
    st.tuples(st.integers(1, 90), st.sampled_from([NAN, 1.0, 1.0, 1.5, 9.0]), st.booleans()),
    min_size=1,
    max_size=30,
)
NAMES = ("change", "elapsed", "rise", "fall", "to_behind", "resolution")


@given(series=SERIES, data=st.data())
def test_a_series_goes_on_from_any_of_its_readings_as_if_it_had_not_been_cut(
    series: list[tuple[int, float, bool]], data: st.DataObject
) -> None:
    at = np.cumsum([minutes for minutes, _, _ in series]) * MINUTE
    values = np.array([value for _, value, _ in series])
    live = np.array([not gone for _, _, gone in series])
    whole = neighbours(at, values, live, np.array([len(at)]), Past.nothing(1))
    cut = data.draw(st.integers(0, len(at) - 1))
    past = Past(*(column[cut : cut + 1] for column in whole.past))
    rest = len(at) - cut - 1
    if rest:
        tail = slice(cut + 1, None)
        again = neighbours(at[tail], values[tail], live[tail], np.array([rest]), past)
        for name in NAMES:
            np.testing.assert_array_equal(getattr(again, name), getattr(whole, name)[tail], name)
        for mine, theirs in zip(again.past, whole.past, strict=True):
            np.testing.assert_array_equal(mine, theirs[tail])


def looked_at(*parts: list[tuple[int, float, bool]], cut: int = 0) -> Neighbours:
    """Look around series side by side; what is before the cut of each was looked at alone."""
    pasts = [looked_at(part[:cut]).past if part[:cut] else Past.nothing(1) for part in parts]
    before = Past(
        *(np.concatenate([c[-1:] for c in columns]) for columns in zip(*pasts, strict=True))
    )
    at = np.concatenate([np.cumsum([minutes for minutes, _, _ in p])[cut:] for p in parts])
    rest = [reading for part in parts for reading in part[cut:]]
    values = np.array([value for _, value, _ in rest], np.float64)
    live = np.array([not gone for _, _, gone in rest], np.bool_)
    lengths = np.array([len(part[cut:]) for part in parts])
    return neighbours(at * MINUTE, values, live, lengths, before)


@given(one=SERIES, two=SERIES, cut=st.integers(0, 29))
def test_series_side_by_side_do_not_see_each_other_wherever_they_are_cut(
    one: list[tuple[int, float, bool]], two: list[tuple[int, float, bool]], cut: int
) -> None:
    cut = min(cut, len(one) - 1, len(two) - 1)
    both, apart = looked_at(one, two, cut=cut), [looked_at(one, cut=cut), looked_at(two, cut=cut)]
    for name in NAMES:
        joined = np.concatenate([getattr(each, name) for each in apart])
        np.testing.assert_array_equal(getattr(both, name), joined, name)
    for mine, *theirs in zip(both.past, *(each.past for each in apart), strict=True):
        np.testing.assert_array_equal(mine, np.concatenate(theirs))
