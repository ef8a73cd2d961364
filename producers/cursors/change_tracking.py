"""Increments by SQL Server's change tracking: first the table as it is, then what changes in it.

Versions are given out at commit, so there is no late one. But what is tracked is only the primary
key of a changed row, and only for as long as the database keeps it: a version that is forgotten is
an error here, never a gap.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql import quoted_name

from producers.cursors.interface import Columns, Doubt, Mark
from producers.cursors.keys import Key
from producers.cursors.values import bad_position, gone_back
from runtime.errors import Configuration
from schemas.cursors import ChangeTracking

_VERSION: Final = "change tracking version"
_SYSTEM: Final = ("SYS_CHANGE_VERSION", "SYS_CHANGE_OPERATION")


class ChangeTrackingCursor:
    """Reads net changes in the order of their versions, ties broken by the primary key.

    A position is JSON: ``{"snapshot": v, "key": […]}`` while the table is first read, as it was at
    version v or later; ``{"version": v}`` behind all changes up to v; and ``{"version": v, "key":
    […]}`` within version v. ``name`` is the table's quoted name, ``key`` its primary key.
    """

    mode: Final = "change_tracking"
    isolation: str | None = "SNAPSHOT"
    lag_seconds: Final = 0.0

    def __init__(self, mapping: ChangeTracking, table: FromClause, name: str, key: Key) -> None:
        self._mapping = mapping
        self._table = table
        self._name = name
        self._key = key

    @property
    def columns(self) -> Columns:
        """Phase, version, operation and primary key, as selected while the table is first read.

        Of a change they come from what is tracked: of a row that is gone, the table knows none.
        """
        return self._tail("snapshot", literal(0, BigInteger), literal_column("N'I'"), self._table)

    def bound(self, held: float = 0.0) -> Select[Any]:  # noqa: ARG002
        """Ask for the version of the last commit, and for the oldest one that is remembered."""
        table = func.object_id(literal(self._name))
        return select(
            func.change_tracking_current_version().label("bound"),
            func.change_tracking_min_valid_version(table).label("least"),
        )

    def until(self, row: Sequence[Any], after: str, held: float) -> str | None:  # noqa: ARG002
        """Take the bound; see that nothing behind ``after`` is forgotten yet."""
        current, least = row
        if current is None or least is None:
            raise self._off()
        floor = _floor(self._place(after or None, int(current)))
        if floor < int(least):
            raise self._forgotten(floor, int(least))
        if floor > int(current):
            raise gone_back(_VERSION, str(floor), str(current))
        return str(current)

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next page of the table, or of its changes."""
        place = self._place(after, int(until))
        if "snapshot" in place:
            return self._rows(columns, place, rows)
        return self._changes(columns, place, int(until), rows)

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read version, operation and key of a row."""
        phase, version, operation, *key = tail
        position = json.dumps({phase: version, "key": self._key.texts(key)}, ensure_ascii=False)
        return Mark(position, int(version), "delete" if operation.strip() == "D" else "upsert")

    def settled(self, position: str, until: str) -> str:
        """Stand behind the bound: a version that is long past would be forgotten one day."""
        place = self._place(position or None, int(until))
        return json.dumps({"version": place.get("snapshot", int(until))})

    def behind(self, position: str, until: str) -> None:
        """Say that versions are no times."""

    def doubts(self) -> Sequence[Doubt]:
        """Name none."""
        return ()

    def _rows(self, columns: Columns, place: dict[str, Any], rows: int) -> Select[Any]:
        version = literal(place["snapshot"], BigInteger)
        tail = self._tail("snapshot", version, literal_column("N'I'"), self._table)
        statement = select(*columns, *tail).order_by(*self._key.of(self._table))
        if "key" in place:
            statement = statement.where(self._key.behind(self._table, place["key"]))
        return statement.limit(rows)

    def _changes(
        self, columns: Columns, place: dict[str, Any], until: int, rows: int
    ) -> Select[Any]:
        since = place["version"]
        changes = self._changed(_floor(place))
        version, operation = (changes.c[name] for name in _SYSTEM)
        tracked = [changes.c[c.name] if c.name in self._key.names else c for c in columns]
        pairs = zip(self._key.of(self._table), self._key.of(changes), strict=True)
        same = and_(*(ours == its for ours, its in pairs))
        statement = (
            select(*tracked, *self._tail("version", version, operation, changes))
            .select_from(changes.outerjoin(self._table, same))
            .where(version <= until)
            .order_by(version, *self._key.of(changes))
            .limit(rows)
        )
        if self._mapping.deletes == "ignore":
            statement = statement.where(operation != literal_column("N'D'"))
        if "key" in place:
            behind = self._key.behind(changes, place["key"])
            statement = statement.where(or_(version > since, and_(version == since, behind)))
        return statement

    def _changed(self, since: int) -> FromClause:
        """Give what is tracked of the table; the name is quoted, the version a parameter."""
        changes = func.changetable(
            literal_column(f"CHANGES {self._name}"), bindparam(None, since, type_=BigInteger)
        )
        names = [quoted_name(name, quote=True) for name in self._key.names]
        return changes.table_valued(*(column(name) for name in (*_SYSTEM, *names)), name="ct")

    def _tail(
        self, phase: str, version: Any, operation: ColumnElement[Any], source: FromClause
    ) -> list[ColumnElement[Any]]:
        return [
            literal_column(f"'{phase}'").label("aos_phase"),
            version.label("aos_version"),
            operation.label("aos_operation"),
            *self._key.exact(source),
        ]

    def _place(self, after: str | None, current: int) -> dict[str, Any]:
        """Read a position; before the first row, it is where the mapping says to begin."""
        if after is None:
            initial = self._mapping.initial_value
            return {"snapshot": current} if initial is None else {"version": initial}
        try:
            place: dict[str, Any] = json.loads(after)
            key = place.get("key", [""] * len(self._key.names))
            if len(key) != len(self._key.names) or _floor(place) < -1:
                raise ValueError(after)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise bad_position(self.mode, after) from error
        return place

    def _off(self) -> Configuration:
        problem = f"change tracking of {self._name} is off, or not to be seen"
        return Configuration(
            problem,
            mend="ALTER TABLE … ENABLE CHANGE_TRACKING, and GRANT VIEW CHANGE TRACKING to the user "
            "of source.url; or give the table a cursor of another mode",
        )

    def _forgotten(self, floor: int, least: int) -> Configuration:
        problem = (
            f"changes of {self._name} since version {floor} are forgotten: the database remembers "
            f"them from version {least} on"
        )
        return Configuration(
            problem,
            mend="read the table anew: give the source a new name in its mapping. Deletes among "
            "the forgotten changes are found by comparing both sides. Let CHANGE_RETENTION be "
            "longer than any pause of the source",
        )


def _floor(place: dict[str, Any]) -> int:
    """Give the version up to which every change is known."""
    if "snapshot" in place:
        return int(place["snapshot"])
    return int(place["version"]) - ("key" in place)
