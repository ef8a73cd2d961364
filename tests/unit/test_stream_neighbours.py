"""The agent that asks the stations around: what it says does not depend on what came when."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Record
from stream_app.judging.worth import Bar
from stream_app.neighbours.memory import FREE, OURS, Came, Memory
from stream_app.neighbours.rules import Rules
from stream_app.neighbours.saying import came, said
from tests.clean_records import clean
from weather.anomaly import Anomaly, Edges
from weather.cells import SEASONS
from weather.company import Around, Company, CompanyEdges
from weather.dense import DENSE
from weather.limits import Buddies
from weather.qc.buddy import Places, buddy_tests
from weather.qc.flags import Flag
from weather.ruleset import DEFAULT, Override
from weather.ruleset_history import RulesetHistory
from weather.score_policy import Policy

LIMITS = Buddies(20_000, 200, least=3, suspect=2, fail=4, least_spread=1)
STATIONS = {
    **{f"s{i}": (60 + i * 0.02, 10.0, 10.0 * i) for i in range(6)},
    "far": (61.0, 10.0, 0.0),
    "nowhere": (math.nan, math.nan, 0.0),
}


def reading(station: str, at: int, value: float, revision: int = FREE, **more: Any) -> Came:
    latitude, longitude, elevation = STATIONS[station]
    given = {"usable": True, "version": (1, revision), "said": 2, "message": b"", "partition": 0}
    place = {"latitude": latitude, "longitude": longitude, "elevation": elevation}
    return Came(sensor=station, at=at, value=value, **{**given, **place, **more})


def memory(most: int = 1000) -> Memory:
    return Memory(lambda _version, _month: LIMITS, LIMITS.radius, most)


class Reader:
    """Keeps the last word on every reading, as a reader of the clean topic does."""

    def __init__(self, most: int = 1000) -> None:
        self.memory = memory(most)
        self.last: dict[tuple[str, int], tuple[tuple[int, int], int]] = {}

    def take(self, batch: list[tuple[Came, bool]]) -> None:
        for one, _ in batch:
            self._heard((one.sensor, one.at), one.version, one.said)
        for held in self.memory.take(_came(batch)):
            revision = held.next_revision
            if revision is not None:
                key, version = (held.came.sensor, held.came.at), (held.came.version[0], revision)
                assert version != self.last[key][0], "two words with one version"
                held.spoken(revision)
                self._heard(key, version, held.came.said)

    def _heard(self, key: tuple[str, int], version: tuple[int, int], flag: int) -> None:
        if key not in self.last or version > self.last[key][0]:
            self.last[key] = version, flag

    def flags(self) -> dict[tuple[str, int], int]:
        return {key: flag for key, (_, flag) in self.last.items()}


def _came(batch: list[tuple[Came, bool]]) -> list[Came]:
    return [one if there else one._replace(value=math.nan) for one, there in batch]


def expected(readings: list[tuple[Came, bool]]) -> dict[tuple[str, int], int]:
    """Judge by seeing everything at once."""
    newest: dict[tuple[str, int], tuple[Came, bool]] = {}
    for one, there in readings:
        key = one.sensor, one.at
        if key not in newest or one.version > newest[key][0].version:
            newest[key] = one, there
    alive = [one for one, there in newest.values() if there]
    places = Places(*(np.array([getattr(o, n) for o in alive]) for n in Places._fields))
    flags = buddy_tests(
        np.array([one.at for one in alive]),
        places,
        np.array([one.value for one in alive]),
        LIMITS,
        np.array([one.usable for one in alive]),
    ).tolist()
    found = {(o.sensor, o.at): f if f in (3, 4) else 2 for o, f in zip(alive, flags, strict=True)}
    return {key: found.get(key, 2) for key in newest}


@st.composite
def _readings(draw: st.DrawFn) -> list[tuple[Came, bool]]:
    found = []
    for station in STATIONS:
        for at in range(2):
            for revision in range(1, 1 + draw(st.sampled_from([1, 1, 2]))):
                value = draw(st.sampled_from([10.0, 10.5, 9.5, 13.0, 30.0, math.nan]))
                usable = draw(st.integers(0, 5)) > 0
                one = reading(station, at, value, revision * FREE, usable=usable)
                found.append((one, revision == 1 or draw(st.booleans())))
    return draw(st.permutations(found))


@pytest.mark.requirement("B6", "D4")
@settings(max_examples=60)
@given(readings=_readings(), size=st.integers(1, 9))
def test_any_order_and_any_batches_end_with_the_test_over_all(
    readings: list[tuple[Came, bool]], size: int
) -> None:
    reader = Reader()
    for start in range(0, len(readings), size):
        reader.take(readings[start : start + size])
    wanted = expected(readings)
    gone = {(o.sensor, o.at) for o, there in readings if not there}
    wavered = {key for key, (v, _) in reader.last.items() if v[1] % FREE == FREE - 1}
    found = reader.flags()
    for key in wanted.keys() - gone - wavered:
        assert found[key] == wanted[key], key


@pytest.mark.requirement("D4")
def test_one_that_begins_anew_reads_back_what_was_said_and_says_it_not_again() -> None:
    first = Reader()
    told = [reading(f"s{i}", 0, 10.0 if i else 30.0) for i in range(6)]
    first.take([(one, True) for one in told])
    version, flag = first.last["s0", 0]
    assert (flag, version[1]) == (4, FREE + OURS)
    again = memory()
    ours = reading("s0", 0, 30.0, version[1], said=flag)
    assert again.take([*told, ours]) == []
    assert again.take([reading("s0", 0, 10.0, 2 * FREE)]) == []  # nothing was said of that one
    assert [h.wanted for h in again.take([reading("s0", 0, 30.0, 3 * FREE)])] == [4]


def test_what_was_touched_longest_ago_is_forgotten_first() -> None:
    small = memory(12)
    for at in range(5):
        small.take([reading(f"s{i}", at, 10.0) for i in range(6)])
    assert len(small) == 12
    assert small.take([reading("s0", 0, 99.0, 2 * FREE)]) == []


@pytest.mark.requirement("B6")
def test_each_reading_is_asked_about_by_the_limits_of_the_ruleset_that_it_names() -> None:
    wide, nobody = LIMITS._replace(suspect=50, fail=60), None
    by = {"strict": LIMITS, "wide": wide, "off": nobody}
    found = {}
    for version in by:
        asked = Memory(lambda name, _month: by[name], LIMITS.radius, 1000)
        told = [reading(f"s{i}", 0, 10.0 if i else 30.0, ruleset="strict") for i in range(1, 6)]
        came = asked.take([*told, reading("s0", 0, 30.0, ruleset=version)])
        found[version] = [(held.came.sensor, held.wanted) for held in came]
        again = reading("s0", 0, 30.0, 2 * FREE, ruleset="strict")
        assert [held.wanted for held in asked.take([again])] == [4], "sent again by other rules"
    assert found == {"strict": [("s0", 4)], "wide": [], "off": []}


@pytest.mark.requirement("B6", "D9")
def test_rules_are_looked_up_once_for_each_version_that_is_new() -> None:
    mine = replace(DENSE, version="mine", valid_from=100)
    winter = Override(
        "pressure",
        "value",
        replace(DENSE.limits["pressure", "value"], buddies=None),
        months=(12, 1, 2),
    )
    mine = replace(mine, overrides=(winter,))
    rules = Rules(RulesetHistory([mine]), 200)
    assert rules.parameters == ["temperature", "pressure"]
    assert rules.radius("pressure") == 100_000
    assert rules.limits("pressure", "mine", 7) is not None
    assert rules.limits("pressure", "mine", 1) is None
    assert rules.limits("pressure", DEFAULT.version, 7) is None
    assert rules.limits("pressure", "lost", 7) is not None, "what holds now stands in"
    assert rules.news(["mine", DEFAULT.version, "later"]) == {"later"}
    assert Rules(RulesetHistory(), 200, {"later"}).news(["later"]) == set()


@pytest.mark.requirement("B9")
def test_a_model_that_the_rules_carry_is_asked_too_and_fails_nobody() -> None:
    edges = CompanyEdges((), (-5.0, 5.0))
    scores = np.zeros(edges.shape)
    scores[:, [0, 2]] = 0.9
    model = Company.of_scores(scores, 0.8, edges, Around(20_000, 200, 2), tuple(range(SEASONS)))
    anomaly = Anomaly("m", 2.0, Edges((), (), ()), (), "", model)
    rainfall = replace(DEFAULT.limits["rainfall", "value"], anomaly=anomaly)
    limits = {**DEFAULT.limits, ("rainfall", "value"): rainfall}
    learnt = replace(DEFAULT, version="learnt", valid_from=100, limits=MappingProxyType(limits))
    rules = Rules(RulesetHistory([learnt]), 200)
    assert (rules.parameters, rules.radius("rainfall")) == (["rainfall", "temperature"], 20_000)
    ways = partial(rules.limits, "rainfall"), partial(rules.company, "rainfall")
    asked = Memory(ways[0], rules.radius("rainfall"), 1000, ways[1])
    told = [reading(f"s{i}", 0, 10.0 if i else 30.0, ruleset="learnt") for i in range(6)]
    assert [(held.came.sensor, held.wanted) for held in asked.take(told)] == [("s0", 3)]
    (back,) = asked.take([reading("s0", 0, 11.0, 2 * FREE, ruleset="learnt", said=3)])
    assert back.wanted == 2
    assert asked.take([reading("s0", 1, 30.0, ruleset=DEFAULT.version)]) == []


def spoken(record: Record, flag: int, bar: Bar | None = None) -> Record:
    return said(record, flag, 24, 7, bar or Bar())


@pytest.mark.requirement("B6", "E3")
def test_what_neighbours_contradict_is_flagged_scored_and_says_why() -> None:
    record = clean("temperature")
    bad = spoken(record, 4)
    assert (bad["flag"], bad["flag_buddy"], bad["score"], bad["revision"]) == (4, 4, 0.0, 24)
    assert bad["reason"] == "buddy,low_score"
    assert bad["value"] == record["value"]
    held = spoken(record, 3, Bar(Policy.HOLD, 0.7))
    assert (held["value"], held["reason"], held["flag"]) == (None, "buddy_suspect,held", 3)
    for late in (spoken(bad, 2), spoken(spoken(record, 3), 2)):
        assert (late["flag"], late["score"], late["reason"]) == (1, 1.0, None)
    back = spoken(record, 2)
    assert {**back, "revision": 1, "processed_at": record["processed_at"]} == record


@pytest.mark.requirement("B7")
@pytest.mark.parametrize("changes", [{"flag": 1, "reason": "by_hand:a"}, {"flag": 9}])
def test_a_person_and_what_is_missing_stand_above_the_neighbours(changes: Record) -> None:
    record = spoken(clean("temperature", **changes), 4)
    assert (record["flag"], record["flag_buddy"]) == (changes["flag"], 4)


def test_its_own_verdict_makes_nobody_unfit_to_be_a_neighbour() -> None:
    ours = clean("temperature", flag=4, flag_buddy=4, revision=FREE + OURS)
    others = clean("temperature", flag=4, flag_buddy=4, flag_step=4)
    by_hand = clean("temperature", flag=4, reason="by_hand:a")
    assert [came(one, b"", 0).usable for one in (ours, others, by_hand)] == [True, False, False]
    assert came(ours, b"", 0).ours
    assert came(clean("temperature", value=None), b"", 0).said == Flag.NOT_EVALUATED
