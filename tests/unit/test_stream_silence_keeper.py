"""Silences between their topics: what is committed is told, what is not is told again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runtime.errors import Transient
from schemas import avsc
from schemas.codec import Decoder, Record
from schemas.topics import Topics
from stream_app.outputs.delivery import Outputs
from stream_app.silence.keeper import Keeper, Wire
from stream_app.silence.watch import Rule, Watch
from tests.silence_columns import HOUR, MINUTE, NAME, NOON, every, heard

TOPICS = Topics()
RAW = TOPICS.raw("temperature")
POSITIONS = {TOPICS.raw("temperature"): 42, TOPICS.raw("wind"): 7}


class FakeRegistry:
    """Gives each of our schemas its place in the list as an id."""

    def id_of(self, subject: str, name: str) -> int:
        return avsc.NAMES.index(name)

    def schema_of(self, schema_id: int) -> avsc.Schema:
        return avsc.load(avsc.NAMES[schema_id])


class Broker:
    """Takes what is committed; asked for clocks, it gives those that it was told."""

    def __init__(self) -> None:
        self.read_to: int | None = None
        self.asked: list[Mapping[str, int]] = []
        self.written: list[Outputs] = []
        self.away = False

    def clocks(self, positions: Mapping[str, int], now: int) -> dict[str, int]:
        self.asked.append(positions)
        return dict.fromkeys(positions, now if self.read_to is None else self.read_to)

    def commit(self, outputs: Outputs) -> None:
        if self.away:
            problem = "away"
            raise Transient(problem)
        self.written.append(outputs)

    def turns(self) -> list[Record]:
        decode = Decoder("sensor_silence", FakeRegistry().schema_of)
        return [
            decode(value)
            for outputs in self.written
            for bulk in outputs.bulks
            if bulk.topic == TOPICS.silence
            for value in bulk.messages.values.bytes()
        ]

    def kept(self) -> dict[str, bytes]:
        return {
            (key or b"").decode(): value or b""
            for outputs in self.written
            for bulk in outputs.bulks
            if bulk.topic == TOPICS.state
            for key, value in bulk.messages.pairs()
        }


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON + 5 * MINUTE

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def keeper(clock: Clock, broker: Broker) -> Keeper:
    made = keeper_at(clock)
    batch(made, broker, every(MINUTE, 5))
    return made


def keeper_at(clock: Clock) -> Keeper:
    watch = Watch(Rule(), lambda _sensor, _at: True)
    return Keeper(3, watch, Wire(TOPICS, FakeRegistry()), clock)


def batch(keeper: Keeper, broker: Broker, readings: list[tuple[str, int, int]]) -> None:
    told = keeper.tell([heard(readings)])
    broker.commit(Outputs(told.bulks))
    keeper.told(told)


def look(keeper: Keeper, broker: Broker) -> None:
    keeper.look(POSITIONS, broker.clocks, broker.commit)


def test_the_broker_is_asked_only_when_somebody_seems_overdue_and_only_of_its_topic(
    keeper: Keeper, broker: Broker, clock: Clock
) -> None:
    look(keeper, broker)
    assert broker.asked == []
    clock.now = NOON + HOUR
    look(keeper, broker)
    assert broker.asked == [{RAW: 42}]


@pytest.mark.requirement("D6")
def test_nobody_is_silent_while_the_topic_holds_unread_records_of_that_time(
    keeper: Keeper, broker: Broker, clock: Clock
) -> None:
    clock.now, broker.read_to = NOON + HOUR, NOON + 6 * MINUTE
    look(keeper, broker)
    assert broker.turns() == []
    broker.read_to = None
    look(keeper, broker)
    assert [(turn["sensor_id"], turn["state"]) for turn in broker.turns()] == [(NAME, "silent")]


def test_a_silence_that_could_not_be_committed_is_told_by_the_next_look(
    keeper: Keeper, broker: Broker, clock: Clock
) -> None:
    clock.now, broker.away = NOON + HOUR, True
    with pytest.raises(Transient):
        look(keeper, broker)
    broker.away = False
    look(keeper, broker)
    look(keeper, broker)
    assert len(broker.turns()) == 1


@pytest.mark.requirement("D4")
def test_the_next_owner_knows_who_is_silent_and_tells_of_the_return(
    keeper: Keeper, broker: Broker, clock: Clock
) -> None:
    clock.now = NOON + HOUR
    look(keeper, broker)
    next_owner = keeper_at(clock)
    assert all(next_owner.restore(key, value) for key, value in broker.kept().items())
    assert not next_owner.restore("partition", b"")
    look(next_owner, broker)
    batch(next_owner, broker, every(MINUTE, 1, start=NOON + HOUR))
    assert [turn["state"] for turn in broker.turns()] == ["silent", "heard"]
    assert [standing.silent for standing in next_owner.standing()] == [0]


def test_a_rhythm_is_kept_by_a_look_when_no_batch_comes(
    keeper: Keeper, broker: Broker, clock: Clock
) -> None:
    look(keeper, broker)
    assert list(broker.kept()) == ["silence#temperature#0"]
    number = len(broker.written)
    look(keeper, broker)
    assert len(broker.written) == number
