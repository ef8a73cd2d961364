"""Every statement that SQL Server gets to see of the source, as golden files and as a document.

Run as a program, it writes both anew; tests hold both to the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import ClauseElement, Integer, Select, String, func, select
from sqlalchemy.dialects import mssql

from producers.connection.dialects import AnyType, SqlServer
from producers.connection.server import STATEMENTS
from producers.cursors.choice import cursor_of, cursor_of_nulls
from producers.reading.fetching import once
from producers.reading.rows import columns_of
from producers.reading.tables import mapped_table
from schemas.mapping import AnyTable
from tests import other_statements

GOLDEN: Final = Path(__file__).parent / "unit" / "golden"
DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "source-statements.md"
_DIALECT: Final = mssql.dialect()  # type: ignore[no-untyped-call]
_TIME, _UNTIL = "2020-01-01T00:00:00.1234567", "2020-01-01T00:05:00"
_HEX, _HEX_UNTIL = "0x00000000000007D1", "0x0000000000000BB8"
_KEY: Final = '["JFK", "2020-01-01T00:00:00.1234567"]'
_TYPES: Final[dict[str, AnyType]] = {
    "id": Integer(),
    "changed": mssql.DATETIME2(7),
    "at": mssql.DATETIME2(7),
    "station": String(16, collation="Korean_Wansung_CI_AS"),
    "code": mssql.NVARCHAR(2, collation="Korean_Wansung_CI_AS"),
    "no": Integer(),
}


class Statement(NamedTuple):
    """A statement: how it is called, what it is for, when it is sent, the index it wants."""

    name: str
    sql: str
    purpose: str


class Mode(NamedTuple):
    """The statements of one kind of cursor, and what they ask of the database."""

    title: str
    index: str
    load: str
    statements: tuple[Statement, ...]


def table(cursor: Mapping[str, Any], **changes: Any) -> AnyTable:
    """Map a wide table with that cursor."""
    measures = {"value": {"column": "ta", "unit": "degC"}}
    document = {
        "shape": "wide", "table": "Obs", "db_schema": "dbo", "key": ["id"], "cursor": cursor,
        "station": "station", "time": {"column": "at", "zone": "Asia/Seoul"},
        "readings": [{"parameter": "temperature", "measures": measures}], **changes,
    }  # fmt: skip
    return TypeAdapter[AnyTable](AnyTable).validate_python(document)


def written(statement: ClauseElement) -> str:
    """Write a statement as SQL Server gets it, but with its parameters in their places."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})
    return "\n".join(line.rstrip() for line in f"{compiled};".splitlines()) + "\n"


class _Reader:
    """Gives the statements by which one table is read."""

    def __init__(self, cursor: Mapping[str, Any], *, nulls: bool = False, **changes: Any) -> None:
        mapped = table(cursor, **changes.pop("table", {}))
        types = _TYPES | changes
        self.source = mapped_table(mapped)
        make = cursor_of_nulls if nulls else cursor_of
        made = make(mapped, self.source, "mssql", types)
        if made is None:
            raise AssertionError
        self.cursor: Any = made
        self._columns = [self.source.c[name] for name in columns_of(mapped)]

    def page(self, after: str | None, until: str) -> str:
        page = self.cursor.page(self._columns, after, until, 5000)
        return written(once(page)[0] if isinstance(page, Select) else page)

    def bound(self, held: float = 0.0) -> str:
        return written(self.cursor.bound(held))


def _timestamp_id() -> Mode:
    how = {"column": "changed", "id": "id"}
    exact = _Reader(how)
    old = _Reader(how | {"clock": "local", "lag_seconds": 30}, changed=mssql.DATETIME())
    small = _Reader(how, changed=mssql.SMALLDATETIME())
    text = _Reader({"column": "changed", "id": "code"})
    ranged = {"initial_value": "2013-01-01", "end_value": "2019-01-01", "range_start": "open"}
    doubt = exact.cursor.doubts()[0].rows
    future = written(select(func.count()).select_from(exact.source).where(doubt))
    nulls = _Reader(how | {"null_rows": "by_id"}, nulls=True)
    return Mode(
        "`timestamp_id`: modification time, ties broken by id",
        "`CREATE INDEX … ON dbo.Obs (changed, id)`, best with the mapped columns as `INCLUDE`d "
        "ones. Both columns NOT NULL.",
        "Each page is one range of that index, of at most `source.page_rows` rows.",
        (
            Statement("timestamp_id_bound", exact.bound(), "Bound: the clock, less the lag."),
            Statement("timestamp_id_bound_held", exact.bound(12.0),
                      "Bound while another transaction has been open for eleven seconds."),
            Statement("timestamp_id_bound_local", old.bound(),
                      "Bound for a `datetime` in the server's own wall time, and a longer lag."),
            Statement("timestamp_id_bound_smalldatetime", small.bound(),
                      "Bound for a `smalldatetime`, which rounds: the lag is a minute or more."),
            Statement("timestamp_id_first_page", exact.page(None, _UNTIL), "First page."),
            Statement("timestamp_id_next_page", exact.page(f"{_TIME}|41", _UNTIL), "Next page."),
            Statement("timestamp_id_next_page_datetime", old.page(f"{_TIME[:23]}|41", _UNTIL),
                      "Next page by a `datetime`: the parameter has the column's type, so that it "
                      "is not widened to `datetime2`."),
            Statement("timestamp_id_next_page_text", text.page(f"{_TIME}|TA", _UNTIL),
                      "Next page where the id is text: the parameter has the column's type, whose "
                      "order it is compared in."),
            Statement("timestamp_id_range", _Reader(how | ranged).page(None, _UNTIL),
                      "First page of a range."),
            Statement("timestamp_id_window", written(exact.cursor.window(0.0, 3600.0)),
                      "Where a second look begins (`overlap`)."),
            Statement("timestamp_id_second_look",
                      exact.page(exact.cursor.since("2019-12-31T23:05:00"), _UNTIL),
                      "First page of a second look."),
            Statement("timestamp_id_future", future, "Once, at start: rows from the future."),
            Statement("timestamp_id_nulls_bound", nulls.bound(),
                      "`null_rows: by_id`: bound of the rows without a time."),
            Statement("timestamp_id_nulls_page", nulls.page("41", "99"),
                      "`null_rows: by_id`: next page of the rows without a time."),
        ),
    )  # fmt: skip


def _timestamp() -> Mode:
    reader = _Reader({"mode": "timestamp", "column": "changed"})
    return Mode(
        "`timestamp`: modification time alone",
        "`CREATE INDEX … ON dbo.Obs (changed)`. The column NOT NULL.",
        "Each page is one range of that index; it takes in all rows of its last time, however many "
        "these are. Where that may be millions, use `timestamp_id`.",
        (
            Statement("timestamp_bound", reader.bound(), "Bound: the clock, less the lag."),
            Statement("timestamp_first_page", reader.page(None, _UNTIL), "First page."),
            Statement("timestamp_next_page", reader.page(_TIME, _UNTIL), "Next page."),
        ),
    )


def _id() -> Mode:
    reader = _Reader({"mode": "id", "column": "id"})
    return Mode(
        "`id`: rows that are only added, by an id that rises",
        "The primary key on `id`.",
        "The bound is the last entry of that index; each page is one range of it.",
        (
            Statement("id_bound", reader.bound(),
                      "Highest id by now; it is the bound once it was seen `lag_seconds` ago."),
            Statement("id_first_page", reader.page(None, "99"), "First page."),
            Statement("id_next_page", reader.page("41", "99"), "Next page."),
        ),
    )  # fmt: skip


def _rowversion() -> Mode:
    reader = _Reader({"mode": "rowversion", "column": "rv"})
    return Mode(
        "`rowversion`: SQL Server's own counter of changes",
        "`CREATE UNIQUE INDEX … ON dbo.Obs (rv)`.",
        "Each page is one range of that index. One transaction that stays open anywhere in the "
        "database holds the bound.",
        (
            Statement("rowversion_bound", reader.bound(),
                      "Bound, before the page: the lowest rowversion that an open transaction "
                      "holds."),
            Statement("rowversion_first_page", reader.page(None, _HEX_UNTIL), "First page."),
            Statement("rowversion_next_page", reader.page(_HEX, _HEX_UNTIL), "Next page."),
        ),
    )  # fmt: skip


def _change_tracking() -> Mode:
    how = {"mode": "change_tracking"}
    key = {"key": ["station", "at"]}
    reader = _Reader(how, table=key)
    kept = _Reader(how | {"deletes": "ignore"}, table={"key": ["id"]})
    return Mode(
        "`change_tracking`: net changes and deletes, in the order of their commits",
        "The primary key. `ALTER DATABASE … SET CHANGE_TRACKING = ON`, `ALTER TABLE dbo.Obs ENABLE "
        "CHANGE_TRACKING`, `GRANT VIEW CHANGE TRACKING`, `SET ALLOW_SNAPSHOT_ISOLATION ON`.",
        "Bound and page are one transaction under SNAPSHOT, which waits for nobody and is waited "
        "for by nobody. A page of changes sorts what has changed since its version.",
        (
            Statement("change_tracking_bound", reader.bound(),
                      "Version of the last commit, and the oldest that is remembered; checked "
                      "before each page."),
            Statement("change_tracking_snapshot_first", reader.page(None, "41"),
                      "First page of the table as it is."),
            Statement("change_tracking_snapshot_next",
                      reader.page(f'{{"snapshot": 41, "key": {_KEY}}}', "43"),
                      "Next page of the table as it is."),
            Statement("change_tracking_changes", reader.page('{"version": 41}', "43"),
                      "Changes since a version."),
            Statement("change_tracking_changes_next",
                      reader.page(f'{{"version": 42, "key": {_KEY}}}', "43"),
                      "Next page of changes, within a version."),
            Statement("change_tracking_no_deletes", kept.page('{"version": 41}', "43"),
                      "Changes since a version with `deletes: ignore`."),
        ),
    )  # fmt: skip


def _server() -> Mode:
    sql = {name: f"{known['mssql']};\n" for name, known in STATEMENTS.items()}
    identity = f"{SqlServer().identity()};\n"
    return Mode(
        "The server itself",
        "None.",
        "Views of the system, no table.",
        (
            Statement("server_identity", identity, "Once for each connection: which database."),
            Statement("server_look", sql["look"],
                      "Once for each connection: replica or primary, and what the user may see."),
            Statement("server_oldest", sql["oldest"],
                      "Before each bound of `timestamp_id`, `timestamp`, `id` and `rowversion`, "
                      "where the user has VIEW SERVER STATE: for how long a transaction has been "
                      "open that has written here."),
            Statement("server_redone", sql["redone"],
                      "Instead of it at a readable secondary: how far it is behind."),
            Statement("server_lock_timeout", "SET LOCK_TIMEOUT 10000;\n",
                      "Once for each connection: `source.lock_timeout_seconds`."),
            Statement("server_isolation", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n",
                      "Once for each connection, whatever another user of it left behind."),
            Statement("server_ping", "SELECT 1;\n",
                      "Before a connection that has been idle is used again."),
        ),
    )  # fmt: skip


def modes() -> tuple[Mode, ...]:
    """Give the statements of all kinds of cursors."""
    return (
        _server(), _timestamp_id(), _timestamp(), _id(), _rowversion(), _change_tracking(),
    )  # fmt: skip


def statements() -> dict[str, str]:
    """Give all statements by name."""
    return {each.name: each.sql for mode in modes() for each in mode.statements}


_HEAD: Final = """# What AOS sees of the source

Every statement that the source sends to a SQL Server, with its parameters in their places; they
travel as parameters. This page and the files in `tests/unit/golden/` are written by
`python -m tests.source_statements` from the code that runs, and a test holds them to it.

All statements only read. Each is bounded by `source.query_timeout_seconds` and waits no longer
than `source.lock_timeout_seconds` for a lock; none uses `NOLOCK` or `OFFSET`. For each table
there is one statement at a time:

| When | Statements |
|---|---|
| each poll, where nothing was left to read | the oldest open transaction, a bound, a page |
| behind a page that was full | a page at once (`change_tracking`: a bound and a page) |
| each `overlap.every_seconds`, where it is set | the beginning of the window, and its pages |

A page is at most `source.page_rows` rows, and `WITH TIES` those that share the place of its last
row. Without the index that its mode wants, each page reads and sorts the whole table. What the
load was when it was measured stands in [sources.md](sources.md#the-load-on-the-source).
"""


def document() -> str:
    """Write the page that lists all statements."""
    parts = [_HEAD]
    for mode in modes():
        parts.append(f"\n## {mode.title}\n\n**Index**: {mode.index}\n\n")
        parts.append(f"**Load**: {mode.load}\n")
        parts += [f"\n{each.purpose}\n```sql\n{each.sql}```\n" for each in mode.statements]
    return "".join([*parts, other_statements.document()])


def main() -> None:
    """Write golden files and document anew."""
    for name, sql in statements().items():
        (GOLDEN / f"{name}.sql").write_text(sql, encoding="utf-8")
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
