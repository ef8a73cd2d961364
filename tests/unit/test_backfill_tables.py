"""A table read by observation time: every row once, whatever its times look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlfluff
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Engine, Unicode, create_engine, text
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.pool import StaticPool

from producers.backfill.connection import Quiet
from producers.backfill.moments import Moments, moments_of
from producers.backfill.plan import Plan
from producers.backfill.request import Request, spans_of
from producers.backfill.selection import Part, chosen
from producers.backfill.table import BackfillTable, open_table
from producers.backfill.text_times import form_of
from producers.connection.dialects import AnyType
from producers.reading.tables import mapped_table
from producers.reading.times import observed
from runtime.errors import Configuration
from schemas.mapping import Mapping
from tests.only_endpoint import endpoints_of
from tests.source_statements import written
from tests.sources import document, mapping

GOLDEN = Path(__file__).parent / "golden"
(NOVEMBER,) = spans_of("2013-11-03", "2013-11-05", None)
FORMS = {
    "iso": ("2013-11-{d:02} {h:02}:{m:02}:00.0000000", "2013-11-{d:02} 24:00:00"),
    "compact": ("201311{d:02}{h:02}{m:02}", "201311{d:02}2400"),
    "slashes": ("2013/11/{d:02}T{h:02}:{m:02}", "2013/11/{d:02}T24:00"),
}


def engine_of(times: Sequence[str | None]) -> Engine:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    with engine.begin() as connection:
        columns = (
            "id INTEGER PRIMARY KEY, station TEXT, at TEXT, ta, ws, wd, flag TEXT, changed TEXT"
        )
        connection.execute(text(f"CREATE TABLE hourly ({columns})"))
        insert = text("INSERT INTO hourly (id, station, at, changed) VALUES (:id, :s, :at, :c)")
        for number, at in enumerate(times):
            changed = "2020-01-01 00:00:00" if number % 3 else None
            row = {"id": number, "s": "AB"[number % 2], "at": at, "c": changed}
            connection.execute(insert, row)
    return engine


def table_of(engine: Engine, request: Request) -> BackfillTable:
    database = Quiet(endpoints_of(engine))
    return open_table(database, mapping(), chosen(mapping(), request)[0], request.stations)


def read(table: BackfillTable, plan: Plan, page_rows: int) -> list[int]:
    """Read all chunks of a plan, and give the keys of the rows in the order they came."""
    found = []
    for chunk in plan.chunks():
        after, ended = "", False
        while not ended:
            page = table.page(chunk.span, after, page_rows)
            found += [int(r.row["source_key"]) for r in page.readings.records["temperature"]]
            after, ended = page.after, not page.after
    return found


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("form", FORMS)
@given(
    rows=st.lists(st.tuples(st.integers(2, 5), st.integers(0, 24), st.integers(0, 1)), max_size=30),
    chunk_rows=st.integers(1, 20),
    page_rows=st.integers(1, 7),
)
def test_chunks_and_pages_give_every_row_of_the_range_once(
    form: str, rows: list[tuple[int, int, int]], chunk_rows: int, page_rows: int
) -> None:
    usual, midnight = FORMS[form]
    times = [
        midnight.format(d=day) if hour == 24 else usual.format(d=day, h=hour, m=30 * half)
        for day, hour, half in rows
    ]
    engine = engine_of([*times, None])
    request = Request((NOVEMBER,))
    table = table_of(engine, request)
    plan = table.plan(request.spans, chunk_rows)
    within = [n for n, at in enumerate(times) if NOVEMBER.start <= local(at) < NOVEMBER.end]
    found = read(table, plan, page_rows)
    assert sorted(found) == within
    assert plan.rows == len(within)
    assert table.undated() == 1
    engine.dispose()


def local(at: str) -> int:
    micros, _ = observed(at)
    assert micros is not None
    return micros


@pytest.mark.requirement("A7")
def test_only_the_stations_and_parameters_that_are_asked_for_are_read() -> None:
    engine = engine_of([f"2013-11-03 {hour:02}:00" for hour in range(10)])
    request = Request((NOVEMBER,), stations=("B",), parameters=("temperature",))
    table = table_of(engine, request)
    page = table.page(NOVEMBER, "", 100)
    assert set(page.readings.records) == {"temperature"}
    assert {r.sensor["station_id"] for r in page.readings.records["temperature"]} == {"B"}
    assert page.rows == 5
    engine.dispose()


def test_a_row_without_a_mark_has_version_0_and_others_the_one_of_the_incremental_reader() -> None:
    engine = engine_of([f"2013-11-03 {hour:02}:00" for hour in range(3)])
    page = table_of(engine, Request((NOVEMBER,))).page(NOVEMBER, "", 100)
    versions = [r.row["source_version"] for r in page.readings.records["wind"]]
    assert versions == [0, local("2020-01-01 00:00"), local("2020-01-01 00:00")]
    engine.dispose()


@pytest.mark.parametrize(
    ("samples", "problem"),
    [(["3.11.2013 01:00"], "does not sort"), (["2013-11-03 01:00", "201311030100"], "several")],
)
def test_text_that_does_not_sort_as_time_is_refused(samples: list[str], problem: str) -> None:
    with pytest.raises(Configuration, match=problem):
        form_of("tm", samples)


def test_a_table_or_parameter_that_is_not_mapped_is_refused_by_name() -> None:
    for wrong in (Request((NOVEMBER,), tables=("daily",)), Request((), parameters=("snow",))):
        with pytest.raises(Configuration, match="no such"):
            chosen(mapping(), wrong)
    with pytest.raises(Configuration, match="holds such"):
        chosen(mapping(), Request((), parameters=("wind",), tables=("minutely",)))


def test_a_long_table_is_asked_for_the_codes_of_the_parameters_alone() -> None:
    ((part),) = chosen(mapping(), Request((), parameters=("temperature",), tables=("minutely",)))
    assert part.codes == ("T",)
    assert chosen(mapping(), Request((), tables=("minutely",)))[0].codes == ()


class SqlServerTable(BackfillTable):
    """The statements for SQL Server, which no database here can be asked to run."""

    def __init__(self, mapped: Mapping, part: Part, types: dict[str, AnyType]) -> None:
        engine = create_engine("sqlite://")
        engine.dialect.name = "mssql"
        super().__init__(Quiet(endpoints_of(engine)), mapped, part, types, ["JFK", "LGA"])


TYPES: dict[str, AnyType] = {
    "id": BigInteger(), "station": mssql.VARCHAR(16), "at": mssql.DATETIME2(precision=7),
    "changed": mssql.DATETIME2(precision=7), "code": Unicode(2),
}  # fmt: skip


@pytest.mark.requirement("A7", "E8")
@pytest.mark.parametrize(
    ("name", "after"),
    [("first", ""), ("next", '["2013-11-03T01:00:00.1234567", "108"]')],
)
@pytest.mark.parametrize("shape", ["wide", "long"])
def test_statements_for_sql_server_are_as_written_down(name: str, after: str, shape: str) -> None:
    request = Request((NOVEMBER,), parameters=("temperature",))
    part = chosen(mapping(), request)[("wide", "long").index(shape)]
    table = SqlServerTable(mapping(), part, TYPES)
    statement = written(table.statement(NOVEMBER, after, 5000))
    assert statement == (GOLDEN / f"backfill_{name}_page_{shape}.sql").read_text(encoding="utf-8")
    assert "OFFSET" not in statement
    assert "NOLOCK" not in statement
    sqlfluff.parse(statement, dialect="tsql")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (mssql.DATETIME2(precision=7), "2013-11-03T00:00:00"),
        (mssql.DATETIMEOFFSET(precision=7), "2013-11-02T15:00:00+00:00"),
        (postgresql.TIMESTAMP(timezone=True), "2013-11-02T15:00:00+00:00"),
    ],
)
def test_a_bound_is_written_in_the_zone_of_its_column(kind: AnyType, expected: str) -> None:
    moments = typed(kind)
    least, _ = moments.between(*NOVEMBER)
    assert expected in least.compile(dialect=mssql.dialect()).params.values()


@pytest.mark.parametrize("night", ["2013-03-10", "2013-11-03"])
@given(minutes=st.lists(st.integers(0, 360), min_size=2, max_size=9))
def test_bounds_stay_in_order_in_the_nights_in_which_the_clocks_change(
    night: str, minutes: list[int]
) -> None:
    moments = typed(mssql.DATETIMEOFFSET(precision=7), zone="America/New_York")
    start = local(f"{night} 00:00")
    times = [start + minute * 60_000_000 for minute in sorted(minutes)]
    bounds = [str(moments.between(t, t)[0].compile(dialect=mssql.dialect()).params) for t in times]
    assert bounds == sorted(bounds)


def typed(kind: AnyType, **time: Any) -> Moments:
    document_ = document()
    document_["tables"][0]["time"] = {"column": "at", "zone": "Asia/Seoul", **time}
    mapped = Mapping.model_validate(document_).tables[0]

    class Connection:
        class dialect:  # noqa: N801
            name = "mssql"

    return moments_of(Connection(), mapped, mapped_table(mapped), {"at": kind})  # type: ignore[arg-type]


def test_seconds_of_an_epoch_are_asked_for_as_numbers() -> None:
    least, most = typed(BigInteger(), zone="UTC", epoch="s").between(*NOVEMBER)
    values = [*least.compile().params.values(), *most.compile().params.values()]
    assert values == [1383436800, 1383609600]
