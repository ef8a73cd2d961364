"""The statements of a backfill find their rows by the index that they want, on the sample."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from devstack.sample import MAPPING
from devstack.sample.database import build
from producers.backfill.connection import Quiet
from producers.backfill.request import Request, spans_of
from producers.backfill.selection import chosen
from producers.backfill.table import open_table
from producers.connection.database import open_engine
from producers.settings import SourceSettings
from schemas.mapping import Mapping, read_mapping
from tests.only_endpoint import endpoints_of
from tests.recorded_statements import Sent, recorded

pytestmark = pytest.mark.requirement("A7", "E8")
SPANS = spans_of("2013-03-01", "2018-11-01", None)


@pytest.fixture(scope="module")
def aos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build(path := tmp_path_factory.mktemp("sample") / "aos.db")
    return path


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return read_mapping(MAPPING)


def statements(aos: Path, mapping: Mapping, request: Request) -> Iterator[tuple[str, list[Sent]]]:
    """Give what is sent to survey a table and to read two pages of it, by table."""
    engine = open_engine(SourceSettings(url=f"sqlite:///{aos}", mapping=MAPPING))
    try:
        for part in chosen(mapping, request):
            table = open_table(Quiet(endpoints_of(engine)), mapping, part, request.stations)
            with recorded() as sent:
                plan = table.plan(request.spans, 1000)
                span = plan.chunks()[0].span
                first = table.page(span, "", 10)
                table.page(span, first.after, 10)
            assert first.after
            yield part.table.table, sent
    finally:
        engine.dispose()


def plan_of(aos: Path, sent: Sent) -> str:
    with closing(sqlite3.connect(aos)) as database:
        asked = database.execute(f"EXPLAIN QUERY PLAN {sent.sql}", sent.parameters)
        return "; ".join(str(row[3]) for row in asked)


def test_history_is_found_by_time_and_comes_in_the_order_of_the_index(
    aos: Path, mapping: Mapping
) -> None:
    for name, sent in statements(aos, mapping, Request(SPANS)):
        plans = [plan_of(aos, each) for each in sent]
        assert len(plans) == 3
        for plan in plans:
            assert (
                f"SEARCH aos USING {'COVERING ' * ('COVERING' in plan)}INDEX ix_{name}_time" in plan
            )
            assert "TEMP B-TREE" not in plan


def test_the_history_of_one_station_is_found_without_reading_that_of_others(
    aos: Path, mapping: Mapping
) -> None:
    request = Request(SPANS, stations=("JFK",), tables=("weather_hourly",))
    ((_, sent),) = statements(aos, mapping, request)
    for each in sent:
        plan = plan_of(aos, each)
        assert "SEARCH aos" in plan
        assert "SCAN" not in plan
