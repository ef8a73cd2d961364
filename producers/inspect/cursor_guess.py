"""How increments of a table may be found: the best that its columns allow, and what it misses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from producers.inspect.facts import NO_TIME
from producers.inspect.guesses import Guess
from producers.inspect.layout import Layout
from schemas.mapping_parts import UNSET

_UTC_DEFAULTS: Final = ("getutcdate", "sysutcdatetime", "utc", "strftime")
_LOCAL_DEFAULTS: Final = ("getdate", "sysdatetime", "localtime", "localtimestamp")
_DAY_SECONDS: Final = 86_400
_ONE_WRITER_SECONDS: Final = 0.2


def cursor_of(layout: Layout, time: dict[str, Any] | None, dialect: str) -> Guess:
    """Guess the section ``cursor`` of a table."""
    version = next((c.name for c in layout.table.columns if c.kind == "version"), None)
    if version is not None:
        return Guess({"mode": "rowversion", "column": version}, 0.95, "it rises with every change")
    found = (
        _by_change(layout, dialect)
        or _by_id(layout, dialect)
        or _by_observation(layout, time, dialect)
    )
    if found is not None:
        return found
    told = "no column tells which rows are new: add a rowversion, or a time of change with an index"
    named = [layout.modified.value] if layout.modified else []
    named += [str(time.get("column"))] if time else []
    if name := next((one for one in named if sortable(layout, one, dialect)), ""):
        told = f"{told}; {name} would do for want of better, but may be NULL: make it NOT NULL"
    return Guess({"mode": "timestamp", "column": UNSET}, 0.0, told)


def missed_by(cursor: dict[str, Any]) -> str | None:
    """Say what such a cursor does not see."""
    if cursor["mode"] == "id":
        return "rows that change after their insert are not read again, since the cursor goes by id"
    if cursor["mode"] == "timestamp" and "overlap" in cursor:
        return (
            "the cursor goes by observation time, for want of a time of change: rows that come or "
            "change later than the overlap looks back are not read"
        )
    return None


def sortable(layout: Layout, name: str, dialect: str) -> bool:
    """Say whether a column's times compare in the database as they do on the clock."""
    facts = layout.facts.get(name)
    if facts is None:
        return False
    if facts.column.kind == "time" and dialect != "sqlite":
        return True
    form = facts.form
    if form is None or form.keys or form.with_offset:
        return False
    texts = [str(v) for v in facts.present]
    return bool(texts) and all(isinstance(v, str) for v in facts.some) and _same_shape(texts)


def _same_shape(texts: list[str]) -> bool:
    return all(len(t) >= 16 and t[4] == "-" and t[7] == "-" and t[10] in " T" for t in texts)


def _by_change(layout: Layout, dialect: str) -> Guess | None:
    changed = layout.modified
    if changed is None or not sortable(layout, changed.value, dialect):
        return None
    name, row_id = changed.value, _sure_id(layout)
    optional = may_be_null(layout, name)
    if optional and row_id is None:
        return None
    keys: dict[str, Any] = {"mode": "timestamp", "column": name}
    if row_id is not None:
        keys = {"mode": "timestamp_id", "column": name, "id": row_id}
    if optional:
        keys["null_rows"] = "by_id"
    if clock := _clock(layout, name):
        keys["clock"] = clock
    if dialect == "sqlite":
        keys["lag_seconds"] = _ONE_WRITER_SECONDS  # one writer: none is late
    indexed = layout.table.leads_an_index(name)
    doubt = "" if indexed else "; no index begins with it: every poll would read the whole table"
    if optional:
        doubt += f"; it may be NULL: such rows are read once, by {row_id}"
    return Guess(keys, 0.9 if indexed else 0.7, f"{name}: {changed.reason}{doubt}")


def may_be_null(layout: Layout, name: str) -> bool:
    """Say whether the catalogue lets a column be NULL, as the source will ask it at its start."""
    column = layout.table.column(name)
    return column is None or (column.nullable and name not in layout.table.primary_key)


def _sure_id(layout: Layout) -> str | None:
    """Give the column that alone tells rows apart, if it is never NULL and rises as a number."""
    name = layout.row_id()
    return None if name is None or may_be_null(layout, name) else name


def _by_id(layout: Layout, dialect: str) -> Guess | None:
    row_id = _sure_id(layout)
    facts = layout.facts.get(row_id or "")
    if row_id is None or facts is None or facts.words or facts.numbers_as_text:
        return None
    whole = facts.numbers == np.floor(facts.numbers)
    if facts.column.kind not in {"number", "any"} or not whole.all():
        return None
    if facts.form is not None and facts.form.keys.get("epoch"):
        return None
    keys: dict[str, Any] = {"mode": "id", "column": row_id}
    if dialect == "sqlite":
        keys["lag_seconds"] = _ONE_WRITER_SECONDS
    return Guess(keys, 0.6, "there is no time of change; ids rise")


def _by_observation(layout: Layout, time: dict[str, Any] | None, dialect: str) -> Guess | None:
    name = str(time.get("column")) if time else ""
    if not sortable(layout, name, dialect) or may_be_null(layout, name):
        return None
    keys = {
        "mode": "timestamp", "column": name, "clock": _clock(layout, name) or "local",
        "overlap": {"every_seconds": 300.0, "back_seconds": float(_DAY_SECONDS)},
    }  # fmt: skip
    return Guess(keys, 0.5, "there is neither a time of change nor an id; late rows may be missed")


def _clock(layout: Layout, name: str) -> str | None:
    """Tell by its default, or by times that lie ahead of UTC, which clock writes a column."""
    facts = layout.facts[name]
    default = (facts.column.default or "").lower()
    if any(word in default for word in _LOCAL_DEFAULTS):
        return "local"
    if any(word in default for word in _UTC_DEFAULTS):
        return "utc"
    local = facts.local()
    local = local[local != NO_TIME]
    now = datetime.now(UTC).timestamp() * 1e6
    return "local" if len(local) and float(np.percentile(local, 99)) > now + 60e6 else None
