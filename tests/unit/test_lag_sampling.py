"""Windows are filled by who gives a sign, and judged when somebody asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from operate.control.words import Heard, Snapshot
from operate.lag.looking import Hop, Place
from operate.lag.rules import SIZE, Rule
from operate.lag.sampling import Sampler, lag_document
from runtime.control.orders import State, Status
from runtime.errors import Transient

pytestmark = pytest.mark.requirement("D5")
NAME = "timescale-sink"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """A sink over one partition, and a clock that a test moves on."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.state = State.RUNNING
        self.heard_at = BEGIN
        self.offset, self.end, self.away = 0, 0, False
        self.sampler = Sampler(self, self, 5.0, lambda: self.now)

    def __call__(self) -> list[Hop]:
        if self.away:
            problem = "nobody answers"
            raise Transient(problem)
        place = Place("clean", 0, self.offset, self.end, self.end - self.offset)
        return [Hop(NAME, "aos-sink", [place])]

    def snapshot(self) -> Snapshot:
        said = Status(NAME, "a", self.state, BEGIN, BEGIN, self.heard_at, 1.0)
        return Snapshot({said.key: Heard(said, self.heard_at)})

    def close(self) -> None:
        return

    def goes_on(self, looks: int, read: int = 0, written: int = 0, alive: bool = True) -> None:
        for _ in range(looks):
            self.now += timedelta(seconds=5)
            self.heard_at = self.now if alive else self.heard_at
            self.end += written
            self.offset = min(self.end, self.offset + read)
            self.sampler.look()

    @property
    def rule(self) -> Rule:
        (report,) = self.sampler.reports()
        return report.rule


@pytest.fixture
def world() -> World:
    return World()


def test_who_keeps_up_is_well_and_so_is_who_rests_with_nothing_to_do(world: World) -> None:
    world.goes_on(20, read=10, written=10)
    assert world.rule is Rule.OK
    world.state = State.PAUSED
    world.goes_on(20)
    assert world.rule is Rule.OK


def test_a_pause_is_a_stop_once_something_waits_for_longer_than_a_window(world: World) -> None:
    world.goes_on(SIZE, read=10, written=10)
    world.state = State.PAUSED
    world.goes_on(SIZE - 1, written=10)
    assert world.rule is Rule.OK
    world.goes_on(2, written=10)
    assert world.rule is Rule.STOP
    world.state = State.RUNNING
    world.goes_on(2, read=1000, written=10)
    assert world.rule is Rule.OK


def test_who_is_dead_is_a_stop_as_well(world: World) -> None:
    world.goes_on(SIZE, read=10, written=10)
    world.goes_on(2 * SIZE, written=10, alive=False)
    assert world.rule is Rule.STOP


def test_who_was_dead_before_we_looked_is_found_out_too(world: World) -> None:
    world.heard_at = BEGIN - timedelta(hours=1)
    world.end = 10
    world.goes_on(1, alive=False)
    assert world.rule is Rule.STOP


def test_who_lives_and_does_not_move_stalls(world: World) -> None:
    world.end = 10
    world.goes_on(SIZE, written=10)
    assert world.rule is Rule.STALL


def test_who_was_set_back_is_seen_to_rewind(world: World) -> None:
    world.offset, world.end = 900, 1000
    world.goes_on(SIZE, read=10, written=20)
    world.offset = 100
    world.goes_on(1, read=10, written=10)
    assert world.rule is Rule.REWIND


def test_what_cannot_be_looked_at_is_told_beside_what_was_known(world: World) -> None:
    world.goes_on(1, read=1, written=1)
    world.away = True
    world.sampler._try()
    (told,) = lag_document(world.sampler.reports(), everything=False)
    assert told["problem"] == "nobody answers"
    assert told["partitions"] == []


def test_partitions_that_are_not_well_are_named_and_all_where_that_is_asked(world: World) -> None:
    world.goes_on(1, read=1, written=1)
    (told,) = lag_document(world.sampler.reports(), everything=True)
    assert told["partitions"][0]["offset"] == 1
    assert told["lag"] == 0
