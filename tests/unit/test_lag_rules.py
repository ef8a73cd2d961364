"""The rules of Burrow: each of its published cases, and what they say of whoever keeps up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.lag.rules import Rule, Sample, Window, judge, worst

pytestmark = pytest.mark.requirement("D5")
MINUTE = 60.0


def window(offsets: list[int], lags: list[int], **more: object) -> Window:
    """Give samples a minute apart, as Burrow's wiki does; the last lag is that of now."""
    samples = [
        Sample(MINUTE * n, offset, lag)
        for n, (offset, lag) in enumerate(zip(offsets, lags, strict=True))
    ]
    return Window(samples, lags, size=len(samples), **more)


def at_once(found: Window) -> Rule:
    return judge(found, found.samples[-1].at + 1)


@pytest.mark.parametrize(
    ("offsets", "lags", "rule"),
    [
        # It was at the end once: well, though it did nothing since and has much before it.
        ([10, 20, 20, 20], [5, 0, 10, 20], Rule.OK),
        # The lag shrinks somewhere: it makes headway.
        ([10, 20, 30, 40], [50, 60, 55, 65], Rule.OK),
        # It moves, and its lag only grows.
        ([10, 20, 30, 40], [5, 6, 7, 8], Rule.WARN),
        # It moves, and its lag stays.
        ([10, 20, 30, 40], [5, 5, 5, 5], Rule.WARN),
        # It gives signs and stays where it is, with something before it.
        ([10, 10, 10, 10], [5, 5, 5, 5], Rule.STALL),
        ([10, 10, 10, 10], [5, 6, 7, 8], Rule.STALL),
        # It went back.
        ([10, 20, 15, 25], [5, 5, 10, 5], Rule.REWIND),
        # Nothing to read now.
        ([10, 10, 10, 10], [5, 5, 5, 0], Rule.OK),
    ],
)
def test_a_partition_is_judged_by_its_course(
    offsets: list[int], lags: list[int], rule: Rule
) -> None:
    assert at_once(window(offsets, lags)) is rule


@pytest.mark.parametrize(("later", "rule"), [(180.0, Rule.WARN), (181.0, Rule.STOP)])
def test_a_consumer_has_stopped_when_it_is_silent_for_longer_than_its_window(
    later: float, rule: Rule
) -> None:
    found = window([10, 20, 30, 40], [5, 5, 5, 5])
    assert judge(found, found.samples[-1].at + later) is rule


def test_a_consumer_that_was_at_the_end_and_fell_silent_has_stopped_too() -> None:
    samples = [Sample(0, 10, 0), Sample(MINUTE, 10, 0)]
    assert judge(Window(samples, [3, 4, 5], size=2), 3 * MINUTE) is Rule.STOP


def test_readings_that_came_just_now_make_no_silent_consumer_a_stopped_one() -> None:
    samples = [Sample(0, 10, 0), Sample(MINUTE, 10, 0)]
    assert judge(Window(samples, [0, 0, 5], size=2), 9 * MINUTE) is Rule.OK


def test_a_window_that_is_not_full_says_neither_stall_nor_slow() -> None:
    samples = [Sample(0, 10, 5), Sample(MINUTE, 10, 5)]
    assert judge(Window(samples, [5, 5]), MINUTE) is Rule.OK


def test_one_sign_alone_stops_nothing_before_a_window_would_have_passed() -> None:
    alone = Window([Sample(0, 10, 5)], [5], least_span=9.0)
    assert judge(alone, 9.0) is Rule.OK
    assert judge(alone, 9.1) is Rule.STOP


def test_without_a_sign_nothing_is_said() -> None:
    assert judge(Window([], [5]), 1e9) is Rule.OK


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=10))
def test_whoever_has_nothing_before_it_is_well(pairs: list[tuple[int, int]]) -> None:
    offsets, lags = [p[0] for p in pairs], [p[1] for p in pairs]
    assert judge(window(offsets, [*lags[:-1], 0]), 1e9) is Rule.OK


@given(st.lists(st.integers(0, 99), min_size=2, max_size=10), st.integers(1, 99))
def test_a_position_that_rises_is_never_a_stall_nor_a_rewind(rises: list[int], lag: int) -> None:
    offsets = [sum(rises[: n + 1]) + n for n in range(len(rises))]
    assert at_once(window(offsets, [lag] * len(rises))) in {Rule.OK, Rule.WARN}


def test_the_worst_partition_speaks_for_all() -> None:
    assert worst([Rule.OK, Rule.REWIND, Rule.WARN]) is Rule.REWIND
    assert worst([]) is Rule.OK
