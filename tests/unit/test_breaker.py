"""The circuit breaker, step by step and against a model of what it promises."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.breaker import Breaker, Circuit

pytestmark = pytest.mark.requirement("D4", "E1")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, first: float = 10.0, most: float = 25.0) -> Breaker:
    breaker = Breaker(failures=3, first=first, most=most, clock=clock)
    breaker.fail(for_sure=True)
    return breaker


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    breaker = Breaker(failures=3, clock=Clock())
    states = []
    for call in (breaker.fail, breaker.fail, breaker.succeed, *[breaker.fail] * 3):
        call()
        states.append(breaker.state)
    assert states == [Circuit.CLOSED] * 5 + [Circuit.OPEN]


def test_while_open_nobody_calls_and_after_the_pause_one_does() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 9.9
    assert not breaker.allows()
    clock.now = 10.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    assert breaker.state is Circuit.HALF_OPEN


def test_a_trial_that_succeeds_closes_it_and_the_next_pause_is_short_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10.0
    assert breaker.allows()
    breaker.fail()
    clock.now = 30.0
    assert breaker.allows()
    breaker.succeed()
    assert breaker.state is Circuit.CLOSED
    breaker.fail(for_sure=True)
    clock.now = 40.0
    assert breaker.allows()


def test_each_trial_that_fails_doubles_the_pause_up_to_its_limit() -> None:
    clock = Clock()
    breaker = opened(clock, first=10, most=25)
    waits = []
    for _ in range(4):
        began = clock.now
        while not breaker.allows():
            clock.now += 1
        waits.append(clock.now - began)
        breaker.fail()
    assert waits == [10, 20, 25, 25]


def test_a_trial_that_is_never_reported_is_taken_for_lost() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10.0
    assert breaker.allows()
    clock.now = 20.0
    assert breaker.allows()


class AnyCalls(RuleBasedStateMachine):
    """Whatever is reported, and whenever: what the callers are told stays within the promise."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(failures=3, first=1.0, most=8.0, clock=self.clock)
        self.in_a_row = 0
        self.opened_at = 0.0

    @rule(seconds=st.floats(min_value=0, max_value=20))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(for_sure=st.booleans())
    def failure(self, for_sure: bool) -> None:
        before = self.breaker.state
        self.breaker.fail(for_sure=for_sure)
        self.in_a_row += 1
        if before is not Circuit.OPEN and self.breaker.state is Circuit.OPEN:
            self.opened_at = self.clock.now

    @rule()
    def success(self) -> None:
        self.breaker.succeed()
        self.in_a_row = 0

    @precondition(lambda self: self.breaker.state is Circuit.OPEN)
    @rule()
    def ask_an_open_one(self) -> None:
        waited = self.clock.now - self.opened_at
        if self.breaker.allows():
            assert waited >= 1.0
            assert not self.breaker.allows()
        else:
            assert waited < 8.0

    @invariant()
    def it_is_closed_after_a_success_and_open_after_three_failures(self) -> None:
        if self.in_a_row == 0:
            assert self.breaker.state is Circuit.CLOSED
            assert self.breaker.allows()
        if self.in_a_row >= 3:
            assert self.breaker.state is not Circuit.CLOSED


AnyCalls.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_any_order_of_calls_keeps_the_promise = AnyCalls.TestCase
