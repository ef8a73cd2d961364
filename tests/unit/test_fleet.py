"""How a connector is, from what its workers say, and from how long they have said nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.control.fleet import ConnectorState, state_of
from operate.control.words import Heard, Snapshot
from runtime.control.orders import Kind, Order, State, Status, Task

pytestmark = pytest.mark.requirement("D5")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAME = "timescale-sink"


def word(
    worker: str, state: State = State.RUNNING, *, ago: float = 0.0, began: float = 600.0
) -> Heard:
    """Give the word of a worker that was heard ``ago`` seconds ago and began ``began`` ago."""
    at, start = NOW - timedelta(seconds=ago), NOW - timedelta(seconds=began)
    told = Status(NAME, worker, state, start, start, at, 1.0, tasks=(Task("load", 1),))
    return Heard(told, at)


def seen(*words: Heard, ordered: State | None = None) -> ConnectorState:
    orders = [Order(Kind.STATE, NAME, ordered, NOW)] if ordered else []
    heard = {one.status.key: one for one in words}
    return state_of(NAME, Snapshot(heard, {one.key: one for one in orders}), NOW)


@pytest.mark.parametrize(
    ("words", "ordered", "state"),
    [
        ([], None, State.UNASSIGNED),
        ([word("a")], None, State.RUNNING),
        ([word("a", State.PAUSED)], State.PAUSED, State.PAUSED),
        ([word("a", State.PAUSED), word("b")], State.PAUSED, State.RUNNING),
        ([word("a", State.STOPPED)], State.STOPPED, State.STOPPED),
        ([word("a")], State.STOPPED, State.RUNNING),
        ([], State.STOPPED, State.STOPPED),
        ([word("a", ago=60)], State.STOPPED, State.STOPPED),
        ([word("a", ago=60)], None, State.UNASSIGNED),
        ([word("a", State.FAILED, ago=3600)], None, State.FAILED),
        ([word("a", State.FAILED, ago=60), word("b", began=700)], None, State.RUNNING),
    ],
)
def test_a_connector_is_what_its_workers_are(
    words: list[Heard], ordered: State | None, state: State
) -> None:
    assert seen(*words, ordered=ordered).state is state


@pytest.mark.parametrize(("ago", "silent"), [(4.9, False), (5.1, True)])
def test_a_worker_is_silent_when_three_of_its_words_did_not_come(ago: float, silent: bool) -> None:
    state = seen(word("a", ago=ago)).tasks[0].state
    assert (state is State.UNASSIGNED) is silent


def test_a_worker_that_began_later_stands_in_the_place_of_one_that_is_gone() -> None:
    gone, other, new = word("a", ago=60), word("b"), word("c", began=30)
    assert [task.worker for task in seen(gone, other, new).tasks] == ["b", "c"]
    assert [task.worker for task in seen(gone, other).tasks] == ["a", "b"]


def test_of_two_that_are_gone_one_that_began_later_replaces_one() -> None:
    gone = [word("a", ago=60), word("b", ago=50)]
    assert [task.worker for task in seen(*gone, word("c", began=30)).tasks] == ["b", "c"]


def test_after_a_day_a_worker_is_forgotten() -> None:
    assert not seen(word("a", ago=25 * 3600)).workers


def test_a_stopped_worker_has_no_tasks() -> None:
    assert not seen(word("a", State.STOPPED), ordered=State.STOPPED).tasks


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(State), st.floats(0, 9))))
def test_tasks_are_numbered_from_nought_whatever_the_workers_say(
    said: list[tuple[str, State, float]],
) -> None:
    tasks = seen(*(word(worker, state, ago=ago) for worker, state, ago in said)).tasks
    assert [task.id for task in tasks] == list(range(len(tasks)))
