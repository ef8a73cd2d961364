"""Cursors that are broken in one place each, as they have been in other systems."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from producers.reading.feed import TableFeed
from producers.reading.fetching import fetched

Breakage = Callable[[TableFeed], None]
_BEYOND = {
    "timestamp_id": "2999-01-01T00:00:00.0000000",
    "timestamp": "2999-01-01T00:00:00.0000000",
    "id": "999999",
    "rowversion": "0x0FFFFFFFFFFFFFFF",
}


def no_bound(feed: TableFeed) -> None:
    """Read whatever is committed."""
    cursor: Any = feed.cursor
    cursor.until = lambda _row, _after, _held: _BEYOND[cursor.mode]


def no_tie_break(feed: TableFeed) -> None:
    """End a page within rows of one place, and go on behind that place."""
    cursor: Any = feed.cursor
    whole, mark = cursor.page, cursor.mark

    def page(columns: Any, after: str | None, until: str, rows: int) -> Any:
        if cursor.mode == "timestamp_id" and after:
            time, _, _ = after.partition("|")
            after = f"{time}|{10**9}"
        statement = whole(columns, after, until, rows)
        if statement._fetch_clause is None:
            return statement
        statement = statement._generate()
        statement._fetch_clause = None
        return statement.limit(rows)

    def placeless(tail: Any) -> Any:
        found = mark(tail)
        if cursor.mode != "change_tracking" or "version" not in json.loads(found.position):
            return found
        return found._replace(position=json.dumps({"version": found.version}))

    cursor.page, cursor.mark = page, placeless


def after_page(feed: TableFeed) -> None:
    """Ask for the bound behind the page, and leave out what lies beyond it."""
    cursor: Any = feed.cursor
    increment = feed._increment

    def backwards(connection: Any, after: str) -> Any:
        statement = cursor.page(feed._columns, after or None, _BEYOND[cursor.mode], 10**6)
        rows = fetched(connection, statement)
        found = increment(connection, after)
        if found.until is None:
            return found
        width = len(feed._columns)
        before = [row for row in rows if _is_before(cursor, row[width:], found.until)]
        return found._replace(rows=before[: feed._page_rows])

    feed._increment = backwards  # type: ignore[method-assign]


def _is_before(cursor: Any, tail: Any, until: str) -> bool:
    if cursor.mode == "id":
        return int(tail[0]) <= int(until)
    return str(tail[0]) < until
