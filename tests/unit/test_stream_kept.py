"""What held for the sensors of one batch serves the next, until anything else is known."""

from __future__ import annotations

import numpy as np
import pytest

from stream_app.judging.heads import Head
from stream_app.judging.kept import Asked, Kept, Spans
from stream_app.judging.origins import Origin, Origins
from stream_app.metadata.sensors import FIRST, LAST, UNKNOWN

pytestmark = pytest.mark.requirement("B5")

HEADS: list[Head] = []


def asked(*which: int, turn: int = 1, ruleset: str = "a", heads: list[Head] = HEADS) -> Asked:
    """Ask for heads by their numbers."""
    return Asked(heads, np.array(which, np.int64), (turn, ruleset))


def spans(since: int = FIRST, until: int = LAST) -> Spans:
    """Make the span of one head."""
    origins = Origins([Origin(None, UNKNOWN, "a")])  # type: ignore[arg-type]  # nobody asks it
    return Spans(origins, np.array([since]), np.array([until]))


def test_only_the_same_heads_as_of_the_same_turn_and_ruleset_find_what_is_kept() -> None:
    kept, found = Kept(), spans()
    assert kept.of(asked(1, 2)) is None
    kept.keep(asked(1, 2), found, 100)
    assert kept.of(asked(1, 2)) is found
    others = asked(1), asked(1, 3), asked(1, 2, turn=2), asked(1, 2, ruleset="b")
    assert [kept.of(other) for other in others] == [None] * 4
    assert kept.of(asked(1, 2, heads=[])) is None, "another list numbers heads anew"


def test_a_few_readings_between_batches_change_nothing_of_what_is_kept() -> None:
    kept, found = Kept(), spans()
    kept.keep(asked(1, 2), found, 100)
    kept.keep(asked(1), spans(), 1)
    assert kept.of(asked(1, 2)) is found
    assert kept.of(asked(1)) is None


def test_a_span_holds_from_its_beginning_until_before_its_end() -> None:
    found, origin = spans(10, 20), np.zeros(2, np.int64)
    assert found.hold(origin, np.array([10, 19]))
    assert not found.hold(origin, np.array([9, 19]))
    assert not found.hold(origin, np.array([10, 20]))
