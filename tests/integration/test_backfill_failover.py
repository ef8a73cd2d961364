"""A backfill whose first endpoint dies in mid-chunk: it goes on at the second, on PostgreSQL."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import make_url

from producers.backfill import dry, job
from producers.backfill.options import Options, Report
from producers.backfill.request import Request, spans_of
from producers.settings import SourceSettings
from runtime.errors import Configuration
from tests.source_runs import Deployment
from tests.source_tables import ROWS, mapping_of_hourly, settings, through
from tests.tcp_proxy import Fault, Proxy

REQUEST = Request(spans_of("2020-01-01", "2020-02-01", None))
OPTIONS = Options(REQUEST, workers=3, chunk_rows=250)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return mapping_of_hourly(tmp_path / "mapping.yaml")


def run(deployment: Deployment, source: SourceSettings) -> Report:
    world = deployment.kafka, deployment.registry, deployment.topics
    return job.run(source, *world, OPTIONS, threading.Event())


@pytest.mark.requirement("A5", "A7")
@pytest.mark.parametrize("fault", ["stall", "cut"])
@pytest.mark.parametrize("after", [30_000, 47_111])
def test_a_backfill_goes_on_at_the_second_endpoint_and_nothing_is_lost_or_doubled(
    deployment: Deployment, filled: str, mapping: Path, fault: Fault, after: int
) -> None:
    port = int(make_url(filled).port or 0)
    with Proxy(port, fault, after) as first, Proxy(port) as second:
        given = settings(through(first, filled), through(second, filled), mapping=mapping)
        report = run(deployment, given.model_copy(update={"page_rows": 60}))
        assert first.faulty
        assert second.passed > 0
    assert report.finished
    assert sum(table.rows for table in report.tables) == ROWS
    for parameter in ("temperature", "wind"):
        found = Counter(record["source_key"] for record in deployment.raw(parameter))
        assert found == {str(n): 1 for n in range(1, ROWS + 1)}


@pytest.mark.requirement("A5", "A7")
def test_a_plan_is_made_at_the_second_endpoint_where_the_first_is_away(
    filled: str, mapping: Path
) -> None:
    port = int(make_url(filled).port or 0)
    with Proxy(port, fault_after=0) as first, Proxy(port) as second:
        planned = dry.plan(
            settings(through(first, filled), through(second, filled), mapping=mapping), OPTIONS
        )
    assert [(table.rows, table.problem) for table in planned.tables] == [(ROWS, "")]


@pytest.mark.requirement("A5", "A7")
def test_a_backfill_reads_no_endpoint_that_is_another_database(
    deployment: Deployment,
    filled: str,
    other: str,
    mapping: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(int(make_url(filled).port or 0)))
        right, wrong = through(proxy, filled), through(proxy, other)
        deployment.run_with(settings(right, mapping=mapping))
        with caplog.at_level(logging.WARNING, "aos.source"):
            report = run(deployment, settings(wrong, right, mapping=mapping))
        assert "is left out" in caplog.text
        assert sum(table.rows for table in report.tables) == ROWS
        with pytest.raises(Configuration, match="identity"):
            run(deployment, settings(wrong, mapping=mapping))
