"""The statements of a backfill on a native PostgreSQL: types of time, keys and stations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from producers.backfill.connection import Quiet
from producers.backfill.request import Request, spans_of
from producers.backfill.selection import chosen
from producers.backfill.table import open_table
from schemas.mapping import Mapping
from tests.only_endpoint import endpoints_of
from tests.sources import document

(SPAN,) = spans_of("2013-11-03", "2013-11-05", None)


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    made = create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made.dispose()


def fill(engine: Engine, kind: str, station: str) -> None:
    """Write a row for every half hour of five days, by the clock of Seoul."""
    columns = f"id bigint, station {station}, at {kind}, ta float8, ws float8, wd float8, flag text"
    create = f"CREATE TABLE hourly ({columns}, changed timestamp, PRIMARY KEY (station, at, id))"
    at = f"(timestamp '2013-11-01' + n * interval '30 minutes')::{kind}"
    values = f"n, (n % 2)::text::{station}, {at}, n, 1, 2, NULL, now()"
    insert = f"INSERT INTO hourly SELECT {values} FROM generate_series(0, 239) AS n"  # noqa: S608
    with engine.begin() as connection:
        for statement in ("SET timezone TO 'Asia/Seoul'", create, insert):
            connection.execute(text(statement))


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("kind", ["timestamp", "timestamp(0)", "timestamptz", "date", "text"])
@pytest.mark.parametrize("station", ["bigint", "varchar(16)", "char(8)"])
def test_a_range_is_read_whatever_type_its_columns_have(
    engine: Engine, kind: str, station: str
) -> None:
    fill(engine, kind, station)
    told = document()
    told["tables"] = [{**told["tables"][0], "key": ["station", "at", "id"]}]
    mapping = Mapping.model_validate(told)
    request = Request((SPAN,), stations=("1",))
    table = open_table(
        Quiet(endpoints_of(engine)), mapping, chosen(mapping, request)[0], request.stations
    )
    plan = table.plan(request.spans, 10)
    found = []
    for chunk in plan.chunks():
        after, ended = "", False
        while not ended:
            page = table.page(chunk.span, after, 4)
            found += [int(r.row["source_key"].split("|")[2]) for r in page.readings.records["wind"]]
            after, ended = page.after, not page.after
    assert found == sorted(found)
    assert found == [n for n in range(96, 192) if n % 2]
    assert plan.rows == len(found)
    assert len(plan.chunks()) > 1
