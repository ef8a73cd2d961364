"""An hour that comes twice: whichever row arrives first, each ends in its own hour."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from schemas.codec import Record
from stream_app.window.folds import OLDEST
from stream_app.window.state import State
from tests.again_model import Model
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, metadata
from tests.unit.windows import RULES

NIGHT = local("2013-11-03T01:30:00")
SUMMER, WINTER = local("2013-11-03T05:30:00"), local("2013-11-03T06:30:00")

pytestmark = pytest.mark.requirement("B10", "D4")


def row(key: str, version: int, value: float) -> tuple[str, Record]:
    """Make a version of a row of the repeated hour."""
    told = raw(
        key=key,
        source_version=version,
        value=value,
        observed_local=NIGHT,
        extracted_at=local("2013-11-03T12:00:00"),
    )
    return "temperature", told


def hours(rows: tuple[tuple[str, Record], ...], *cuts: int) -> dict[int, tuple[str, float]]:
    """Give of both hours whose value it is that a table holds in the end."""
    model = Model(rows, RULES)
    for cut in cuts:
        model.batch(cut)
    model.finish()
    return {at: (r["source_key"], r["raw_value"]) for (_, at), r in model.final().items()}


@pytest.mark.parametrize("versions", [(1, 2, 3, 4), (1, 3, 2, 4), (1, 4, 2, 3)])
def test_rows_of_a_repeated_hour_and_their_corrections_may_come_in_any_order(
    versions: tuple[int, ...],
) -> None:
    one, corrected, two, corrected_too = versions
    rows = [row("7", one, 1.0), row("7", corrected, 2.0)]
    rows += [row("9", two, 3.0), row("9", corrected_too, 4.0)]
    cuts = [(), (1, 1, 1), (2,)]
    for order, cut in product(permutations(rows), cuts):
        assert hours(order, *cut) == {SUMMER: ("7", 2.0), WINTER: ("9", 4.0)}


@pytest.mark.requirement("B4")
def test_rows_that_came_in_the_wrong_order_keep_their_hours_when_metadata_changes() -> None:
    rows = [row("9", 5, 3.0), row("7", 1, 1.0), row("7", 2, 2.0), row("9", 6, 4.0)]
    for cut in (1, 2, 3, 4):
        model = Model(rows, RULES)
        model.batch(cut)
        model.table.tell(metadata("JFK:temperature", interval(0, height=9.0)))
        model.finish()
        found = {at: (r["raw_value"], r["height"]) for (_, at), r in model.final().items()}
        assert found == {SUMMER: (2.0, 9.0), WINTER: (4.0, 9.0)}


def test_what_a_row_left_behind_is_known_to_who_comes_after_a_crash() -> None:
    model = Model([row("9", 5, 3.0), row("7", 1, 1.0), row("7", 1, 1.0), row("7", 2, 2.0)], RULES)
    for _ in range(4):
        model.batch(1)
        model.revive()
    assert {at: r["raw_value"] for (_, at), r in model.final().items()} == {
        SUMMER: 2.0,
        WINTER: 3.0,
    }


def test_a_version_is_only_raised_above_what_stands_in_its_own_hour() -> None:
    overlay = State(generation=0).overlay()
    raised = []
    for key, version in (("11", 30), ("9", 20), ("7", 10), ("9", 20), ("7", 9), ("7", 50)):
        overlay.fold("s", NIGHT, key, 0, version)
        raised.append(overlay.version("s", NIGHT, key, version))
    assert raised == [30, 31, 32, 20, 9, 50]


def test_hours_written_down_before_versions_were_kept_are_read() -> None:
    state = State(generation=0)
    old = {"observed_local": [NIGHT], "source_keys": ["9"], "raw_offsets": [4]}
    state.restore("s", old)
    assert [entry.version for entry in state.folds["s"]] == [OLDEST]
    overlay = state.overlay()
    assert overlay.fold("s", NIGHT, "7", 5, -3) == 0
    assert overlay.version("s", NIGHT, "7", -3) == -3
    assert overlay.displaced == [("s", 4)]
