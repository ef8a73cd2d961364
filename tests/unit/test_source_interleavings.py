"""Whatever transactions, crashes and looks come between: no row is lost, and none comes twice.

The same test finds out each cursor that is broken in one place, so it is not blind.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from sqlalchemy import Integer

from producers.reading.feed import TableFeed
from tests.model_database import LAG, ModelDatabase, ModelEndpoints
from tests.source_breakages import Breakage, after_page, no_bound, no_tie_break
from tests.sources import document, mapping

pytestmark = pytest.mark.slow

MODES: Final[dict[str, dict[str, Any]]] = {
    "timestamp_id": {"column": "changed", "id": "id", "lag_seconds": LAG},
    "timestamp": {"mode": "timestamp", "column": "changed", "lag_seconds": LAG},
    "id": {"mode": "id", "column": "id", "lag_seconds": LAG},
    "rowversion": {"mode": "rowversion", "column": "rv"},
    "change_tracking": {"mode": "change_tracking", "deletes": "publish"},
}
PAGE_ROWS: Final = 2
TYPES: Final[dict[str, Any]] = {"id": Integer()}
Operation = tuple[Any, ...]


def programs(mode: str) -> st.SearchStrategy[list[Operation]]:
    """Draw what happens: in the database, and to the source."""
    transaction = st.integers(0, 1)
    rows = st.just(None) if mode == "id" else st.none() | st.integers(1, 4)
    inside = [
        st.tuples(st.just("write"), transaction, rows),
        st.tuples(st.just("commit"), transaction),
        st.just(("tick",)),
    ]
    if mode == "change_tracking":
        inside.append(st.tuples(st.just("delete"), transaction, st.integers(1, 4)))
    others = st.lists(st.one_of(inside), max_size=5)
    crashes = st.sampled_from([None, None, "before", "after"])
    return st.lists(st.one_of(*inside, st.tuples(st.just("poll"), others, crashes)), max_size=25)


class Run:
    """A source that reads the model, and a reader who is given what it publishes."""

    def __init__(self, mode: str, breakage: Breakage | None, *, stored_first: bool) -> None:
        self._cursor = MODES[mode]
        self._breakage = breakage
        self._stored_first = stored_first
        self.database = ModelDatabase()
        self._endpoints = ModelEndpoints(self.database)
        self.position = ""
        self.given: list[tuple[str, float | None, str, int]] = []
        self._start()

    def does(self, operation: Operation) -> None:
        """Do what a program says."""
        name, *parts = operation
        if name == "poll":
            self.poll(*parts)
        else:
            getattr(self.database, name)(*parts)

    def poll(self, others: list[Operation], crash: str | None) -> bool:
        """Read a page, while others work between its statements; publish it, and maybe die.

        Say whether there may be more at once.
        """
        self._endpoints.between = lambda: [self.does(each) for each in others] and None
        page = self._feed.next_page(self.position)
        if self._stored_first:
            self.position = page.position
        if crash == "before":
            self._start()
            return True
        self.position = page.position
        for reading in page.readings.records.get("temperature", []):
            row = reading.as_record()
            told = (row["source_key"], row["value"], row["op"], row["source_version"])
            self.given.append(told)
        if crash == "after":
            self._start()
        return not page.drained and not page.waiting

    def end(self) -> None:
        """Let everything end, and the source read all there is."""
        self.database.commit_all()
        for _ in range(LAG + 2):
            self.database.tick()
            while self.poll([], None):
                pass

    @property
    def faults(self) -> list[str]:
        """Say what the reader was not given, or twice."""
        doubled = [told for told in set(self.given) if self.given.count(told) > 1]
        latest = {}
        for key, found, op, _ in sorted(self.given, key=lambda told: told[3]):
            latest[key] = None if op == "delete" else found
        held = {str(row_id): float(row["ta"]) for row_id, row in self.database.rows.items()}
        kept = {key: found for key, found in latest.items() if found is not None}
        if "change_tracking" not in self._cursor.values():
            held |= {key: found for key, found in kept.items() if key not in held}
        return [f"doubled {told}" for told in doubled] + ([] if kept == held else ["lost"])

    def _start(self) -> None:
        wide, _ = document()["tables"]
        readings = [r for r in wide["readings"] if r["parameter"] == "temperature"]
        table = {**wide, "cursor": self._cursor, "readings": readings, "flag": None}
        mapped = mapping(tables=[table])
        self._endpoints.between = None
        self._feed = TableFeed(self._endpoints, mapped, mapped.tables[0], TYPES, PAGE_ROWS)  # type: ignore[arg-type]
        self._feed.cursor._clock = lambda: float(self.database.now)  # type: ignore[attr-defined]
        if self._breakage is not None:
            self._breakage(self._feed)


def faults(
    mode: str,
    program: list[Operation],
    breakage: Breakage | None = None,
    *,
    stored_first: bool = False,
) -> list[str]:
    run = Run(mode, breakage, stored_first=stored_first)
    for operation in program:
        run.does(operation)
    run.end()
    return run.faults


@pytest.mark.requirement("A6")
@pytest.mark.parametrize("mode", MODES)
def test_no_row_is_lost_and_none_comes_twice(mode: str) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(program=programs(mode))
    def holds(program: list[Operation]) -> None:
        assert faults(mode, program) == []

    holds()


_LATE_FIRST: Final[list[Operation]] = [
    ("write", 0, None), ("write", 1, None), ("commit", 1), ("poll", [], None),
]  # fmt: skip
"""Two rows, of which the later one is committed first and seen."""


def counter_example(mode: str, is_faulty: Callable[[list[Operation]], bool]) -> list[Operation]:
    """Look for a program that shows a fault; raise NoSuchExample where there is none."""
    how = settings(
        max_examples=5000,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
    )
    program = programs(mode)
    either = st.one_of(program, program.map(lambda rest: [*_LATE_FIRST, *rest]))
    return find(either, is_faulty, settings=how, random=Random(1))  # noqa: S311


@pytest.mark.requirement("A6")
@pytest.mark.parametrize(
    ("mode", "breakage"),
    [
        ("timestamp_id", no_bound),
        ("timestamp", no_bound),
        ("id", no_bound),
        ("rowversion", no_bound),
        ("timestamp_id", no_tie_break),
        ("timestamp", no_tie_break),
        ("change_tracking", no_tie_break),
        ("timestamp_id", after_page),
        ("timestamp", after_page),
        ("id", after_page),
        ("rowversion", after_page),
    ],
)
def test_a_cursor_that_is_broken_is_found_out(mode: str, breakage: Breakage) -> None:
    program = counter_example(mode, lambda each: bool(faults(mode, each, breakage)))
    assert faults(mode, program) == []


@pytest.mark.requirement("A6")
@pytest.mark.parametrize("mode", MODES)
def test_a_cursor_that_is_stored_before_delivery_is_found_out(mode: str) -> None:
    program = counter_example(mode, lambda each: bool(faults(mode, each, stored_first=True)))
    assert faults(mode, program) == []
