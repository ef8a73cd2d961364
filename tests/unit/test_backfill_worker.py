"""One worker: what Kafka says is published counts, whatever went wrong on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from producers.backfill.claims import Claims
from producers.backfill.journal import ChunkState, Job, Names
from producers.backfill.plan import Chunk, Found, Plan, cut
from producers.backfill.progress import Progress
from producers.backfill.request import Request, Span
from producers.backfill.table import Page
from producers.backfill.turnstile import Turnstile
from producers.backfill.worker import Shared, Worker
from producers.reading.rows import Readings
from runtime.errors import AosError, Configuration, Fenced, System, Transient

SPAN = Span(0, 3 * 3_600_000_000)
PLAN = Plan("hourly", 6, (cut(SPAN, Found(6, 0, SPAN.end - 1), 2),))
NAMES = Names("little", "x", "sqlite:aos", "ours")
PAGES = 3


class Kafka:
    """Remembers what is committed; ``fails`` come one for each transaction, before or after it."""

    def __init__(self, *fails: AosError | None, committed: bool = False) -> None:
        self.pages: list[tuple[str, str]] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.owner = "ours"
        self.taken_over = 0
        self._fails = list(fails)
        self._committed = committed

    def publish(self, batches: list[Any]) -> None:
        fail = self._fails.pop(0) if self._fails else None
        if fail is None or self._committed:
            (record,) = batches[-1]
            key = f"{record['source']}:{record['table']}"
            self.records[key] = record
            self.pages.append((key, record["position"]))
        if fail is not None:
            raise fail

    def connect(self) -> Any:
        self.taken_over += 1
        return self

    def read(self) -> dict[str, dict[str, Any]]:
        plan = NAMES.standing("hourly").as_record(0) | {"instance": self.owner}
        return {**self.records, NAMES.key("hourly"): plan}

    def close(self) -> None:
        pass


class Messages:
    def readings(self, records: Any) -> list[Any]:
        return []

    def cursors(self, records: Any) -> list[Any]:
        return list(records)


class Table:
    """Gives each chunk in three pages of one row; ``broken`` are raised first."""

    def __init__(self, *broken: AosError) -> None:
        self._broken = list(broken)

    def page(self, span: Span, after: str, rows: int) -> Page:
        if self._broken:
            raise self._broken.pop(0)
        number = int(after or 0) + 1
        return Page(Readings(), 1, "" if number == PAGES else str(number))


def worker_of(
    kafka: Kafka, table: Table, waits: Callable[[float], bool] = lambda _seconds: False
) -> tuple[Worker, Shared]:
    halt = threading.Event()
    halt.wait = lambda timeout=None: waits(timeout or 0)  # type: ignore[method-assign]
    job = Job(Request((SPAN,)), 1, 1, done=False, plan=PLAN)
    progress = Progress()
    progress.begin(PLAN, [])
    anything: Any = table
    shared = Shared(
        NAMES, {"hourly": job}, {"hourly": anything}, {}, Claims([PLAN.chunks()]),
        progress, Turnstile(100), halt, kafka.read,
    )  # fmt: skip
    messages: Any = Messages()
    publisher: Any = kafka
    return Worker(0, shared, messages, publisher, kafka.connect), shared


def test_every_page_is_published_once_in_order() -> None:
    worker, shared = worker_of(kafka := Kafka(), Table())
    worker.run()
    chunks = len(PLAN.chunks())
    assert len(kafka.pages) == len(set(kafka.pages)) == PAGES * chunks
    (state,) = shared.progress.states()
    assert (state.rows, state.chunks_done, state.finished) == (PAGES * chunks, chunks, True)


@pytest.mark.requirement("A7", "D3")
@pytest.mark.parametrize("fail", [Transient("away"), System("full"), Fenced("lasted too long")])
@pytest.mark.parametrize("committed", [True, False])
def test_a_page_of_which_nobody_knows_is_asked_of_kafka(fail: AosError, committed: bool) -> None:
    kafka = Kafka(None, fail, committed=committed)
    worker, shared = worker_of(kafka, Table())
    worker.run()
    assert kafka.taken_over == 1
    assert len(kafka.pages) == len(set(kafka.pages)) == PAGES * len(PLAN.chunks())
    assert shared.progress.states()[0].rows == PAGES * len(PLAN.chunks())
    assert shared.progress.states()[0].finished


@pytest.mark.requirement("A7")
def test_a_worker_whose_job_is_anothers_by_now_stops_and_says_whose() -> None:
    kafka = Kafka(Fenced("refused"))
    kafka.owner = "theirs"
    worker, _ = worker_of(kafka, Table())
    with pytest.raises(Fenced, match="theirs has taken up backfill x from ours"):
        worker.run()
    assert kafka.taken_over == 0


@pytest.mark.requirement("A8", "D3")
def test_a_chunk_that_fails_for_a_while_is_left_and_the_next_one_is_done() -> None:
    worker, shared = worker_of(kafka := Kafka(), Table(*(Transient("busy") for _ in range(5))))
    worker.run()
    (state,) = shared.progress.states()
    assert state.errors == ("chunk 0: busy",)
    assert state.chunks_done == state.chunks - 1 > 0
    assert not state.finished
    assert len(kafka.pages) == PAGES * state.chunks_done


@pytest.mark.requirement("A8", "D3")
def test_a_table_that_is_not_as_mapped_is_left_at_once() -> None:
    worker, shared = worker_of(kafka := Kafka(), Table(Configuration("no such column")))
    worker.run()
    assert kafka.pages == []
    assert shared.progress.states()[0].errors == ("chunk 0: no such column",)


def test_a_worker_that_is_told_to_halt_ends_after_its_page() -> None:
    kafka = Kafka()
    worker, shared = worker_of(kafka, Table())
    shared.turnstile.give_back = lambda _rows: shared.halt.set()  # type: ignore[method-assign]
    worker.run()
    assert len(kafka.pages) == 1
    assert shared.states == {Chunk("hourly", 0, PLAN.chunks()[0].span): ChunkState("1", rows=1)}
