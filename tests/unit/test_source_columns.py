"""A page read by columns holds what it holds read row by row, whatever stands in it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.connection.dialects import dialect_of
from producers.cursors import TimestampIdCursor
from producers.publishing.encoding import ReadingEncoder
from producers.reading.rows import RowReader, columns_of
from producers.reading.tables import mapped_table
from tests.sources import AT, CHANGED, hourly, mapping, minutely

TIMES = st.one_of(
    st.just(AT),
    st.just("2020-02-30 01:00:00"),
    st.just("2020-01-01 24:00"),
    st.just("0000-01-01 01:00:00"),
    st.datetimes().map(str),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.none(),
    st.text(max_size=5),
)
VALUES = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(2**40), 2**40),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999, max_value=999),
    st.none(),
    st.text(max_size=4),
)
HOURLY = st.builds(hourly, st.integers(1, 99), at=TIMES, ta=VALUES, ws=VALUES, wd=VALUES)
MINUTELY = st.builds(
    minutely,
    st.integers(1, 99),
    at=TIMES,
    v=VALUES,
    code=st.sampled_from(["T", "H", "??", "T "]),
    no=st.sampled_from([1, 2, None, "roof"]),
    station=st.sampled_from(["B", "C ", 7]),
)


def reader(number: int) -> tuple[RowReader, list[str]]:
    mapped = mapping()
    table = mapped.tables[number]
    cursor = TimestampIdCursor(table.cursor, mapped_table(table), dialect_of("sqlite"))
    return RowReader(mapped, table, cursor), columns_of(table)


def as_rows(names: list[str], rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(*[row[name] for name in names], CHANGED, row["id"]) for row in rows]


@pytest.mark.requirement("B5")
@pytest.mark.parametrize(("number", "kind"), [(0, HOURLY), (1, MINUTELY)])
@given(data=st.data())
def test_columns_say_what_rows_say(number: int, kind: Any, data: st.DataObject) -> None:
    read, names = reader(number)
    rows = as_rows(names, data.draw(st.lists(kind, max_size=6)))
    by_columns, by_rows = read.readings(rows, 7), read.one_by_one(rows, 7)
    wanted = {p: [r.as_record() for r in found] for p, found in by_rows.records.items() if found}
    assert {
        parameter: [reading.as_record() for reading in found]
        for parameter, found in by_columns.records.items()
        if found
    } == wanted
    assert (by_columns.unmapped, by_columns.count) == (by_rows.unmapped, by_rows.count)
    for parameter in wanted:
        encode = ReadingEncoder("raw_wind" if parameter == "wind" else "raw_reading", 7).messages
        columns, rows = by_columns.records[parameter], by_rows.records[parameter]
        assert encode(columns).pairs() == encode(rows).pairs()


def test_a_slice_of_columns_is_a_list_of_readings() -> None:
    read, names = reader(1)
    found = read.readings(as_rows(names, [minutely(1), minutely(2, v=Decimal("1.5"))]), 7)
    readings = found.records["temperature"]
    assert [r.measures["value"] for r in readings[:]] == [7.0, 1.5]
    assert readings[-1].row["source_key"] == "2"


def test_plain_times_are_read_alike_whether_text_or_not() -> None:
    read, names = reader(1)
    moment = datetime.fromisoformat(AT)
    one, other = (
        read.readings(as_rows(names, [minutely(1, at=at)]), 7).records["temperature"][0]
        for at in (AT, moment)
    )
    assert one == other
