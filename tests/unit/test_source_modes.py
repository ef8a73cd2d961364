"""What the kinds of cursors say of rows, refuse at start, and remember of what was published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, create_engine
from sqlalchemy.dialects import mssql

from producers.connection.dialects import SqlServer
from producers.connection.server import Server, check_cursor, held
from producers.cursors import ChangeTrackingCursor, IdCursor, Mark, RowversionCursor
from producers.cursors.keys import Key
from producers.cursors.timestamps import TimestampIdCursor
from producers.reading.cursor_checks import check_cursors
from producers.reading.overlap import Chunk, Published, fingerprint
from producers.reading.tables import source_table
from runtime.errors import Configuration
from schemas.cursors import ChangeTracking, Cursor, Id, Rowversion, TimestampId
from tests.sources import document, mapping

TABLE = source_table("Obs", ["changed", "id", "station", "at", "rv"])
ROWVERSION = RowversionCursor(Rowversion(mode="rowversion", column="rv"), TABLE, SqlServer())
KEY = Key(["station", "at"], {"station": String(9), "at": mssql.DATETIME2(7)}, SqlServer())
TRACKING = ChangeTrackingCursor(ChangeTracking(mode="change_tracking"), TABLE, "[Obs]", KEY)


def test_a_cursor_without_a_mode_is_one_by_time_and_id() -> None:
    found: Any = TypeAdapter(Cursor).validate_python({"column": "changed", "id": "id"})
    assert isinstance(found, TimestampId)
    assert found.mode == "timestamp_id"


@pytest.mark.requirement("A6")
@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "cdc"},
        {"mode": "rowversion", "column": "rv", "lag_seconds": 5},
        {"column": "changed", "id": "id", "overlap": {"back_seconds": 0}},
    ],
)
def test_a_cursor_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Any](Cursor).validate_python(wrong)


@pytest.mark.requirement("A6")
def test_a_rowversion_is_carried_as_hex_and_is_the_version_as_a_number() -> None:
    assert ROWVERSION.mark(["0x00000000000007D1"]) == Mark("0x00000000000007D1", 2001, "upsert")


@pytest.mark.requirement("A6")
def test_counters_that_went_back_are_an_error_that_names_the_mend() -> None:
    with pytest.raises(Configuration, match="restored"):
        ROWVERSION.until(["0x00000000000007D0"], "0x00000000000007D1", 0.0)
    by_id = IdCursor(Id(mode="id", column="id"), TABLE, SqlServer(), Integer())
    with pytest.raises(Configuration, match="restored"):
        by_id.until([5], "9", 0.0)


@pytest.mark.requirement("A6")
@pytest.mark.parametrize(
    ("row", "after", "says"),
    [
        ((9, 5), '{"version": 4}', "forgotten.*from version 5"),
        ((9, 5), '{"version": 5, "key": ["A", "x"]}', "forgotten"),
        ((9, None), "", "off, or not to be seen"),
        ((None, None), "", "off, or not to be seen"),
        ((3, 0), '{"version": 4}', "restored"),
        ((9, 5), '{"version": "x"}', "none of a change_tracking cursor"),
        ((9, 5), "2020-01-01|4", "none of a change_tracking cursor"),
    ],
)
def test_changes_that_would_be_missed_are_an_error(row: Any, after: str, says: str) -> None:
    with pytest.raises(Configuration, match=says) as caught:
        TRACKING.until(row, after, 0.0)
    assert caught.value.mend


@pytest.mark.requirement("A6")
def test_change_tracking_goes_from_the_table_to_its_changes_and_never_stays_behind() -> None:
    time = "2020-01-01T00:00:00.1234567"
    row = TRACKING.mark(["snapshot", 7, "I", "JFK", time])
    assert json.loads(row.position) == {"snapshot": 7, "key": ["JFK", time]}
    settled = TRACKING.settled(row.position, "9")
    assert json.loads(settled) == {"version": 7}
    assert json.loads(TRACKING.settled(settled, "12")) == {"version": 12}
    gone = TRACKING.mark(["version", 8, "D", "JFK", time])
    assert (gone.version, gone.op) == (8, "delete")


def test_a_smalldatetime_is_left_a_minute() -> None:
    how = TimestampId(column="changed", id="id")
    assert TimestampIdCursor(how, TABLE, SqlServer(), mssql.SMALLDATETIME()).lag_seconds == 60
    assert TimestampIdCursor(how, TABLE, SqlServer(), mssql.DATETIME()).lag_seconds == 5


class Replica:
    """A readable secondary that is, or is not, to be seen into."""

    def __init__(self, behind: int | None, *, sees: bool) -> None:
        self.info = {"aos_server": Server("mssql", replica=True, sees=sees)}
        self._behind = behind

    def execute(self, _statement: object) -> Any:
        return self

    def scalar(self) -> int | None:
        return self._behind


class Primary(Replica):
    """A primary with a transaction that has been open for so many seconds."""

    def __init__(self, oldest: int | None) -> None:
        super().__init__(oldest, sees=True)
        self.info = {"aos_server": Server("mssql", sees=True)}


@pytest.mark.requirement("A6", "D5")
def test_an_open_transaction_is_overdue_once_the_cursor_waits_no_longer() -> None:
    how = TimestampId(column="changed", id="id", lag_seconds=5, wait_seconds=60)
    found = [held(cast("Any", Primary(seconds)), how) for seconds in (None, 20, 65, 66)]
    assert [each.seconds for each in found] == [0, 21, 60, 60]
    assert [bool(each.overdue) for each in found] == [False, False, False, True]


@pytest.mark.requirement("A6", "D5")
def test_a_transaction_that_holds_a_rowversion_back_is_seen_and_overdue_in_time() -> None:
    how = Rowversion(mode="rowversion", column="rv", wait_seconds=60)
    found = [held(cast("Any", Primary(seconds)), how) for seconds in (None, 60, 61)]
    assert [(each.seconds, each.oldest) for each in found] == [(0, None), (0, 60), (0, 61)]
    assert ["until it ends" in each.overdue for each in found] == [False, False, True]


@pytest.mark.requirement("A6")
def test_a_replica_holds_the_bound_back_by_what_it_is_behind_or_is_refused() -> None:
    how = TimestampId(column="changed", id="id")
    seen: Any = Replica(7, sees=True)
    assert held(seen, how).seconds == 8
    for behind, sees in [(None, True), (7, False)]:
        hidden: Any = Replica(behind, sees=sees)
        with pytest.raises(Configuration, match="secondary"):
            held(hidden, how)
        vouched = how.model_copy(update={"secondary_lag_seconds": 90.0})
        assert held(hidden, vouched).seconds == 90


@pytest.mark.requirement("A6")
@pytest.mark.parametrize(
    ("cursor", "server", "says"),
    [
        ({"mode": "rowversion", "column": "rv"}, Server("postgresql"), "for SQL Server"),
        ({"mode": "rowversion", "column": "rv"}, Server("mssql", replica=True), "secondary"),
        ({"mode": "change_tracking"}, Server("mssql", replica=True), "secondary"),
        ({"mode": "change_tracking"}, Server("mssql", snapshot=False), "snapshots"),
    ],
)
def test_a_cursor_that_a_server_does_not_offer_is_refused(
    cursor: dict[str, Any], server: Server, says: str
) -> None:
    wide, _ = document()["tables"]
    (table,) = mapping(tables=[{**wide, "cursor": cursor}]).tables
    with pytest.raises(Configuration, match=says):
        check_cursor(server, table)


def little(tmp_path: Path, key: list[str], *, nullable: bool = False) -> Connection:
    engine = create_engine(f"sqlite:///{tmp_path}/little.db")
    names = ["id", "station", "at", "ta", "changed"]
    columns = [
        Column(name, String, primary_key=name in key, nullable=nullable and name not in key)
        for name in names
    ]
    metadata = MetaData()
    Table("hourly", metadata, *columns)
    metadata.create_all(engine)
    return engine.connect()


def checked(connection: Connection, **changes: Any) -> None:
    wide, _ = document()["tables"]
    readings = [each for each in wide["readings"] if each["parameter"] == "temperature"]
    table = {**wide, "readings": readings, "flag": None, **changes}
    # A server that offers everything: what is asked of SQLite is only what its tables are like.
    connection.info["aos_server"] = Server("mssql")
    try:
        check_cursors(connection, mapping(tables=[table]))
    finally:
        connection.close()
        connection.engine.dispose()


@pytest.mark.requirement("A6")
def test_a_cursor_column_that_may_be_null_is_refused_with_the_choice(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match=r"changed may be NULL.*null_rows: by_id"):
        checked(little(tmp_path, ["id"], nullable=True))
    by_id = {"column": "changed", "id": "id", "null_rows": "by_id"}
    checked(little(tmp_path, ["id"], nullable=True), cursor=by_id)


@pytest.mark.requirement("A6")
def test_of_a_view_whose_columns_may_be_null_the_table_behind_it_is_named(tmp_path: Path) -> None:
    connection = little(tmp_path, ["id"])
    connection.exec_driver_sql("CREATE VIEW seen AS SELECT * FROM hourly")
    with pytest.raises(Configuration, match="map the table behind this view"):
        checked(connection, table="seen")


@pytest.mark.requirement("A6")
def test_deletes_need_a_primary_key_that_names_the_reading(tmp_path: Path) -> None:
    tracking = {"mode": "change_tracking"}
    with pytest.raises(Configuration, match="deleted row only id is known, not station, at"):
        checked(little(tmp_path, ["id"]), cursor=tracking)
    checked(little(tmp_path, ["id"]), cursor={**tracking, "deletes": "ignore"})


@pytest.mark.requirement("A6")
def test_change_tracking_wants_the_primary_key_under_key(tmp_path: Path) -> None:
    tracking = {"mode": "change_tracking"}
    with pytest.raises(Configuration, match="tells station, at of a row"):
        checked(little(tmp_path, ["station", "at"]), cursor=tracking)
    checked(little(tmp_path, ["station", "at"]), cursor=tracking, key=["station", "at"])


PAGES = st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=8)


@pytest.mark.requirement("A6")
@given(pages=PAGES, back=st.integers(1, 30))
def test_a_memory_that_is_written_and_recalled_tells_the_same_rows_as_known(
    pages: list[list[int]], back: int
) -> None:
    memory = Published(back)
    memory.recall([], None)
    topic: dict[int, bytes] = {}
    published: set[int] = set()
    for until, versions in enumerate(pages, start=10):
        told = {v: fingerprint(str(v), [v]) for v in versions}
        new = {v: each for v, each in told.items() if each not in memory and v not in published}
        published |= set(new)
        memory.note(new.items(), until)
        if memory.pending is not None:
            topic[memory.pending.number] = memory.pending.as_bytes()
        for number in memory.outdated:
            del topic[number]
        memory.settle()
    again = Published(back)
    again.recall([Chunk.of(number, data) for number, data in topic.items()], None)
    for version in range(41):
        each = fingerprint(str(version), [version])
        assert (each in again) == (each in memory)
        if version >= memory.since and topic:
            assert (each in again) == (version in published)


def test_a_memory_that_begins_late_calls_nothing_new_that_was_read_before() -> None:
    memory = Published(back=1000)
    memory.recall([], read_to=500)
    assert memory.since == 501


def test_a_page_that_was_not_published_is_not_remembered() -> None:
    memory = Published(back=1000)
    each = fingerprint("1", [1])
    memory.note([(1, each)], until=2)
    assert each not in memory
    memory.recall([], None)
    memory.settle()
    assert each not in memory
