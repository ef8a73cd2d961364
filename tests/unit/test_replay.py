"""A replay over a partition in memory: what it finds, and what becomes of it beside the stream."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.codec import Decoder, Record
from schemas.topics import clean_schema
from stream_app.again.index import Range
from stream_app.again.scan import Scan
from stream_app.judging.decoding import RawDecoder
from stream_app.judging.judge import Judge
from stream_app.replay.course import Course
from stream_app.replay.request import Request
from stream_app.replay.run import Sender, World, rehearsal_of
from stream_app.revisions import ALONE, STEP, has_neighbours
from stream_app.rulesets.table import Rulesets
from stream_app.settings import StreamSettings
from stream_app.step import Step
from stream_app.transport.recent import Recent
from tests.again_model import Key, Log, Model
from tests.raw_batches import TOPICS, Schemas
from tests.raw_records import local
from tests.unit.stream_fakes import mapping
from tests.unit.test_stream_again_rounds import VALUES, Told, reading
from tests.unit.windows import RULES
from weather.limits import Span
from weather.ruleset import Ruleset

START = local("2013-07-01T04:00:00")
MINUTE = 60_000_000
PARAMETERS = tuple(VALUES)
NOTHING = 10**9


class Reading(NamedTuple):
    """A reading before it is written down."""

    parameter: str
    station: str
    at: int
    value: float
    version: int = 1

    def told(self, spacing: int) -> Told:
        """Write it down; moments are so many minutes apart."""
        changes = {"station": self.station, "source_version": self.version}
        return reading(self.parameter, self.at * spacing, self.value, **changes)


def strict(since: int, until: int) -> Ruleset:
    """Give rules by which the warm fails, wet and windy is suspect, for some minutes."""
    limits = {**RULES.limits}
    limits["temperature", "value"] = replace(limits["temperature", "value"], fail=Span(-10, 20.2))
    limits["rainfall", "value"] = replace(limits["rainfall", "value"], suspect=Span(0, 2))
    limits["wind", "speed"] = replace(limits["wind", "speed"], fail=Span(0, 10))
    begin, end = START + since * MINUTE, START + until * MINUTE
    return replace(RULES, version="strict", limits=limits, valid_from=begin, valid_until=end)


class Replayed:
    """A replay of a partition, which may be killed and go on."""

    def __init__(self, told: Sequence[Told], model: Model, request: Request, read: int) -> None:
        self._log = Log(Schemas(), told)
        self._told, self._model, self._request = told, model, request
        self._ends = dict.fromkeys(map(TOPICS.raw, PARAMETERS), 2 * read)
        self._resumed: dict[str, int] = {}
        self.sent: list[Record] = []

    def run(self, most: int, helpings: int = NOTHING) -> None:
        """Go on with what is left, by so many helpings; then it is dead."""
        schemas = Schemas()
        log = Log(schemas, self._told)
        rules = Rulesets(RULES)
        if (held := self._request.held) is not None:
            rules.put(held)
        judge = Judge(self._model.table.sensors, mappings(), rules)
        recent = Recent(500, log)  # type: ignore[arg-type]
        step = Step(0, TOPICS, RawDecoder(TOPICS, schemas), judge, recent)
        readings = {topic: log.reading(topic) for topic in self._ends}
        ranges = {topic: [Range(0, end)] for topic, end in self._ends.items()}
        scan = Scan(0, self._request.keys, readings, ranges, self._ends)
        course = Course(scan, rehearsal_of(step, self._request), self._ends, self._resumed)
        where: Any = None
        world = World("r", self._request, StreamSettings(), where, TOPICS, schemas, judge, where)  # type: ignore[arg-type]
        sender = Sender(world, 0)
        while helpings and (helping := course.go_on(most)):
            if helping.next is not None:
                helpings -= 1
                self._resumed = dict(helping.next)
                batch = sum(helping.next.values())
                for one in sender.outputs(helping.found, batch).bulks:
                    decode = Decoder(clean_schema(one.topic.split(".")[-2]), schemas.schema_of)
                    self.sent += [decode(value) for _, value in one.messages.pairs()]

    def promoted(self, revision: int, number: int) -> list[Record]:
        """Give what it makes of the readings, as a promotion would write it."""
        found = [*winners(self.sent).values()]
        for record in found:
            alone = 0 if has_neighbours(record["revision"]) else ALONE
            record["revision"] = revision + number - alone
        return found


def mappings() -> dict[tuple[str, int], Any]:
    one = mapping("temperature")
    others = (mapping(name).tables[0].readings[0] for name in PARAMETERS[1:])
    table = one.tables[0].model_copy(update={"readings": (one.tables[0].readings[0], *others)})
    return {("sample", 1): one.model_copy(update={"tables": (table,)})}


def winners(records: Sequence[Record]) -> dict[Key, Record]:
    found: dict[Key, Record] = {}
    for record in sorted(records, key=lambda r: (r["source_version"], r["revision"])):
        found[record["sensor_id"], record["observed_at"]] = dict(record)
    return found


def content(records: Sequence[Record]) -> dict[Key, Record]:
    """Give what is said of readings, but for when and in which batch."""
    chance = ("revision", "processed_at", "raw_offset")
    return {
        key: {name: _same(value) for name, value in record.items() if name not in chance}
        for key, record in winners(records).items()
    }


def _same(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


some_readings = st.lists(
    st.sampled_from(PARAMETERS).flatmap(
        lambda p: st.builds(
            Reading,
            st.just(p),
            st.sampled_from(("JFK", "LGA")),
            st.integers(0, 11),
            st.sampled_from(VALUES[p]),
            st.integers(1, 2),
        )
    ),
    min_size=1,
    max_size=30,
)
spacings = st.sampled_from((1, 55, 400))


def asked(spacing: int, rules: Ruleset | None = None) -> Request:
    """Ask for the moments from the fourth until the eighth."""
    since, until = START + 4 * spacing * MINUTE, START + 8 * spacing * MINUTE
    return Request(since, until, parameters=PARAMETERS, ruleset=rules)


@pytest.mark.requirement("D8", "B12")
@settings(max_examples=20)
@given(some_readings, spacings, st.integers(1, 9), st.integers(0, 5))
def test_a_replay_finds_what_the_stream_found_though_it_is_killed(
    some: list[Reading], spacing: int, most: int, helpings: int
) -> None:
    told = [one.told(spacing) for one in some]
    model = Model(told, RULES)
    model.batch(len(told))
    request = asked(spacing)
    replayed = Replayed(told, model, request, len(told))
    replayed.run(most, helpings)
    replayed.run(most + 1)
    found, stands = content(replayed.sent), content(model.sent)
    assert found == {k: r for k, r in stands.items() if request.since <= k[1] < request.until}


JUMP = [Reading("temperature", "JFK", at, 24.5 if at == 7 else 20.0) for at in range(5, 10)]
"""The jump back is told after the last moment that is asked for, from a value that fails now."""


@pytest.mark.requirement("D8", "B6")
@settings(max_examples=15)
@given(some_readings, spacings, st.integers(1, 9), st.integers(0, 30))
@example(JUMP, 1, 9, 30)
def test_promoted_beside_the_stream_it_ends_as_if_its_rules_had_held_from_the_beginning(
    some: list[Reading], spacing: int, most: int, read: int
) -> None:
    told = [one.told(spacing) for one in some]
    read = min(read, len(told))
    rules = strict(4 * spacing, 8 * spacing)
    model = Model(told, RULES)
    if read:
        model.batch(read)
    replayed = Replayed(told, model, asked(spacing, rules), read)
    replayed.run(most)
    stand = model.state.overlay().revision - STEP
    model.batch(len(told) - read) if read < len(told) else None
    model.table.publish(rules)
    model.sent += replayed.promoted(stand, 1)
    if read == len(told):
        assert content(model.sent) == content(scratch(told, rules).sent)  # by itself
    model.finish()
    assert content(model.sent) == content(scratch(told, rules).sent)  # and beside the stream


def scratch(told: Sequence[Told], rules: Ruleset) -> Model:
    """Give a stream that knew the rules from the beginning."""
    found = Model(told, RULES)
    found.table.publish(rules)
    found.finish()
    return found


def test_what_is_asked_for_decides_what_is_read_and_sent() -> None:
    rain = Request(START, START + MINUTE, parameters=("rainfall",))
    assert rain.read == ("rainfall", "humidity")
    assert rain.sent == rain.asked
    assert rain.wanted()["humidity", "@JFK"].sent == ()
    other = replace(rain, ruleset=strict(0, 1), stations=("JFK",))
    assert other.wanted()["humidity", "@JFK"].sent == (other.sent,)
    assert ("rainfall", "@LGA") not in other.wanted()
    assert (b"JFK" in other.keys, b"LGA" in other.keys, b"LGA" in rain.keys) == (True, False, True)
    assert (rain.is_of_all, Request(0, 1).is_of_all) == (False, True)
