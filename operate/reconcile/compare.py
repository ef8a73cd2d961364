"""Neighbouring hops held against each other: every reading that differs, and why. Pure.

What is only on its way, expired or given up with a reason is explained; the rest is wrong, and a
repair mends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from operate.reconcile.entries import Entries, Entry, Hops, Key

Place = tuple[str, int, int]


class Cause(StrEnum):
    """Why two hops differ in a reading."""

    NOT_READ_YET = "not read yet"
    NOT_JUDGED_YET = "not judged yet"
    NOT_LOADED_YET = "not loaded yet"
    DEAD_LETTER = "dead letter"
    FILTERED = "filtered by the mapping"
    RAW_EXPIRED = "raw record expired"
    CLEAN_EXPIRED = "clean record expired"
    OUTRANKED = "another row of the same time won"
    LATE_COMMIT = "late commit: the cursor has passed it"
    DELETED_IN_SOURCE = "deleted in the source, or never there"
    MISSING = "missing"
    ADDED = "added: the hop before does not know it"
    CORRUPTED = "corrupted: differs under the same version"
    STALE = "stale: an older version than the hop before has"


WRONG: Final = frozenset({
    Cause.LATE_COMMIT, Cause.DELETED_IN_SOURCE, Cause.MISSING, Cause.ADDED, Cause.CORRUPTED,
    Cause.STALE,
})  # fmt: skip
"""Causes that a repair mends; the others explain."""


class Difference(NamedTuple):
    """A reading in which a hop differs from the one before it; ``hop`` is like ``raw → clean``."""

    parameter: str
    hop: str
    cause: Cause
    key: Key
    detail: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether a repair is needed."""
        return self.cause in WRONG

    def as_document(self) -> dict[str, Any]:
        """Give it as a row of a table."""
        told = {"parameter": self.parameter, "hop": self.hop, "cause": str(self.cause)}
        return {**told, **self.key.as_document(), "detail": self.detail}


@dataclass(slots=True)
class Facts:
    """What explains differences.

    Attributes:
        mapped: tables and parameters that the mapping of a source names today.
        newest: the highest version that was read, by source and table.
        judged: where the stream stands, by raw topic and partition.
        loaded: where the sink stands, by clean topic and partition.
        raw_kept: the first offset that is kept, by raw topic and partition.
        clean_kept: since when clean records are kept, by clean partition, in UTC microseconds;
            partitions that have lost nothing are not there.
        dead: why records were given up, by topic, partition and offset.
    """

    mapped: set[tuple[str, str, str]] = field(default_factory=set)
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    judged: dict[tuple[str, int], int] = field(default_factory=dict)
    loaded: dict[tuple[str, int], int] = field(default_factory=dict)
    raw_kept: dict[tuple[str, int], int] = field(default_factory=dict)
    clean_kept: dict[int, int] = field(default_factory=dict)
    dead: dict[Place, str] = field(default_factory=dict)


Found = tuple[Cause, str] | None


def compare(parameter: str, hops: Hops, facts: Facts) -> list[Difference]:
    """Give every difference between neighbours, in the order of the flow."""
    winners = _winners(hops.table)

    def source_raw(key: Key) -> Found:
        return _source_raw(parameter, key, hops, facts)

    def raw_clean(key: Key) -> Found:
        return _raw_clean(hops.raw.get(key), hops.clean.get(key), facts)

    def clean_table(key: Key) -> Found:
        return _clean_table(key, hops, facts, winners)

    pairs: tuple[tuple[str, Callable[[Key], Found], Entries, Entries], ...] = (
        ("source → raw", source_raw, hops.source, hops.raw),
        ("raw → clean", raw_clean, hops.raw, hops.clean),
        ("clean → table", clean_table, hops.clean, hops.table),
    )
    return [
        Difference(parameter, hop, found[0], key, found[1])
        for hop, look, before, after in pairs
        for key in sorted(before.keys() | after.keys())
        if (found := look(key)) is not None
    ]


def _source_raw(parameter: str, key: Key, hops: Hops, facts: Facts) -> Found:
    told, raw = hops.source.get(key), hops.raw.get(key)
    if told is None:
        is_mapped = (key.source, key.table, parameter) in facts.mapped
        return _not_in_source(raw, is_mapped=is_mapped)
    if raw is not None and raw.live and raw.measured == told.measured:
        return None
    if raw is None and _has_expired(key, hops, facts):
        return Cause.RAW_EXPIRED, ""
    return _not_as_in_source(key, told, raw, facts)


def _not_in_source(raw: Entry | None, *, is_mapped: bool) -> Found:
    if raw is None or not raw.live:
        return None
    if not is_mapped:
        return Cause.FILTERED, "the mapping does not name it any more"
    return Cause.DELETED_IN_SOURCE, _at(raw)


def _not_as_in_source(key: Key, told: Entry, raw: Entry | None, facts: Facts) -> Found:
    newest = facts.newest.get((key.source, key.table))
    if newest is None or told.version > newest:
        return Cause.NOT_READ_YET, f"version {told.version}"
    if raw is None or told.version > raw.version:
        return Cause.LATE_COMMIT, f"version {told.version}"
    return Cause.CORRUPTED, _at(raw)


def _raw_clean(raw: Entry | None, clean: Entry | None, facts: Facts) -> Found:
    if raw is None:
        is_known = clean is None or not clean.live or _is_dropped(clean.raw, facts)
        return None if is_known or clean is None else (Cause.ADDED, _at(clean))
    is_newer = clean is not None and raw.version > clean.version
    if _agree(raw, clean) and not is_newer:
        return None
    waits = _waits(raw, facts.dead, facts.judged, Cause.NOT_JUDGED_YET)
    if waits is not None or clean is not None:
        return waits or ((Cause.STALE if is_newer else Cause.CORRUPTED), _at(clean or raw))
    if raw.time < facts.clean_kept.get(raw.place[1], raw.time):
        return Cause.CLEAN_EXPIRED, ""
    return Cause.MISSING, _at(raw)


def _clean_table(key: Key, hops: Hops, facts: Facts, winners: Mapping[object, Key]) -> Found:
    clean, row = hops.clean.get(key), hops.table.get(key)
    if clean is None:
        return _only_in_table(row, facts)
    if _agree(clean, row) and (row is None or row.verdict == clean.verdict):
        return None
    if waits := _waits(clean, facts.dead, facts.loaded, Cause.NOT_LOADED_YET):
        return waits
    if row is None:
        other = winners.get((key.sensor, clean.observed), key)
        return (Cause.MISSING, _at(clean)) if other == key else (Cause.OUTRANKED, other.row)
    is_older = (row.version, row.revision) < (clean.version, clean.revision)
    return (Cause.STALE if is_older else Cause.CORRUPTED), _at(clean)


def _only_in_table(row: Entry | None, facts: Facts) -> Found:
    """Judge a row without a clean record: tables keep longer than topics, as they should."""
    if row is None or not row.live or row.time < facts.clean_kept.get(row.raw[1], row.time):
        return None
    return Cause.ADDED, f"row of {_at(row)}"


def _waits(
    entry: Entry, dead: Mapping[Place, str], reached: Mapping[tuple[str, int], int], not_yet: Cause
) -> Found:
    """Say whether a record was given up, or its turn has not come."""
    if reason := dead.get(entry.place):
        return Cause.DEAD_LETTER, f"{reason}, {_at(entry)}"
    if entry.place[2] >= reached.get(entry.place[:2], 0):
        return not_yet, _at(entry)
    return None


def _agree(before: Entry, after: Entry | None) -> bool:
    """Say whether two neighbours tell the same; what was taken back may be there or not."""
    if after is None:
        return not before.live
    if not (before.live and after.live):
        return before.live == after.live
    return before.measured == after.measured


def _has_expired(key: Key, hops: Hops, facts: Facts) -> bool:
    """Say whether retention has dropped the raw record of a reading that is further on."""
    behind = hops.clean.get(key) or hops.table.get(key)
    return behind is not None and _is_dropped(behind.raw, facts)


def _is_dropped(raw: Place, facts: Facts) -> bool:
    return raw[2] < facts.raw_kept.get(raw[:2], 0)


def _winners(table: Entries) -> dict[object, Key]:
    """Say whose row stands at each sensor and time."""
    return {(key.sensor, row.observed): key for key, row in table.items() if row.live}


def _at(entry: Entry) -> str:
    return ":".join(map(str, entry.place))
