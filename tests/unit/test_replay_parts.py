"""The parts of a replay: where readings lie, at what pace they are read, what a person sees."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.replay.difference import Difference
from operate.replay.drawing import columns, plot
from operate.replay.ledger import name_of
from operate.replay.promotion import record_of, refuse_number
from runtime.errors import Configuration, System
from schemas import avsc
from schemas.codec import Record
from schemas.rulesets import PublishedRuleset
from stream_app.again.task import Window
from stream_app.replay.pace import Pace
from stream_app.replay.plan import Stand, find, part_of, refuse_lost
from stream_app.replay.request import Request
from stream_app.revisions import MOST_PROMOTIONS, revision_of
from weather.ruleset import ALWAYS, DEFAULT, FOR_EVER, Ruleset
from weather.ruleset_history import RulesetHistory

T = "aos.raw.wind.v1"


def entry(first: int, last: int, least: int | None, greatest: int | None) -> Record:
    """Make an entry of the index."""
    return {
        "topic": T, "partition": 0, "first_offset": first, "last_offset": last,
        "least_observed_at": least, "greatest_observed_at": greatest,
    }  # fmt: skip


entries = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 99), st.integers(0, 9)), min_size=1, max_size=20
)


@pytest.mark.requirement("D8")
@given(entries, st.integers(0, 60), st.integers(0, 100), st.integers(1, 50))
def test_every_record_of_the_times_is_read_or_named_as_lost(
    some: list[tuple[int, int, int]], low: int, since: int, width: int
) -> None:
    index, at = [], 0
    for length, least, spread in some:
        index.append(entry(at, at + length - 1, least, least + spread))
        at += length
    asked = Window(since, since + width)
    found = find(index, asked, asked, {(T, 0): low})
    read = {n for one in found.ranges[T, 0] for n in range(one.first, one.end)}
    meant = [e for e in index if e["least_observed_at"] < asked.until
             and e["greatest_observed_at"] >= asked.since]  # fmt: skip
    wanted = {n for e in meant for n in range(e["first_offset"], e["last_offset"] + 1)}
    assert {n for n in wanted if n >= low} <= read
    assert all(n >= low for n in read)
    assert found.lost.get((T, 0), 0) == sum(n < low for n in wanted)
    if found.kept_since is not None:
        again = Window(found.kept_since, found.kept_since + 1000)
        assert not find(index, again, again, {(T, 0): low}).lost


def test_nothing_is_read_that_the_stream_had_not_read_when_the_replay_began() -> None:
    asked = Window(0, 100)
    index = [entry(0, 9, 1, 2), entry(10, 19, None, None), entry(9000, 9009, 3, 4)]
    found = find(index, asked, asked, {(T, 0): 0})
    assert part_of(0, [T], found, Stand(0, {T: 9004})).records == 10 + 4
    assert part_of(0, [T], found, Stand(0, {})).records == 0


@pytest.mark.requirement("D8")
def test_a_range_that_retention_has_dropped_is_refused_and_says_since_when_there_is_data() -> None:
    asked = Window(0, 100)
    found = find([entry(0, 9, 10, 20), entry(10, 19, 15, 30)], asked, asked, {(T, 0): 12})
    with pytest.raises(Configuration, match=r"12 of aos.raw.wind.v1 \[0\].*begin at 31"):
        refuse_lost(found, str(found.kept_since))
    refuse_lost(find([entry(0, 9, 10, 20)], asked, asked, {(T, 0): 0}), "")


@pytest.mark.requirement("D10")
def test_a_rate_is_kept_on_average_and_a_stop_ends_the_wait() -> None:
    now, waits = [100.0], []

    class Waited(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            now[0] += timeout or 0
            return False

    pace = Pace(50, Waited(), clock=lambda: now[0])
    for _ in range(4):
        pace.passed(25)
    assert waits == pytest.approx([0.5] * 4)
    now[0] += 60  # a long pause is no licence to make up for all of it
    pace.passed(100)
    assert waits[4:] == pytest.approx([1.0])
    assert (pace.helping, Pace(None, Waited()).helping) == (50, None)


rules = st.builds(
    lambda number, since, width: replace(
        DEFAULT, version=str(number), valid_from=since, valid_until=width and since + width
    ),
    st.integers(0, 9), st.integers(0, 20) | st.just(ALWAYS), st.integers(1, 9),
)  # fmt: skip


@pytest.mark.requirement("B6")
@given(st.lists(rules, max_size=6), st.integers(-1, 40))
def test_a_ruleset_that_ends_leaves_the_field_to_what_would_hold_without_it(
    some: list[Ruleset], at: int
) -> None:
    history = RulesetHistory(some)
    others = [one for one in some if not one.valid_from <= at < one.valid_until]
    if len(others) == len(some):
        assert history.at(at) is DEFAULT
    holds = history.at(at)
    assert holds.valid_from <= at < holds.valid_until
    assert all(one.valid_from <= holds.valid_from for one in some if one not in others)
    (parted,) = (rules for rules, mask in history.parted(np.array([at])) if mask.any())
    assert parted is holds


def test_the_end_of_a_ruleset_travels_with_it() -> None:
    for until in (7, FOR_EVER):
        held = replace(DEFAULT, version="mine", valid_from=3, valid_until=until)
        record = PublishedRuleset(held, "kim", None, 0).to_record()
        assert PublishedRuleset.of_record(record).ruleset.valid_until == until
        assert set(record) == {field["name"] for field in avsc.load("ruleset")["fields"]}


def test_a_promotion_stands_between_two_batches_of_the_stream() -> None:
    stand, later = revision_of(2, 7), revision_of(2, 8)
    assert stand < stand + 1 < stand + MOST_PROMOTIONS < later
    with pytest.raises(System, match="7 replays were promoted since the stream last said"):
        refuse_number(type("Entry", (), {"name": "july"})(), MOST_PROMOTIONS + 1)


def test_a_row_becomes_a_record_under_the_revision_of_its_promotion() -> None:
    names = [field["name"] for field in avsc.load("clean_reading")["fields"]]
    row: dict[str, Any] = {name: None for name in names if name != "op"}
    at = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    row |= {"observed_at": at, "observed_local": at.replace(tzinfo=None), "revision": 4}
    record = record_of({**row, "deleted_at": None, "becomes": 99, "was_flag": 1}, names)
    assert list(record) == names
    assert (record["revision"], record["op"]) == (99, "upsert")
    assert record["observed_at"] == record["observed_local"] == 1_000_000
    assert record_of({**row, "deleted_at": at, "becomes": 1}, names)["op"] == "delete"


def test_a_name_says_what_was_asked_for_and_never_two_things() -> None:
    one = Request(0, 86_400_000_000)
    assert name_of(one) == name_of(Request(0, 86_400_000_000))
    others = [replace(one, stations=("JFK",)), replace(one, ruleset=DEFAULT), replace(one, until=1)]
    assert len({name_of(each) for each in (one, *others)}) == 4


def test_a_plot_sums_up_days_where_there_are_many() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    days = [{"day": first + timedelta(days=n), "readings": 1} for n in range(200)]
    assert columns(days, first, days[-1]["day"]) == [3] * 66 + [2]
    counts = {"readings": 5, "judged": 5, "named": 0, "added": 0}
    found = Difference("wind", 9, counts, [], days[:3], [], [])
    assert [*plot([found])] == [
        "        wind ███ 1 at most",
        "             2026-01-01 to 2026-01-03",
    ]
    assert not [*plot([replace(found, days=[])])]
