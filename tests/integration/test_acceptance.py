"""The queries that the documents promise run as they stand there, and give what they promise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sink.database import Connection
from tests.table_rows import put, reading, scratch

DATA = Path(__file__).parents[2] / "docs" / "data.md"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)

pytestmark = [pytest.mark.requirement("E5"), pytest.mark.backend("embedded TimescaleDB")]


def queries() -> list[tuple[str, str]]:
    """Give what stands in the blocks of SQL: the promise of each query, and the query."""
    blocks = re.findall(r"```sql\n(.*?)```", DATA.read_text(encoding="utf-8"), re.DOTALL)
    found = (part.strip() for block in blocks for part in re.split(r"\n(?=--)", block))
    return [(part.partition("\n")[0].strip("- "), part.partition("\n")[2]) for part in found]


QUERIES = queries()


@pytest.fixture(scope="module")
def tables(stack: Any) -> Iterator[Connection]:
    """Give tables with three hours by the minute, a bad reading, and the wind of the last query."""
    with scratch(stack.database_url) as connection:
        start = NOW.replace(minute=0) - timedelta(hours=3)
        times = [start + timedelta(minutes=n) for n in range(1, 181)]
        good = {"flag": 1, "value": 20.0, "extracted_at": 0}
        records = [reading("temperature", "S", f"{at:%Y-%m-%d %H:%M}", **good) for at in times]
        records[70] |= {"flag": 3}
        wind = reading(
            "wind", "EWR", "2013-02-12 08:00", source_key="1234", ruleset_version="default-4"
        )
        put(connection, *records, wind)
        connection.execute("CALL ops.learn_cadence()")
        yield connection


def ask(tables: Connection, promise: str) -> list[dict[str, Any]]:
    (query,) = [query for told, query in QUERIES if promise in told]
    answer = tables.execute(query.rstrip(";").encode())
    names = [column.name for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer]


def test_every_query_says_what_it_promises() -> None:
    assert len(QUERIES) >= 4
    assert all(promise and query for promise, query in QUERIES)


@pytest.mark.parametrize("promise", [promise for promise, _ in QUERIES])
def test_a_query_of_the_documents_runs(tables: Connection, promise: str) -> None:
    ask(tables, promise)


def test_hours_tell_how_much_of_them_was_there(tables: Connection) -> None:
    found = [row for row in ask(tables, "hourly means") if row["station_id"] == "S"]
    assert [row["value_mean"] for row in found] == [20.0] * 3
    assert [int(row["percent"]) for row in found] == [100] * 3


def test_flagged_readings_are_counted_by_day(tables: Connection) -> None:
    found = [row for row in ask(tables, "flagged") if row["sensor_id"] == "S:temperature"]
    assert sum(row["suspect"] for row in found) == 1


def test_the_newest_of_each_sensor_comes_with_its_age(tables: Connection) -> None:
    (found,) = [row for row in ask(tables, "right now") if row["station_id"] == "S"]
    assert (found["measure"], found["value"]) == ("temperature", 20.0)
    assert found["age"] < timedelta(hours=2)


def test_a_value_names_where_it_came_from(tables: Connection) -> None:
    (found,) = ask(tables, "come from")
    assert (found["source_key"], found["ruleset_version"]) == ("1234", "default-4")
    assert found["raw_topic"]
