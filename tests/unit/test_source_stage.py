"""The loop: tables in turn, failures apart, and nothing forgotten when publishing fails."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Any, cast

import pytest

from producers.connection.server import Held
from producers.progress import Summary
from producers.publishing.encoding import RawReading
from producers.reading.feed import Page
from producers.reading.rows import Readings
from producers.settings import SourceSettings
from producers.stage import Stage
from producers.start import Source
from producers.waiting import Waiting
from runtime.breaker import Circuit
from runtime.errors import AosError, Fenced, System, Transient
from tests.sources import mapping

SETTINGS = SourceSettings(url="sqlite://", mapping="m.yaml", poll_seconds=0.001)  # type: ignore[arg-type]


class FakeFeed:
    """A table of some pages; ``fails`` are raised first, one for each look."""

    published = None

    def __init__(self, table: str, pages: int, fails: list[AosError] | None = None) -> None:
        self.table = table
        self._pages = pages
        self._fails = list(fails or [])

    def next_page(self, after: str) -> Page:
        if self._fails:
            raise self._fails.pop(0)
        number = int(after or 0) + 1
        if number > self._pages:
            return Page(Readings(), 0, after, 0.0, drained=True)
        found = Readings({"wind": [RawReading({}, {}, {})]}, Counter({"SNOW": 1}))
        return Page(found, 2, str(number), 9.0, drained=number == self._pages)


class FakeDatabase:
    """A database of which only the breaker is asked."""

    circuits = {"here": Circuit.CLOSED}  # noqa: RUF012


class FakeStanding:
    def __init__(self, position: str = "") -> None:
        self.position = position


class FakeOutlet:
    """Remembers what was published; ``fails`` are raised first, one for each page."""

    instance = "host:1#a"

    def __init__(self, tables: list[str], fails: list[AosError] | None = None) -> None:
        self.standings = {table: FakeStanding() for table in tables}
        self.published: list[tuple[str, str]] = []
        self.reopened: list[bool] = []
        self._fails = list(fails or [])

    def encode(self, readings: Readings) -> None:
        """Take everything as it is."""

    def publish_page(
        self,
        table: str,
        readings: Readings,
        rows: int,
        position: str,
    ) -> None:
        if self._fails:
            raise self._fails.pop(0)
        self.published.append((table, position))
        self.standings[table] = FakeStanding(position)

    def reopen(self, stop: threading.Event, *, fenced: bool) -> None:
        self.reopened.append(fenced)


def stage_of(
    *feeds: FakeFeed, fails: list[AosError] | None = None, watcher: Any = lambda _summary: None
) -> tuple[Stage, FakeOutlet]:
    outlet = FakeOutlet([feed.table for feed in feeds], fails)
    source = Source(
        mapping(),
        cast("Any", FakeDatabase()),
        cast("Any", feeds),
        cast("Any", outlet),
        lambda: None,
    )
    return Stage(source, SETTINGS, threading.Event(), watcher), outlet


def test_tables_are_read_in_turn_to_their_end() -> None:
    stage, outlet = stage_of(FakeFeed("a", 2), FakeFeed("b", 1))
    stage.read(once=True)
    assert outlet.published == [("a", "1"), ("b", "1"), ("a", "2")]
    assert stage.summary.rows == 6
    assert stage.summary.readings == {"wind": 3}
    assert stage.summary.tables["a"].unmapped == {"SNOW": 2}
    assert stage.summary.errors == {}


class HeldFeed(FakeFeed):
    """A table whose bound open transactions hold back, look by look."""

    def __init__(self, table: str, held: list[Held]) -> None:
        super().__init__(table, 0)
        self._held = held

    def next_page(self, after: str) -> Page:
        held = self._held.pop(0)
        return Page(Readings(), 0, after, 0.0, drained=not self._held, held=held)


@pytest.mark.requirement("A6", "D5")
def test_a_transaction_that_is_open_for_too_long_is_told_once_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    long = Held(600.0, 700.0, overdue="a second look")
    stage, _ = stage_of(HeldFeed("a", [Held(), long, long, Held(), long]))
    with caplog.at_level(logging.INFO, "aos.source"):
        stage.read(once=True)
    told = [r.levelname for r in caplog.records if "transaction" in r.getMessage()]
    assert told == ["WARNING", "INFO", "WARNING"]
    assert "table a: a transaction has been open in the source for 700 s" in caplog.text
    assert stage.summary.tables["a"].overdue == "a second look"
    assert stage.summary.tables["a"].overdue_total == 2


@pytest.mark.requirement("A8")
def test_a_table_that_fails_for_good_stops_no_other() -> None:
    broken = FakeFeed("a", 1, [Transient(f"gone {n}") for n in range(3)])
    stage, outlet = stage_of(broken, FakeFeed("b", 3))
    stage.read(once=True)
    assert [table for table, _ in outlet.published] == ["b", "b", "b"]
    assert stage.summary.errors == {"a": "gone 2"}


@pytest.mark.requirement("A8", "D3")
def test_a_table_that_fails_once_is_read_after_a_while() -> None:
    stage, outlet = stage_of(FakeFeed("a", 2, [Transient("busy")]), FakeFeed("b", 1))
    stage.read(once=True)
    assert sorted(outlet.published) == [("a", "1"), ("a", "2"), ("b", "1")]
    assert stage.summary.errors == {}


@pytest.mark.requirement("D3")
def test_a_page_that_could_not_be_published_is_read_again_once_the_outlet_is_open() -> None:
    stage, outlet = stage_of(FakeFeed("a", 2), fails=[Transient("broker away")])
    stage.read(once=True)
    assert outlet.published == [("a", "1"), ("a", "2")]
    assert outlet.reopened == [False]


@pytest.mark.requirement("D3")
def test_a_broken_outlet_is_opened_once_more_and_then_given_up() -> None:
    stage, outlet = stage_of(FakeFeed("a", 2), fails=[System("one"), System("two")])
    with pytest.raises(System, match="two"):
        stage.read(once=True)
    assert outlet.reopened == [False]


def test_a_fenced_outlet_looks_for_its_successor() -> None:
    stage, outlet = stage_of(FakeFeed("a", 1), fails=[Fenced("refused")])
    stage.read(once=True)
    assert outlet.reopened == [True]


def test_the_page_at_hand_is_finished_when_the_stage_is_stopped() -> None:
    stop_at_first: list[Stage] = []

    def watch(_summary: Summary) -> None:
        stop_at_first[0]._stop.set()

    stage, outlet = stage_of(FakeFeed("a", 9), FakeFeed("b", 9), watcher=watch)
    stop_at_first.append(stage)
    stage.read(once=False)
    assert outlet.published == [("a", "1")]


def test_waits_end_by_the_clock_and_a_success_ends_them_at_once() -> None:
    now = [0.0]
    waiting = Waiting(clock=lambda: now[0])
    now[0] += waiting.lengthen()
    assert waiting.is_over()
    while not waiting.hopeless:
        waiting.lengthen()
    waiting.forget()
    assert waiting.is_over()
    assert not waiting.hopeless
