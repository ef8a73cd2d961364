"""The window: whatever the order and the batches, the same verdicts in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.cleaned import CleanedColumns
from stream_app.window import state
from stream_app.window.layout import split
from stream_app.window.rings import K
from tests.unit.windows import RULES, Key, Reading, Stream, columns, expected
from weather.limits import Limits, Step
from weather.ruleset import Override
from weather.ruleset_history import RulesetHistory

NAN = float("nan")
PARAMETERS = ("rainfall", "temperature", "humidity", "wind", "pressure")
VALUES = {
    "rainfall": [0.0, 0.0, 0.4, 30.0],
    "temperature": [20.0, 20.0, 20.1, 35.0, NAN],
    "humidity": [5.0, 8.0, 35.0, 40.0, NAN],
    "wind": [0.0, 3.0, 3.0, 14.0, 40.0, NAN],
    "pressure": [1000.0, 1000.1, 1004.0, 1020.0],
}


@st.composite
def _readings(draw: st.DrawFn) -> list[Reading]:
    """Draw readings of two stations, with corrections, deletions and repeats."""
    found = []
    for _ in range(draw(st.integers(1, 24))):
        parameter = draw(st.sampled_from(PARAMETERS))
        found.append(
            Reading(
                parameter,
                draw(st.sampled_from("AB")),
                draw(st.integers(0, K - 2)),
                draw(st.sampled_from(VALUES[parameter])),
                version=draw(st.integers(1, 3)),
                deleted=draw(st.integers(0, 9)) == 0,
                direction=draw(st.sampled_from([90.0, 90.0, 91.0, NAN])),
                gust=draw(st.sampled_from([NAN, 3.0, 20.0])),
            )
        )
    # Of one version there is one truth: equal ones are repeats.
    unique = {(*reading.key, reading.version): reading for reading in found}
    told = [reading._replace(offset=place) for place, reading in enumerate(unique.values())]
    return told + draw(st.lists(st.sampled_from(told), max_size=4))


@st.composite
def _batches(draw: st.DrawFn) -> list[list[Reading]]:
    """Draw readings in any order, cut anywhere."""
    readings = draw(st.permutations(draw(_readings())))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(readings) - 1)), max_size=8)))
    bounds = [0, *cuts, len(readings)]
    return [readings[a:b] for a, b in pairwise(bounds) if a < b]


def flags_of(batches: list[list[Reading]], heeding: bool = True) -> dict[Key, object]:
    stream = Stream(heeding)
    for batch in batches:
        stream.take(batch)
    return {key: (r.offset, flags) for key, (r, flags) in stream.flags().items()}


def expected_of(batches: list[list[Reading]]) -> dict[Key, object]:
    told = [reading for batch in batches for reading in batch]
    return {key: (r.offset, flags) for key, (r, flags) in expected(told).items()}


@pytest.mark.requirement("B6", "D4")
@settings(max_examples=150)
@given(batches=_batches())
def test_any_order_and_any_batches_give_the_same_verdicts(batches: list[list[Reading]]) -> None:
    assert flags_of(batches) == expected_of(batches)


def test_a_vane_is_not_taken_to_be_as_fine_as_the_anemometer_beside_it() -> None:
    told = [(0, 14.0, 1), (4, 14.0, 1), (4, 15.0, 2), (10, 2.5, 1), (15, 2.0, 1)]
    winds = [
        Reading("wind", "A", minute, speed, version, offset=place)
        for place, (minute, speed, version) in enumerate(told)
    ]
    for cut in range(len(winds)):
        batches = [batch for batch in (winds[:cut], winds[cut:]) if batch]
        assert flags_of(batches) == expected_of(batches)


def jump() -> Iterator[dict[str, CleanedColumns]]:
    """Give three temperatures of November, each a batch."""
    for minute, value in enumerate((20.0, 35.0, 22.0)):
        yield columns([Reading("temperature", "A", minute, value, offset=minute)])


def rules(usual: Limits, other: Limits, month: int) -> RulesetHistory:
    named = "temperature", "value"
    override = Override(*named, other, months=(month,))
    return RulesetHistory(
        [replace(RULES, limits={**RULES.limits, named: usual}, overrides=(override,))]
    )


@pytest.mark.requirement("B6")
@pytest.mark.parametrize(("month", "flags"), [(11, [2, 3, 1]), (12, [2, 3, 3])])
def test_limits_of_a_month_hold_between_neighbours_too(month: int, flags: list[int]) -> None:
    usual = RULES.limits_of("temperature", "value")
    history = rules(usual, replace(usual, steps=(Step(1, 14.0),)), month)
    kept, found = state.State(0), []
    for batch in jump():
        overlay = kept.overlay()
        found += overlay.judge(batch, history)["temperature"].flags["flag_step"].tolist()
        overlay.commit()
    assert found == flags


@pytest.mark.parametrize(("month", "told"), [(11, 4), (12, 2)])
def test_a_spike_is_looked_for_in_the_months_that_have_a_limit_for_it(
    month: int, told: int
) -> None:
    usual = RULES.limits_of("temperature", "value")
    history, kept = rules(replace(usual, spike=None), usual, month), state.State(0)
    standing: dict[int, int] = {}
    for batch in jump():
        overlay = kept.overlay()
        verdict = overlay.judge(batch, history)["temperature"]
        offsets = [*batch["temperature"].raw_offset.tolist(), *verdict.again.raw_offset.tolist()]
        new = [*verdict.flags["flag_spike"], *verdict.again.flags["flag_spike"]]
        standing |= dict(zip(offsets, map(int, new), strict=True))
        overlay.commit()
    assert standing[1] == told


JUMP = [Reading("temperature", "A", m, v, offset=m) for m, v in enumerate((20.0, 35.0, 20.0, 20.1))]


def orders_that_show(readings: list[Reading], heeding: bool = True) -> int:
    """Count the orders, one reading to a batch, that do not end as they should."""
    return sum(
        flags_of([[reading] for reading in order], heeding) != expected_of([readings])
        for order in permutations(readings)
    )


@pytest.mark.requirement("D4")
def test_if_changed_verdicts_were_not_sent_again_most_orders_would_show() -> None:
    assert orders_that_show(JUMP) == 0
    assert orders_that_show(JUMP, heeding=False) > 20


@pytest.mark.requirement("D4")
def test_if_all_were_taken_to_come_in_order_most_orders_would_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def all_in_order(*given: Any) -> tuple[Any, Any]:
        ordered, between = split(*given)
        return np.sort(np.append(ordered, between)), between[:0]

    monkeypatch.setattr(state, "split", all_in_order)
    assert orders_that_show(JUMP) > 12
