"""Increments by modification time and id: nothing lost, nothing twice, however the pages fall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Engine,
    FromClause,
    Uuid,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.pool import StaticPool

from producers.connection.dialects import AnyType, Dialect, Sqlite
from producers.cursors import Mark, TimestampIdCursor
from producers.reading.tables import source_table
from runtime.errors import Configuration, DataQuality
from schemas.cursors import TimestampId

TIMES = [f"2020-01-01 00:00:0{n}.000000" for n in range(4)]
END = "2020-01-02 00:00:00"


TABLE = source_table("Obs", ["changed", "id"])


def cursor(
    table: FromClause = TABLE,
    dialect: Dialect | None = None,
    time_type: AnyType | None = None,
    id_type: AnyType | None = None,
    **changes: object,
) -> TimestampIdCursor:
    how = TimestampId.model_validate({"column": "changed", "id": "id", **changes})
    return TimestampIdCursor(how, table, dialect or Sqlite(), time_type, id_type)


def database(times: list[str | None]) -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        connection.execute(text('CREATE TABLE "Obs" (id INTEGER PRIMARY KEY, changed TEXT)'))
        for number, time in enumerate(times):
            insert = text('INSERT INTO "Obs" (id, changed) VALUES (:id, :changed)')
            connection.execute(insert, {"id": number, "changed": time})
    return engine


def read_all(engine: Engine, reader: TimestampIdCursor, page: int, until: str = END) -> list[int]:
    found: list[int] = []
    position: str | None = None
    with engine.connect() as connection:
        while rows := connection.execute(reader.page([], position, until, page)).all():
            found += [row[1] for row in rows]
            position = reader.mark(rows[-1]).position
    return found


@pytest.mark.requirement("A6")
@given(times=st.lists(st.sampled_from(TIMES), max_size=25), page=st.integers(1, 6))
def test_pages_that_end_within_a_tie_lose_and_double_no_row(times: list[str], page: int) -> None:
    engine = database(list(times))
    expected = sorted(range(len(times)), key=lambda number: (times[number], number))
    assert read_all(engine, cursor(), page) == expected
    engine.dispose()


@pytest.mark.requirement("A6")
def test_a_row_at_the_bound_is_left_for_the_next_look() -> None:
    engine = database([TIMES[0], TIMES[2], TIMES[2], TIMES[3]])
    assert read_all(engine, cursor(), 10, until=TIMES[2]) == [0]
    engine.dispose()


def test_the_bound_lies_the_lag_behind_the_clock_of_the_database() -> None:
    engine = database([])
    with engine.connect() as connection:
        late = connection.execute(cursor(lag_seconds=3600).bound()).scalar_one()
        early = connection.execute(cursor(lag_seconds=0).bound()).scalar_one()
    engine.dispose()
    assert 3595 <= cursor().behind(f"{late}|1", early) <= 3605


def test_rows_of_the_future_are_doubtful() -> None:
    engine = database([TIMES[0], "2999-01-01 00:00:00"])
    with engine.connect() as connection:
        doubtful = [
            connection.scalar(select(func.count()).select_from(TABLE).where(doubt.rows))
            for doubt in cursor().doubts()
        ]
    engine.dispose()
    assert doubtful == [1]


def test_a_position_keeps_the_seventh_digit_and_the_version_the_sixth() -> None:
    mark = cursor().mark(["2020-01-01T00:00:00.1234567", 9])
    assert mark == Mark("2020-01-01T00:00:00.1234567|9", 1_577_836_800_123_456, "upsert")


@pytest.mark.parametrize(
    "position", ["", "2020-01-01 00:00:00", "yesterday|4", "2020-01-01 00:00|x"]
)
def test_a_position_that_is_none_is_refused_before_it_is_sent(position: str) -> None:
    with pytest.raises(Configuration, match="position"):
        cursor().page([], position, END, 1)


def test_an_id_that_is_no_number_stays_text() -> None:
    statement = cursor(id_type=Uuid()).page([], f"{TIMES[0]}|6f9619ff", END, 1)
    assert "6f9619ff" in statement.compile().params.values()


def test_a_modification_time_that_is_none_stops_the_table_not_the_reader() -> None:
    with pytest.raises(DataQuality, match="is no time"):
        cursor().mark(["soon", 1])
