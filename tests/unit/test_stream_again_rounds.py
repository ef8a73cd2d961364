"""Whatever is told when, and whoever dies: in the end all is as if it had been known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Record
from schemas.overrides import Kind, Lifted, Override
from tests.again_model import Key, Model
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, metadata
from tests.unit.windows import RULES
from weather.limits import Span
from weather.ruleset import Ruleset

MINUTE = 60_000_000
START = local("2013-07-01T04:00:00")
MOST_LATE = 4
Told = tuple[str, Record]


def reading(parameter: str, minute: int, value: float, **changes: Any) -> Told:
    measures = {"speed": value, "gust": value + 1} if parameter == "wind" else {"value": value}
    times = {"observed_local": START + minute * MINUTE, "extracted_at": START + 999 * MINUTE}
    return parameter, raw(parameter, zone="UTC", **times, **measures, **changes)


PARAMETERS = ("temperature", "rainfall", "humidity", "wind")
VALUES = {
    "temperature": (20.0, 20.0, 20.3, 24.5),
    "rainfall": (0.0, 0.0, 3.0, 30.0),
    "humidity": (5.0, 60.0, 60.0, 90.0),
    "wind": (2.0, 2.0, 2.5, 14.0),
}


class Reading(NamedTuple):
    """A reading before it is written down; what is tried out stays short in a report."""

    parameter: str
    station: str
    minute: int
    value: float
    version: int = 1
    op: str = "upsert"

    def told(self) -> Told:
        """Write it down."""
        changes = {"station": self.station, "source_version": self.version, "op": self.op}
        return reading(self.parameter, self.minute, self.value, **changes)


class Described(NamedTuple):
    """Metadata before it is written down: where intervals begin, and how each differs."""

    sensor: str
    bounds: tuple[int, ...]
    offsets: tuple[float, ...]
    heights: tuple[float, ...]
    last: bool

    def record(self) -> Record:
        """Write it down."""
        ends = [*(START + bound * MINUTE for bound in self.bounds[1:]), None]
        made = [
            interval(START + since * MINUTE, until, offset=offset, height=height)
            for since, until, offset, height in zip(
                self.bounds, ends, self.offsets, self.heights, strict=False
            )
        ]
        return metadata(self.sensor, *(made if self.last else made[:1]))


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """Tell of half an hour: late, out of order, corrected, taken back, and again long after."""
    told: list[tuple[int, int, Reading]] = []
    stations = st.sampled_from(["JFK", "LGA"])
    for minute in range(draw(st.integers(1, 30))):
        for parameter in draw(st.sets(st.sampled_from(PARAMETERS))):
            value = draw(st.sampled_from(VALUES[parameter]))
            late = minute + draw(st.sampled_from([0, 0, 0, MOST_LATE]))
            made = Reading(parameter, draw(stations), minute, value)
            told.append((late, len(told), made))
            if draw(st.integers(0, 9)) == 0:
                op = draw(st.sampled_from(["upsert", "delete"]))
                later = made._replace(value=value + 1, version=2, op=op)
                told.append((late + 1, len(told), later))
            if draw(st.integers(0, 9)) == 0:
                told.append((late + draw(st.integers(1, 40)), len(told), made))
    return [one for _, _, one in sorted(told, key=lambda each: each[:2])]


DESCRIPTIONS = st.builds(
    Described,
    st.builds("{}:{}".format, st.sampled_from(["JFK", "LGA"]), st.sampled_from(PARAMETERS)),
    st.sets(st.integers(0, 30), min_size=1, max_size=3).map(sorted).map(tuple),
    st.tuples(*[st.sampled_from([0.0, 0.0, 5.0])] * 3),
    st.tuples(*[st.sampled_from([2.0, 3.0])] * 3),
    st.booleans(),
)
STRICT = {
    name: replace(RULES.limits[name, "value"], suspect=Span(20.1, 50.0), spike=None)
    for name in ("temperature", "humidity")
}


def _strict(parameter: str, minute: int) -> Ruleset:
    limits = {**RULES.limits, (parameter, "value"): STRICT[parameter]}
    since = START + minute * MINUTE
    return replace(RULES, version=f"strict-{parameter}", limits=limits, valid_from=since)


RULESETS = st.builds(_strict, st.sampled_from(["temperature", "humidity"]), st.integers(0, 30))
SAYINGS = st.builds(
    lambda number, sensor, since, flag, lifted: Override(
        id=str(number),
        kind=Kind.FLAG,
        sensor=sensor,
        station=None if sensor else "JFK",
        measure=None,
        since=START + since * MINUTE,
        until=START + (since + 7) * MINUTE,
        flag=flag,
        why="seen",
        by="anna",
        at=number,
        lifted=Lifted("ben", "not so", 9) if lifted else None,
    ),
    st.integers(0, 3),
    st.sampled_from(["JFK:temperature", "LGA:wind", None]),
    st.integers(0, 30),
    st.sampled_from([1, 3, 4]),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        st.integers(1, 25),
        DESCRIPTIONS,
        RULESETS,
        SAYINGS,
        st.sampled_from(["round", "round", "round", "kill"]),
    ),
    max_size=30,
)


Step = int | str | Described | Ruleset | Override


@pytest.mark.requirement("B6")
@pytest.mark.parametrize("killed", [False, True])
def test_rules_that_held_for_one_batch_only_leave_nothing_behind(killed: bool) -> None:
    twice = [Reading("temperature", "JFK", 0, 20.0 + n, version=1 + n) for n in range(2)]
    rules = [_strict("temperature", minute) for minute in (1, 0, 1)]
    model = Model([one.told() for one in twice], RULES)
    for step in (rules[0], 1, rules[1], 1, *(["kill"] if killed else []), rules[2]):
        take(model, step)
    model.finish()
    (found,) = verdicts(model).values()
    assert found["ruleset_version"] == RULES.version


@pytest.mark.requirement("B4", "B6", "B12", "E2")
@settings(max_examples=min(30, settings().max_examples))
@given(histories(), STEPS)
def test_in_the_end_all_is_as_if_the_last_word_had_been_known_from_the_start(
    told: list[Reading], steps: list[Step]
) -> None:
    model = Model([one.told() for one in told], RULES)
    for step in steps:
        take(model, step)
    model.finish()
    known = Model([one.told() for one in told], RULES)
    for step in steps:
        tell(known, step)
    known.finish()
    assert verdicts(model) == verdicts(known)
    assert remembered(model) == remembered(known)
    model.revive()
    assert remembered(model) == remembered(known)
    pairs = Counter((*key(r), r["source_version"], r["revision"]) for r in model.sent)
    assert max(pairs.values(), default=1) == 1


def tell(model: Model, step: Step) -> None:
    """Tell the model what its readings are judged by, if that is what the step is."""
    if isinstance(step, Described):
        model.table.tell(step.record())
    elif isinstance(step, Ruleset):
        model.table.publish(step)
    elif isinstance(step, Override):
        model.table.say(step)


def take(model: Model, step: Step) -> None:
    """Let something happen to the model."""
    tell(model, step)
    if isinstance(step, int):
        model.batch(min(step, model.unread))
    elif step == "kill":
        model.revive()
    elif step == "round" and model.due:
        model.round()


def verdicts(model: Model) -> dict[Key, Record]:
    by_chance = {"revision", "raw_offset", "processed_at"}
    return {
        key: {name: value for name, value in record.items() if name not in by_chance}
        for key, record in model.final().items()
    }


def remembered(model: Model) -> dict[tuple[str, str], Any]:
    """Give value and verdict of all that is remembered; what is not a number as text."""
    return {
        series: [(entry[0], entry[1], str(entry[2]), entry[-1] >> 8) for entry in entries]
        for series, entries in model.state.rings.remembered().items()
    }


def key(record: Record) -> Key:
    return record["sensor_id"], record["observed_at"]


def minutes(number: int) -> list[Told]:
    return [reading("temperature", minute, 20 + minute % 3 * 0.3) for minute in range(number)]


def test_what_was_sent_again_is_not_sent_again_by_who_comes_after_a_crash() -> None:
    model = Model(minutes(60), RULES)
    model.batch(60)
    model.table.tell(metadata("JFK:temperature", interval(0, height=9.0)))
    for rounds in (4, 9):
        for _ in range(rounds):
            model.round()
        assert model.due
        model.revive()
    model.finish()
    times = Counter(key(r) for r in model.sent if r["height"] == 9.0)
    assert len(times) == 60
    assert times.total() <= 60 + 60 // 5  # but for what a next reading told of the one before


def test_the_same_metadata_told_again_sends_nothing() -> None:
    model = Model(minutes(30), RULES)
    model.table.tell(metadata("JFK:temperature", interval(0)))
    model.batch(30)
    model.finish()
    before = len(model.sent)
    for revived in (False, True):
        model.table.tell(metadata("JFK:temperature", interval(0)))
        if revived:
            model.revive()
        model.finish()
    assert len(model.sent) == before


def test_metadata_for_times_of_which_nothing_came_sends_nothing() -> None:
    model = Model(minutes(30), RULES)
    model.table.tell(metadata("JFK:temperature", interval(0)))
    model.batch(30)
    model.finish()
    before = len(model.sent)
    later = START + 90 * MINUTE
    model.table.tell(metadata("JFK:temperature", interval(0, later), interval(later, scale=2.0)))
    model.finish()
    assert len(model.sent) == before


def test_a_place_that_changes_for_some_minutes_sends_these() -> None:
    model = Model(minutes(60), RULES)
    model.table.tell(metadata("JFK:temperature", interval(0)))
    model.batch(60)
    model.finish()
    before = len(model.sent)
    cut = [START + 10 * MINUTE, START + 20 * MINUTE]
    moved = interval(cut[0], cut[1], y=41.0)
    model.table.tell(metadata("JFK:temperature", interval(0, cut[0]), moved, interval(cut[1])))
    model.finish()
    times = {record["observed_at"] for record in model.sent[before:]}
    assert times == {START + minute * MINUTE for minute in range(10, 20)}
    assert {record["latitude"] for record in model.sent[before:]} == {41.0}
