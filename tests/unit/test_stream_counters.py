"""Gauges that count: what fell stands on the reading, whatever comes when."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codec import Record
from tests.again_model import Model
from tests.raw_records import local, raw
from tests.unit.stream_fakes import mapping

MINUTE = 60_000_000
MIDNIGHT = local("2013-07-02T00:00:00")
TOTALS = {-3: 7.0, -2: 7.5, -1: 7.5, 0: 8.0, 1: 0.5, 2: 0.5, 5: 2.0, 6: 1.0}
"""By minutes from midnight: the reset, a gap of three minutes, a fall that nobody expects."""
FELL = {-3: None, -2: 0.5, -1: 0.0, 0: 0.5, 1: 0.5, 2: 0.0, 5: 1.5, 6: 1.0}


def total(minute: int, value: float | None, **changes: Any) -> tuple[str, Record]:
    at = MIDNIGHT + minute * MINUTE
    given = {"observed_local": at, "value": value, "extracted_at": at + 5 * 3600 * 1_000_000}
    return "rainfall", raw("rainfall", key=str(minute), **{**given, **changes})


def final(readings: list[tuple[str, Record]], cuts: tuple[int, ...] = ()) -> dict[int, Record]:
    """Judge in batches that end at these places; give the last word, by minute."""
    model = Model(readings, counter="daily")
    for start, end in zip((0, *cuts), (*cuts, len(readings)), strict=True):
        if end > start:
            model.batch(end - start)
    return {
        (r["observed_local"] - MIDNIGHT) // MINUTE: r
        for r in model.final().values()
        if r["op"] == "upsert"
    }


def told(record: Record) -> tuple[Any, ...]:
    names = ("value", "raw_value", "flag", "flag_range", "flag_step", "corrections", "reason")
    return (*(record[name] for name in names), record["observed_at"] - record["interval_start"])


ALL = [total(minute, value) for minute, value in TOTALS.items()]


@pytest.mark.requirement("B3", "B5", "B11")
def test_a_daily_counter_becomes_what_fell_since_the_reading_before() -> None:
    found = final(ALL)
    assert {minute: one["value"] for minute, one in found.items()} == FELL
    assert {minute: one["raw_value"] for minute, one in found.items()} == TOTALS
    assert {minute: one["flag"] for minute, one in found.items()} == {
        **dict.fromkeys(TOTALS, 2),
        6: 3,
    }
    assert found[1]["corrections"] == "rain_from_counter,rain_counter_reset"
    assert found[5]["corrections"] == "rain_from_counter,rain_over_gap"
    assert found[5]["observed_at"] - found[5]["interval_start"] == 3 * MINUTE
    assert "rain_lower_bound" in found[6]["corrections"]
    assert "step_suspect" in found[6]["reason"]


@pytest.mark.requirement("B3", "D4")
def test_a_late_total_re_differences_the_one_behind_it() -> None:
    wanted = {minute: told(one) for minute, one in final(ALL).items()}
    for late, other in ((1, 4), (4, 3), (6, 1), (0, 7), (5, 6)):
        order = [one for place, one in enumerate(ALL) if place not in (late, other)]
        readings = [*order, ALL[late], ALL[other]]
        found = final(readings, (len(order), len(order) + 1))
        assert {minute: told(one) for minute, one in found.items()} == wanted


@pytest.mark.requirement("D4")
@settings(max_examples=20)
@given(data=st.data())
def test_any_order_batches_corrections_and_deletions_end_alike(data: st.DataObject) -> None:
    newer = [
        total(minute, value, source_version=2, op=op)
        for minute, value, op in data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from(sorted(TOTALS)),
                    st.sampled_from([0.0, 1.0, 7.5, 9.0, None]),
                    st.sampled_from(["upsert", "upsert", "delete"]),
                ),
                max_size=3,
                unique_by=lambda one: one[0],
            )
        )
    ]
    readings = data.draw(st.permutations([*ALL, *newer]))
    cuts = tuple(sorted(data.draw(st.sets(st.integers(1, len(readings) - 1), max_size=4))))
    wanted = {minute: told(one) for minute, one in final([*ALL, *newer]).items()}
    assert {minute: told(one) for minute, one in final(list(readings), cuts).items()} == wanted


@pytest.mark.requirement("B3")
def test_totals_are_no_rain_in_dry_air() -> None:
    at = MIDNIGHT - 2 * MINUTE
    read = at + 5 * 3600 * 1_000_000
    air: dict[str, Any] = {"observed_local": at, "value": 5.0, "extracted_at": read}
    model = Model([*ALL[:3], ("humidity", raw("humidity", **air))], counter="daily")
    model.batch(4)
    assert {one["flag_consistency"] for one in model.final().values()} <= {1}


@pytest.mark.requirement("B11")
def test_what_a_day_can_not_bring_in_a_minute_fails_and_gives_no_value() -> None:
    found = final([total(-2, 1.0), total(-1, 61.0)])
    assert (found[-1]["value"], found[-1]["flag"], found[-1]["raw_value"]) == (None, 4, 61.0)


def test_a_running_counter_is_reset_only_where_it_falls() -> None:
    readings = [total(minute, value) for minute, value in ((-1, 7.5), (0, 8.0), (1, 8.5))]
    model = Model(readings, counter="running")
    model.batch(3)
    assert sorted(one["value"] or 0.0 for one in model.final().values()) == [0.0, 0.5, 0.5]


@pytest.mark.requirement("A2")
@pytest.mark.parametrize(
    ("parameter", "counter"),
    [*product(["rainfall"], ["hourly", {"period": "daily", "reset_minutes": 1440}]),
     ("humidity", "daily")],
)  # fmt: skip
def test_a_counter_that_makes_no_sense_is_refused(parameter: str, counter: object) -> None:
    unit = "mm" if parameter == "rainfall" else "%"
    measure = {"column": "v", "unit": unit, "counter": counter}
    with pytest.raises(ValidationError):
        mapping(parameter, measures={"value": measure})
