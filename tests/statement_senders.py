"""Which functions of ours send statements, when, and what index each wants.

A run on any database is held to this list: whoever sends a statement and is not on it, is news.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine, event

_NONE: Final = "none: views of the system"
_CURSOR: Final = "that of the cursor, above"
_HISTORY: Final = "(time of observation, key); for some stations (station, time of observation)"

SENDERS: Final[dict[str, tuple[str, str]]] = {
    "connection.database.reading": (
        "with a new connection, in SQLAlchemy's words; `SELECT 1` before one is used again", _NONE),
    "connection.database._bounded_waits": ("with a new connection: LOCK_TIMEOUT", _NONE),
    "connection.database.identity_of": ("with a new connection: which database it is", _NONE),
    "connection.endpoint.Endpoint._work": (
        "before work under SNAPSHOT, and behind it: the isolation", _NONE),
    "connection.server._look": ("once a connection: what the server is", _NONE),
    "connection.server._seconds": (
        "before each bound by time, id or rowversion: the oldest open transaction", _NONE),
    "reading.tables._check_columns": (
        "at start, once a table that the mapping names: is it there, and its columns", _NONE),
    "reading.tables._check_via": (
        "at start, where a table is read `via` another: is the key unique there",
        "a unique one on the key; without it the other table is read and sorted whole, once"),
    "reading.cursor_checks._nullable": (
        "at start, once a table: which columns may be NULL", _NONE),
    "reading.cursor_checks._key": ("at start, once a table: its primary key", _NONE),
    "reading.feed.TableFeed._warn": (
        "at start, once a table: how many rows the cursor reads late or never", _CURSOR),
    "reading.feed.TableFeed._increment": ("each poll: the bound", _CURSOR),
    "reading.fetching.fetched": ("each poll behind its bound: a page", _CURSOR),
    "reading.second_look.SecondLook._start": (
        "each `overlap.every_seconds`: where the window begins", _NONE),
    "sensors.metadata_tables._rows": (
        "each `source.metadata_seconds`, and with each backfill: stations, sensors, calibrations",
        "none: these tables are small, and read whole"),
    "backfill.connection._give_way": (
        "with a new connection of a backfill (`APP=aos-backfill`): its priority", _NONE),
    "backfill.moments._writer": (
        "once a table whose times are text or numbers: a few of them", "none: the first that come"),
    "backfill.table.BackfillTable._survey": ("once a table: how much there is", _HISTORY),
    "backfill.table.BackfillTable.undated": (
        "once a table: how many rows have no time", _HISTORY),
    "backfill.table.BackfillTable.page": ("each page of a chunk", _HISTORY),
    "inspect.database._schemas": ("`aos inspect`, once: the schemas", _NONE),
    "inspect.catalogue.Reader.names": ("`aos inspect`, once a schema: tables and views", _NONE),
    "inspect.catalogue.Reader.fill": (
        "`aos inspect`, once a table: columns, keys, indexes, constraints, comments", _NONE),
    "inspect.database._estimate": ("`aos inspect`, once a table: about how many rows", _NONE),
    "inspect.database._count": (
        "`aos inspect`, once a table of less than a million rows by estimate: how many",
        "any; a narrow one is quicker"),
    "inspect.database._sample": (
        "`aos inspect`, once a table: its newest rows, `--rows` at most",
        "the primary key, or one that begins with a time; else nothing is sorted"),
}  # fmt: skip
"""By module and name: when it sends, and which index it wants."""


def sender() -> str:
    """Name the function of ours that is sending a statement."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.startswith("producers."):
            name = frame.f_code.co_qualname.partition(".<locals>")[0]
            return f"{module.removeprefix('producers.')}.{name}"
        frame = frame.f_back
    return "nobody of ours"


@contextmanager
def senders() -> Iterator[set[str]]:
    """Listen to all engines of this process; the set grows while statements are sent."""
    found: set[str] = set()

    def note(*_: Any) -> None:
        found.add(sender())

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
