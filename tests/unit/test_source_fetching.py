"""Fetching rows: as columns, each asked for once however often it is wanted."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select

from producers.reading.fetching import Rows, fetched, once

OBS = Table("obs", MetaData(), Column("id", Integer), Column("at", String))


@pytest.mark.requirement("A6", "E8")
def test_a_column_that_is_wanted_twice_is_asked_for_once_and_stands_twice() -> None:
    statement = select(OBS.c.id, OBS.c.at, OBS.c.at.label("aos_time"), OBS.c.id.label("aos_id"))
    asked, places = once(statement)
    assert [column.name for column in asked.selected_columns] == ["id", "at"]
    assert places == [0, 1, 1, 0]
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        OBS.create(connection)
        connection.execute(OBS.insert(), [{"id": 1, "at": "a"}, {"id": 2, "at": "b"}])
        rows = fetched(connection, statement.order_by(OBS.c.id))
    assert list(rows) == [(1, "a", "a", 1), (2, "b", "b", 2)]
    engine.dispose()


def test_what_is_made_of_a_column_is_another_one() -> None:
    statement = select(OBS.c.id, (OBS.c.id + 1).label("next"))
    asked, places = once(statement)
    assert asked is statement
    assert places == [0, 1]


def test_no_rows_have_no_columns() -> None:
    assert len(Rows([], [0, 1, 0])) == 0
