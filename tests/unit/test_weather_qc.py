"""Flags, the range test, the default ruleset and the score."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.parameters import PARAMETERS
from weather.qc.flags import Flag, aggregate, flags_like, overall
from weather.qc.range import range_test
from weather.ruleset import DEFAULT, Limits, Ruleset, Span
from weather.score import validity

pytestmark = pytest.mark.requirement("B6")

FLAGS = st.sampled_from([1, 2, 3, 4, 9])


def test_the_range_test_gives_the_flags_of_ioos_qc() -> None:
    x = np.array([10, 10.2, 10.1, 18, 10.3, np.nan, 10.4, 10.4, 10.4, 45])
    flags = range_test(x, Span(-40, 40), suspect=Span(-30, 35))
    assert flags.tolist() == [1, 1, 1, 1, 1, 9, 1, 1, 1, 4]


def test_a_value_at_a_limit_passes_and_one_beyond_does_not() -> None:
    limits = np.array([-40.0, 60.0])
    beyond = np.nextafter(limits, np.array([-np.inf, np.inf]))
    assert range_test(limits, Span(-40, 60)).tolist() == [1, 1]
    assert range_test(beyond, Span(-40, 60)).tolist() == [4, 4]
    assert range_test(np.array([np.inf, -np.inf]), Span(-40, 60)).tolist() == [4, 4]


def test_between_the_suspect_and_the_failing_limit_a_value_is_suspect() -> None:
    values = np.array([-35.0, -30.0, 35.0, 35.1, 40.0, 40.1])
    assert range_test(values, Span(-40, 40), Span(-30, 35)).tolist() == [3, 1, 1, 3, 3, 4]


def test_flags_of_several_tests_join_as_ioos_qc_joins_them() -> None:
    gross = np.array([1, 1, 1, 1, 1, 9, 1, 1, 1, 4])
    spike = np.array([2, 1, 3, 4, 2, 9, 2, 1, 4, 2])
    rate = np.array([1, 1, 1, 3, 3, 9, 1, 1, 1, 4])
    flat = np.array([1, 1, 1, 1, 1, 9, 1, 3, 4, 1])
    assert aggregate(gross, spike, rate, flat).tolist() == [1, 1, 3, 4, 3, 9, 1, 3, 4, 4]


@given(st.lists(st.tuples(FLAGS, FLAGS, FLAGS), max_size=20))
def test_the_order_of_tests_does_not_matter_and_the_gravest_wins(
    rows: list[tuple[int, int, int]],
) -> None:
    columns = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    order = [9, 2, 1, 3, 4]
    expected = [max(row, key=order.index) for row in rows]
    assert aggregate(*columns).tolist() == aggregate(*columns[::-1]).tolist() == expected


def test_what_is_no_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="7 is no quality flag"):
        aggregate(np.array([1, 7]))
    with pytest.raises(ValueError, match="-1 is no quality flag"):
        aggregate(np.array([-1]))
    with pytest.raises(ValueError, match="nothing to aggregate"):
        aggregate()


@pytest.mark.parametrize(
    ("measured", "time", "metadata"), list(product([1, 3, 4, 9], [1, 3], [1, 2]))
)
def test_the_overall_flag_keeps_what_is_missing_and_judges_nothing_without_metadata(
    measured: int, time: int, metadata: int
) -> None:
    flag = int(overall(np.array([measured]), np.array([time]), np.array([metadata]))[0])
    if measured == Flag.MISSING:
        assert flag == Flag.MISSING
    elif max(measured, time) > Flag.GOOD:
        assert flag == max(measured, time)
    else:
        assert flag == (Flag.NOT_EVALUATED if metadata == Flag.NOT_EVALUATED else Flag.GOOD)


def test_flags_are_what_avro_calls_int() -> None:
    ones = flags_like(3, Flag.GOOD)
    assert {ones.dtype, aggregate(ones).dtype, overall(ones, ones, ones).dtype} == {
        np.dtype(np.int32)
    }


def test_every_measure_has_a_range_and_the_ruleset_has_a_version() -> None:
    for parameter in PARAMETERS.values():
        for measure in parameter.measures:
            low, high = DEFAULT.range_of(parameter.name, measure.name)
            assert low < high
    assert DEFAULT.version


def test_the_one_real_bad_wind_fails_and_a_typhoon_passes() -> None:
    speed = np.array([1048.36058 * 0.44704, 60.0])
    assert range_test(speed, DEFAULT.range_of("wind", "speed")).tolist() == [4, 1]


def test_a_ruleset_without_limits_for_a_measure_says_so() -> None:
    narrow = Ruleset("lab-3", {("pressure", "value"): Limits(Span(900, 1000))})
    with pytest.raises(ValueError, match=r"ruleset lab-3 has no limits for wind\.gust"):
        narrow.range_of("wind", "gust")
    with pytest.raises(ValueError, match="unknown parameter 'snow'"):
        narrow.range_of("snow", "value")


@pytest.mark.requirement("B8")
def test_the_score_of_a_reading_follows_its_flag() -> None:
    np.testing.assert_array_equal(validity(np.array([1, 3, 4, 9, 2])), [1.0, 0.5, 0.0, 0.0, np.nan])
