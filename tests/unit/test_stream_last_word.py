"""The last word on a reading: who forgets its neighbours does not unsay what they have said."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.window.rings import K
from tests.unit.windows import Key, Reading, Stream, expected

DAY = 3 * K
"""Readings of a series: it outgrows its ring, more than once."""
MOST_LATE = K // 3
VALUES = {
    "rainfall": [0.0, 0.0, 0.4, 30.0],
    "temperature": [20.0, 20.0, 20.1, 35.0],
    "humidity": [5.0, 8.0, 40.0],
    "wind": [0.0, 3.0, 3.0, 14.0],
}
Batches = list[list[Reading]]


@st.composite
def _day(draw: st.DrawFn) -> list[tuple[int, Reading]]:
    """Draw a day's readings, each once, and when it first comes: in time, or a little late."""
    parameters = draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2))
    return [
        (
            minute + draw(st.integers(0, MOST_LATE)),
            Reading(name, "A", minute, draw(st.sampled_from(VALUES[name])), offset=minute),
        )
        for name in sorted(parameters)
        for minute in range(DAY)
    ]


def _cut(draw: st.DrawFn, readings: list[Reading]) -> Batches:
    cuts = sorted(draw(st.sets(st.integers(1, len(readings) - 1), max_size=12)))
    return [readings[a:b] for a, b in pairwise([0, *cuts, len(readings)]) if a < b]


@st.composite
def _told_again(draw: st.DrawFn) -> Batches:
    """Draw the day as it comes: everything within the lateness bound, and again at any time."""
    told = draw(_day())
    again = draw(st.lists(st.tuples(st.sampled_from(told), st.integers(1, 2 * DAY)), max_size=40))
    coming = [*told, *((first + later, reading) for (first, reading), later in again)]
    return _cut(draw, [reading for _, reading in sorted(coming, key=lambda one: one[0])])


@st.composite
def _in_any_order(draw: st.DrawFn) -> tuple[Batches, Batches]:
    """Draw the day in an order that no ring is long enough for, and then some of it again."""
    told = [reading for _, reading in draw(_day())]
    first = draw(st.permutations(told))
    again = draw(st.lists(st.sampled_from(told), min_size=2, max_size=2 * DAY))
    return _cut(draw, first), _cut(draw, again)


def taken(*batches: list[Reading]) -> Stream:
    stream = Stream()
    for batch in batches:
        stream.take(batch)
    return stream


def said(stream: Stream) -> dict[Key, dict[str, int]]:
    return {key: flags for key, (_, flags) in stream.flags().items()}


@pytest.mark.requirement("B6", "D4")
@settings(max_examples=100)
@given(batches=_told_again())
def test_a_day_that_is_told_again_ends_as_if_each_reading_had_come_once_in_order(
    batches: Batches,
) -> None:
    told = {reading for batch in batches for reading in batch}
    once = {key: flags for key, (_, flags) in expected(told).items()}
    assert said(taken(*batches)) == once


@pytest.mark.requirement("B6", "D4")
@settings(max_examples=60)
@given(days=_in_any_order())
def test_whatever_the_order_was_what_comes_again_changes_nothing(
    days: tuple[Batches, Batches],
) -> None:
    first, again = days
    assert said(taken(*first, *again)) == said(taken(*first))


def minutes(*of: int, value: float = 20.0) -> list[Reading]:
    return [Reading("temperature", "A", minute, value, offset=minute) for minute in of]


@pytest.mark.requirement("D4")
def test_a_jump_stays_a_jump_when_it_comes_again_behind_its_neighbours() -> None:
    jump = minutes(5, value=35.0)
    told = [*minutes(*range(5)), *jump, *minutes(*range(6, 5 + K + 2))]
    stream = taken(told)
    before = said(stream)["temperature", "A", 5]
    assert before["flag_step"] == 3
    stream.take(jump)
    assert said(stream)["temperature", "A", 5] == before


@pytest.mark.requirement("D4")
def test_what_the_source_has_corrected_wins_however_late_it_comes() -> None:
    stream = taken(minutes(*range(2 * K)))
    stream.take([minutes(3, value=21.5)[0]._replace(version=2, offset=99)])
    stream.take(minutes(3))
    _, _, reading, flags = stream.final["temperature", "A", 3]
    assert (reading.value, reading.version) == (21.5, 2)
    assert flags["flag_step"] == 2


@pytest.mark.requirement("B6")
def test_of_two_verdicts_without_neighbours_the_later_is_the_last_word() -> None:
    stream = taken(minutes(*range(10, 10 + 2 * K)))
    for offset in (50, 51):
        stream.take([minutes(3)[0]._replace(offset=offset)])
    assert stream.final["temperature", "A", 3][2].offset == 51
