"""The pure parts of a backfill: what is asked for, how it is cut, who does what, how fast."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.backfill.buckets import Bucket
from producers.backfill.claims import Claims
from producers.backfill.journal import ChunkState, Job, Names, asked_before
from producers.backfill.plan import Chunk, Found, Plan, cut
from producers.backfill.planning import check_same, next_job
from producers.backfill.progress import Progress
from producers.backfill.request import Request, Span, merged, spans_of
from runtime.errors import Configuration

HOUR = 3_600_000_000
SPAN = Span(0, 24 * HOUR)
REQUEST = Request((SPAN,))
PLAN = Plan("hourly", 100, (cut(SPAN, Found(100, 0, 24 * HOUR - 1), 10),))
NAMES = Names("little", "x", "sqlite:aos", "host:1#a")


@pytest.mark.requirement("A7", "D10")
@given(
    rate=st.integers(1, 1000),
    burst=st.integers(1, 1000),
    asks=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 2000)), max_size=30),
)
def test_no_stretch_of_time_lets_more_rows_through_than_the_rate_and_one_burst(
    rate: int, burst: int, asks: list[tuple[float, int]]
) -> None:
    now = [0.0]
    bucket = Bucket(rate, burst, clock=lambda: now[0])
    let_through = []
    for pause, rows in asks:
        now[0] += pause
        let_through.append((now[0] + bucket.take(rows), rows))
    for first in range(len(let_through)):
        for last in range(first, len(let_through)):
            seconds = let_through[last][0] - let_through[first][0]
            rows = sum(rows for _, rows in let_through[first + 1 : last + 1])
            assert rows <= burst + rate * seconds + 1e-6 * rate + 1


@given(rows=st.integers(0, 100), unread=st.integers(0, 100))
def test_rows_that_were_not_there_cost_nothing(rows: int, unread: int) -> None:
    bucket = Bucket(10, 100, clock=lambda: 0.0)
    bucket.take(rows)
    bucket.give_back(min(rows, unread))
    assert bucket.take(100) == pytest.approx((rows - min(rows, unread)) / 10)


@pytest.mark.requirement("A7")
@given(
    start=st.integers(-100, 100),
    hours=st.integers(1, 20_000),
    rows=st.integers(0, 10**7),
    inner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    chunk_rows=st.integers(1, 50_000),
)
def test_slices_cover_their_span_without_gap_or_overlap(
    start: int, hours: int, rows: int, inner: tuple[float, float], chunk_rows: int
) -> None:
    span = Span(start * HOUR, (start + hours) * HOUR)
    first, last = sorted(span.start + int(part * hours * HOUR) for part in inner)
    slices = cut(span, Found(rows, first, last), chunk_rows)
    if slices.count > 10_000:
        return
    spans = list(slices.spans())
    if rows == 0:
        assert spans == []
        return
    assert (spans[0].start, spans[-1].end) == span
    assert all(one.start < one.end for one in spans)
    assert all(one.end == other.start for one, other in pairwise(spans))


def test_a_plan_and_a_job_are_read_back_as_they_were_written() -> None:
    request = Request((SPAN,), ("A",), ("wind",), ("hourly",))
    job = Job(request, 3, 4, done=False, plan=PLAN)
    assert Job.of_text(job.as_text()) == job
    assert Job.of_text("") is None


@pytest.mark.requirement("A7")
def test_a_job_is_known_by_what_it_asks_for_in_whatever_order() -> None:
    one = Request((SPAN,), ("A", "B"), ("wind", "rainfall"))
    other = Request((SPAN,), ("B", "A"), ("rainfall", "wind"))
    assert one.job("little", 3) == other.job("little", 3)
    assert one.same_as(other)
    different = [one.job("little", 4), one.job("other", 3), REQUEST.job("little", 3)]
    assert one.job("little", 3) not in different
    assert len(set(different)) == 3


def test_years_that_touch_are_one_span() -> None:
    both = spans_of(None, None, "2014,2013")
    assert both == spans_of("2013-01-01", "2015-01-01", None)
    assert len(spans_of(None, None, "2013, 2015")) == 2
    assert merged([Span(0, 9), Span(1, 3)]) == (Span(0, 9),)


@pytest.mark.parametrize(
    "options",
    [
        ("2013-01-01", None, None),
        (None, None, None),
        ("2013-01-01", "2014-01-01", "2013"),
        ("2014-01-01", "2014-01-01", None),
        ("gestern", "2014-01-01", None),
        ("2014-01-01T00:00:00Z", "2015-01-01", None),
        ("2014-01-01 00:00:00.5", "2015-01-01", None),
        (None, None, "13"),
    ],
)
def test_what_is_no_stretch_of_time_is_refused(options: tuple[Any, ...]) -> None:
    with pytest.raises(Configuration):
        spans_of(*options)


@pytest.mark.requirement("A7")
def test_a_job_that_was_begun_keeps_its_plan_and_never_forgets_a_worker() -> None:
    begun = Job(REQUEST, 2, 4, done=False, plan=PLAN)
    other = Request((Span(0, 1),))

    def forbidden() -> Plan:
        raise AssertionError

    assert next_job(begun, REQUEST, 1, forbidden, again=False) == begun
    again = next_job(begun, REQUEST, 6, lambda: PLAN, again=True)
    assert (again.round, again.workers, again.done) == (3, 6, False)
    assert next_job(begun, other, 1, lambda: PLAN, again=False).round == 3
    assert next_job(None, other, 1, lambda: PLAN, again=False).round == 1
    with pytest.raises(Configuration, match="something else"):
        check_same("x", begun, other)
    check_same("x", begun, REQUEST)
    check_same("x", None, other)


@pytest.mark.requirement("A7", "A8")
@given(st.lists(st.integers(0, 6), max_size=5))
def test_each_chunk_is_handed_out_once_and_the_tables_in_turn(sizes: list[int]) -> None:
    tables = [[Chunk(str(t), n, SPAN) for n in range(size)] for t, size in enumerate(sizes)]
    claims = Claims(tables)
    taken = [chunk for _ in range(sum(sizes)) if (chunk := claims.take())]
    assert claims.take() is None
    assert sorted(taken) == sorted(chunk for table in tables for chunk in table)
    first_round = [size for size in sizes if size]
    assert len({chunk.table for chunk in taken[: len(first_round)]}) == len(first_round)


@pytest.mark.requirement("A8")
def test_a_table_that_fails_again_and_again_is_left_and_the_others_are_not() -> None:
    claims = Claims([[Chunk("a", n, SPAN) for n in range(9)], [Chunk("b", 0, SPAN)]])
    failures = [claims.fail(Chunk("a", n, SPAN), for_good=False) for n in range(2)]
    claims.succeed(Chunk("a", 2, SPAN))
    failures += [claims.fail(Chunk("a", n, SPAN), for_good=False) for n in range(3, 6)]
    assert failures == [False, False, False, False, True]
    assert claims.take() == Chunk("b", 0, SPAN)
    assert claims.take() is None
    assert claims.fail(Chunk("b", 0, SPAN), for_good=True)


@pytest.mark.requirement("A7")
def test_what_the_journal_says_of_chunks_is_read_back_by_round() -> None:
    states = {0: ChunkState("[1]", done=False, rows=5, readings=9), 1: ChunkState(done=True)}
    records = {
        NAMES.key("hourly", str(n)): NAMES.of_chunk(Chunk("hourly", n, SPAN), state, 2).as_record(7)
        for n, state in states.items()
    }
    assert next(iter(records)) == "little:hourly:backfill:x:0"
    records[NAMES.key("hourly")] = NAMES.standing("hourly").as_record(7)
    assert NAMES.chunks(records, "hourly", 2) == states
    assert NAMES.chunks(records, "hourly", 3) == {}
    assert NAMES.left(records, "hourly") == [NAMES.key("hourly", "0"), NAMES.key("hourly", "1")]
    assert NAMES.owner(records) == "host:1#a"
    assert NAMES.owner({}) is None


def test_a_job_called_by_its_name_is_asked_for_what_it_was() -> None:
    job = Job(REQUEST, 1, 1, done=False, plan=PLAN)
    standing = NAMES.standing("hourly").after(job.as_text(), 0, 0)
    records = {"little:hourly": {"position": ""}, NAMES.key("hourly"): standing.as_record(7)}
    assert asked_before(records, "little", "x") == REQUEST
    with pytest.raises(Configuration, match="no such job"):
        asked_before(records, "little", "y")


def test_pace_and_rest_count_only_what_this_run_did() -> None:
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    progress.begin(PLAN, [ChunkState("", done=True, rows=40, readings=80)])
    progress.start()
    progress.add(Chunk("hourly", 1, SPAN), 20, 40, done=True)
    now[0] = 10.0
    (state,) = progress.states()
    assert (state.rows, state.readings, state.chunks_done) == (60, 120, 2)
    assert (state.rows_per_second, state.eta_seconds) == (2.0, 20.0)
    assert not state.finished
    progress.skip(PLAN, 100, 200)
    assert progress.states()[0].finished
    progress.fail("hourly", "gone")
    assert not progress.states()[0].finished
