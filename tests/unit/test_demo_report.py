"""The demo's report: sums, what is equal, what is named where it is not, how it is drawn."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from operate.demo import showing
from operate.demo.flow import Flow
from operate.demo.queries import WORST, Answer
from operate.demo.report import Break, Line, Report, Unmapped
from operate.demo.screen import bars
from operate.demo.screen import drawn as flowing

pytestmark = pytest.mark.requirement("E3", "D7")

WIND = Line("wind", 10, 10, 12, 10, 11, 9, good=7, fail=1, missing=1, dead_lettered=1, loaded=9)
RAIN = Line("rainfall", 5, 5, 5, 5, 5, 5, good=5, loaded=5)
DRY = dataclasses.replace(WIND, clean_keys=10, dead_lettered=0, loaded=10)
EQUAL = Report((DRY, RAIN), ())
WHOLE = Report((WIND, RAIN), (), (Unmapped("weather_minute", "RN", 1),))


def drawn(thing: RenderableType, width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(thing)
    return captured.get()


def test_the_total_adds_up_every_column() -> None:
    total = WHOLE.total
    assert (total.source, total.published, total.loaded) == (15, 17, 14)
    assert (total.good, total.fail, total.missing, total.dead_lettered) == (12, 1, 1, 1)
    assert total.re_emitted == (2, 2)


def test_the_document_holds_every_count_and_the_verdict() -> None:
    document = WHOLE.as_document()
    assert (document["accounted_for"], document["keys_equal"]) == (True, False)
    assert document["unmapped"] == [{"table": "weather_minute", "code": "RN", "rows": 1}]
    assert EQUAL.as_document()["keys_equal"] is True
    assert document["parameters"]["wind"]["published"] == 12
    assert document["total"]["source_keys"] == 15


@given(st.sets(st.integers()), st.sets(st.integers()))
def test_a_break_counts_what_was_lost_and_what_is_too_much(
    before: set[int], after: set[int]
) -> None:
    found = Break.between("raw → clean", "wind", before, after)
    if before == after:
        assert found is None
    else:
        assert found is not None
        assert found.lost == len(before - after)
        assert found.surplus == len(after - before)
        assert 0 < len(found.keys) <= 10


def test_a_break_names_the_hop_and_the_keys() -> None:
    found = Break.between("clean → table", "wind", {("EWR:wind", 7), ("JFK:wind", 7)}, set())
    told = str(found)
    assert "clean → table: wind: 2 keys lost" in told
    assert "-EWR:wind|7" in told


def test_the_verdict_names_what_differs() -> None:
    broken = Break("raw → clean", "wind", 1, 0, ("-weather_hourly|3|EWR:wind",))
    report = dataclasses.replace(WHOLE, breaks=(broken,))
    assert not report.agrees
    assert not report.is_whole("wind")
    assert report.is_whole("rainfall")
    told = drawn(showing.verdict(report))
    assert "weather_hourly|3|EWR:wind" in told
    assert "equal at every hop" not in told
    assert "equal at every hop" in drawn(showing.verdict(EQUAL))
    assert "another source" not in told
    broken = Break("source → raw", "wind", 0, 1, ("+mine|1|108:wind",))
    told = drawn(showing.verdict(dataclasses.replace(WHOLE, breaks=(broken,))))
    assert "another source was read here" in told


def test_the_verdict_never_calls_keys_equal_that_were_dead_lettered() -> None:
    told = drawn(showing.verdict(WHOLE))
    assert "equal" not in told
    assert "Every distinct key is accounted for, 14 loaded, 1 dead-lettered" in told
    assert "Not mapped: 1 row of weather_minute with code RN." in told


@pytest.mark.parametrize("width", [72, 80, 100, 200])
def test_no_number_and_no_sql_is_cut_however_narrow_it_is(width: int) -> None:
    flow = Flow()
    for counted in (flow.published, flow.judged, flow.loaded):
        counted.update({"temperature": 1_234_567})
    row = ("EWR", "wind_speed", datetime(2013, 2, 12, 8, tzinfo=UTC), "speed_range,no_metadata")
    found = Answer(WORST, ("station_id", "measure", "observed_at", "reason"), (row,))
    told = " ".join(
        drawn(thing, width)
        for thing in (
            showing.counts(Report((dataclasses.replace(WIND, loaded=1_234_567),), ())),
            flowing({"temperature": 1_234_567}, flow),
            showing.answer(found),
        )
    )
    assert "…" not in told
    assert told.count("1,234,567") == 2 + 8
    assert "".join(WORST.sql.split()) in "".join(told.split())
    assert all(word in told for word in ("speed_range,no_metadata", "2013-02-12 08:00Z"))


def test_the_table_of_counts_fits_a_hundred_columns() -> None:
    many = ("source", "published", "good", "loaded")
    few = ("suspect", "fail", "missing", "not_judged", "dead_lettered")
    counts = {**dict.fromkeys(many, 234_567), **dict.fromkeys(few, 12_345)}
    told = drawn(showing.counts(Report((dataclasses.replace(WIND, **counts),), ())))
    assert "…" not in told
    assert told.count("234,567") == 2 * len(many)
    assert told.count("12,345") == 2 * len(few)


def test_the_bars_never_run_over_when_more_was_sent_than_is_held() -> None:
    flow = Flow()
    flow.published.update({"wind": 25})
    told = drawn(bars({"wind": 10}, flow))
    assert "25" in told
    assert "…" not in told


def test_an_answer_shows_null_times_in_utc_and_two_decimals() -> None:
    row = ("EWR", datetime(2013, 2, 12, 8, tzinfo=UTC), 468.6588, None, Decimal("1.50"))
    told = drawn(showing.answer(Answer(WORST, ("station", "at", "raw", "value", "mean"), (row,))))
    for shown in ("2013-02-12 08:00Z", "468.66", "null", "1.50", "SELECT"):
        assert shown in told


def test_an_answer_without_rows_is_drawn() -> None:
    assert "station" in drawn(showing.answer(Answer(WORST, ("station",), ())))
