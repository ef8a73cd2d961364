"""Which row of a repeated hour came first: the hours that clocks go through twice in autumn.

Of the rows of a sensor with the same local time, the one that was written first, by its key, is
summer time. If the second arrives alone it passes for the first until that one is there; then it
moves an hour on, and has to be cleaned again. What it left behind is still in the tables, under a
version that may be higher than that of the row which belongs there: it is raised above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Final, NamedTuple

from schemas.codec import Record

_DAY_MICROS: Final = 24 * 3600 * 1_000_000
UNKNOWN: Final = -1
OLDEST: Final = -(2**63)
"""Below every version."""


class Entry(NamedTuple):
    """A row with an ambiguous local time.

    Attributes:
        local: the time, in microseconds.
        key: the row's source key.
        raw_offset: where the raw record of its newest version lies.
        version: that version.
        left: the version under which it stood in the first hour, if it had to leave it.
    """

    local: int
    key: str
    raw_offset: int = UNKNOWN
    version: int = OLDEST
    left: int = OLDEST


class Displaced(NamedTuple):
    """A row of an earlier batch whose hour is another one now, by who told of it."""

    told_by: str
    raw_offset: int


def key_order(source_key: str) -> tuple[int, str]:
    """Order source keys as their database does: numbers by size, text by letters.

    >>> sorted(["10", "9", "b"], key=key_order)
    ['9', 'b', '10']
    """
    return (len(source_key), source_key)


class Folds:
    """What a batch learns of repeated hours, over what was known before it."""

    def __init__(self, known: Mapping[str, list[Entry]]) -> None:
        self._known = known
        self.learned: dict[str, list[Entry]] = {}
        self.displaced: list[Displaced] = []

    def fold(
        self,
        told_by: str,
        observed_local: int,
        source_key: str,
        raw_offset: int = UNKNOWN,
        version: int = OLDEST,
    ) -> int:
        """Tell whether a row holds the first (0) or second (1) coming of a repeated local time.

        The answer for a row does not change when the row comes again, but it does when one that
        was written before it comes after it: such a row is ``displaced``.
        """
        entries = self._entries(told_by)
        same = _rows(entries, observed_local)
        before = _first(same)
        if source_key not in same or version >= same[source_key].version:
            old = same.get(source_key, Entry(observed_local, source_key))
            same[source_key] = old._replace(raw_offset=raw_offset, version=version)
        if before is not None and before != _first(same):
            self._displace(told_by, same, before)
        others = [e for e in entries if e.local > observed_local - _DAY_MICROS]
        others = [e for e in others if e.local != observed_local]
        self.learned[told_by] = sorted([*others, *same.values()])
        return 0 if source_key == _first(same) else 1

    def version(self, told_by: str, observed_local: int, source_key: str, version: int) -> int:
        """Give the version under which a row that was told of is to stand in its hour.

        The newest version of the first row beats all that others left behind there. An older one
        is not raised, so it goes on losing against the newest.
        """
        same = _rows(self._entries(told_by), observed_local)
        if source_key != _first(same) or version < same[source_key].version:
            return version
        return max(version, _floor(same))

    def _displace(self, told_by: str, same: dict[str, Entry], key: str) -> None:
        row = same[key]
        same[key] = row._replace(left=max(row.version, _floor(same)))
        if row.raw_offset != UNKNOWN:
            self.displaced.append(Displaced(told_by, row.raw_offset))

    def _entries(self, told_by: str) -> list[Entry]:
        return list(self.learned.get(told_by, self._known.get(told_by, ())))


def to_record(entries: Iterable[Entry]) -> Record:
    """Write entries down for the state topic."""
    rows = list(entries)
    return {
        "observed_local": [row.local for row in rows],
        "source_keys": [row.key for row in rows],
        "raw_offsets": [row.raw_offset for row in rows],
        "versions": [row.version for row in rows],
        "left": [row.left for row in rows],
    }


def from_record(record: Record) -> list[Entry]:
    """Read entries; of those written before offsets or versions were kept, these are not known."""
    rows = zip(
        record["observed_local"],
        record["source_keys"],
        record.get("raw_offsets") or repeat(UNKNOWN),
        record.get("versions") or repeat(OLDEST),
        record.get("left") or repeat(OLDEST),
        strict=False,
    )
    return [Entry(*row) for row in rows]


def _rows(entries: Iterable[Entry], local: int) -> dict[str, Entry]:
    return {entry.key: entry for entry in entries if entry.local == local}


def _first(rows: Iterable[str]) -> str | None:
    return min(rows, key=key_order, default=None)


def _floor(rows: Mapping[str, Entry]) -> int:
    """Give the version that beats all that was left behind."""
    return max(row.left for row in rows.values()) + 1
