"""Which row of a repeated hour came first: the hours that clocks go through twice in autumn.

Of the rows of a sensor with the same local time, the one that was written first, by its key, is
summer time. If the second arrives alone it passes for the first until that one is there; then it
moves an hour on, and has to be cleaned again.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from schemas.codec import Record

_DAY_MICROS: Final = 24 * 3600 * 1_000_000
UNKNOWN: Final = -1


class Entry(NamedTuple):
    """An ambiguous local time in microseconds, the key of a row that has it, and its raw record."""

    local: int
    key: str
    raw_offset: int = UNKNOWN


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
        self, told_by: str, observed_local: int, source_key: str, raw_offset: int = UNKNOWN
    ) -> int:
        """Tell whether a row holds the first (0) or second (1) coming of a repeated local time.

        The answer for a row does not change when the row comes again, but it does when one that
        was written before it comes after it: such a row is ``displaced``.
        """
        entries = self._entries(told_by)
        before = _places(entries, observed_local)
        entries = [e for e in entries if (e.local, e.key) != (observed_local, source_key)]
        insort(entries, Entry(observed_local, source_key, raw_offset))
        self.learned[told_by] = [e for e in entries if e.local > observed_local - _DAY_MICROS]
        after = _places(entries, observed_local)
        for key, (place, offset) in before.items():
            if after[key][0] != place and offset != UNKNOWN:
                self.displaced.append(Displaced(told_by, offset))
        return after[source_key][0]

    def _entries(self, told_by: str) -> list[Entry]:
        return list(self.learned.get(told_by, self._known.get(told_by, ())))


def to_record(entries: Iterable[Entry]) -> Record:
    """Write entries down for the state topic."""
    rows = list(entries)
    return {
        "observed_local": [row.local for row in rows],
        "source_keys": [row.key for row in rows],
        "raw_offsets": [row.raw_offset for row in rows],
    }


def from_record(record: Record) -> list[Entry]:
    """Read entries; those written before offsets were kept have none, and are never displaced."""
    offsets = record.get("raw_offsets") or [UNKNOWN] * len(record["source_keys"])
    rows = zip(record["observed_local"], record["source_keys"], offsets, strict=True)
    return [Entry(*row) for row in rows]


def _places(entries: Iterable[Entry], local: int) -> dict[str, tuple[int, int]]:
    """Give the fold and the raw offset of each row of a local time."""
    same = {entry.key: entry.raw_offset for entry in entries if entry.local == local}
    ordered = sorted(same, key=key_order)
    return {key: (min(1, place), same[key]) for place, key in enumerate(ordered)}
