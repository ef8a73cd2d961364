"""What a hop holds of a reading, in few words: who it is, what was measured, what was said. Pure.

Every hop knows source, table, key, sensor and the source's own clock, so a reading has one name
everywhere, and hours are those of that clock. What was measured is compared in the standard unit,
to twelve digits; a checksum is a sum of hashes, so the order in which readings come is no matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from sys import intern
from typing import Any, Final, NamedTuple

_HOUR: Final = 3_600_000_000
_ALL: Final = (1 << 64) - 1
_WALL: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall's own epoch


class Key(NamedTuple):
    """A row of a source as far as it tells of one sensor, at a time of the source's own clock."""

    source: str
    table: str
    row: str
    sensor: str
    local: int

    @classmethod
    def sharing(cls, source: str, table: str, row: str, sensor: str, local: int) -> Key:
        """Make one; names that come again and again are kept once."""
        return cls(intern(source), intern(table), row, intern(sensor), local)

    @property
    def hour(self) -> int:
        """The hour in which it was observed, in microseconds of the source's clock."""
        return self.local // _HOUR * _HOUR

    def as_document(self) -> dict[str, Any]:
        """Give it as a row of a table."""
        return {**self._asdict(), "local": wall(self.local)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A reading at one hop.

    Attributes:
        station: whose it is.
        measured: hash of its key and its values as measured.
        version: of the source's row, rank left out.
        revision: of the verdict; 0 before there is one.
        live: whether it is there, or was taken back.
        verdict: hash of all that was said of it; 0 before there is one.
        place: topic, partition and offset of the record; of a row the raw record it names.
        time: when it was published or judged, in UTC microseconds.
        observed: UTC microseconds of its observation; None before the stream has found it.
        raw: topic, partition and offset of the raw record it was made of.
    """

    station: str
    measured: int
    version: int
    revision: int = 0
    live: bool = True
    verdict: int = 0
    place: tuple[str, int, int] = ("", -1, -1)
    time: int = 0
    observed: int | None = None
    raw: tuple[str, int, int] = ("", -1, -1)

    def published(self, place: tuple[str, int, int], time: int) -> Entry:
        """Say where and when its record was written."""
        return replace(self, place=place, time=time)


Entries = dict[Key, Entry]


@dataclass(slots=True)
class Hops:
    """What each hop holds of one parameter: of every key the entry that counts."""

    source: Entries = field(default_factory=dict)
    raw: Entries = field(default_factory=dict)
    clean: Entries = field(default_factory=dict)
    table: Entries = field(default_factory=dict)

    def named(self) -> dict[str, Entries]:
        """Give the hops by name, in the order of the flow."""
        return {"source": self.source, "raw": self.raw, "clean": self.clean, "table": self.table}


class Sum(NamedTuple):
    """How many readings there are, and the checksum over them."""

    readings: int = 0
    checksum: int = 0

    def __add__(self, other: object) -> Sum:
        """Join two sets of readings."""
        if not isinstance(other, Sum):
            return NotImplemented
        total = (self.checksum + other.checksum) & _ALL
        return Sum(self.readings + other.readings, total)


def keep(entries: Entries, key: Key, entry: Entry) -> None:
    """Let the newer of two entries of one key stand."""
    before = entries.get(key)
    if before is None or _order(entry) > _order(before):
        entries[key] = entry


def _order(entry: Entry) -> tuple[int, int, int]:
    return entry.version, entry.revision, entry.place[2]


def by_hour(entries: Mapping[Key, Entry]) -> dict[int, Sum]:
    """Sum up what is there, by hour of the source's clock.

    >>> one, other = Key("s", "t", "1", "a", 0), Key("s", "t", "2", "a", 5)
    >>> made = {one: Entry("A", 7, 1), other: Entry("A", 8, 1)}
    >>> by_hour(made) == by_hour(dict(reversed(made.items()))) == {0: Sum(2, 15)}
    True
    """
    found: dict[int, Sum] = {}
    for key, entry in entries.items():
        if entry.live:
            found[key.hour] = found.get(key.hour, Sum()) + Sum(1, entry.measured)
    return found


def hashed(*parts: object) -> int:
    """Give 64 bits of a hash of values."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest())


def rounded(values: Iterable[float | None]) -> tuple[str, ...]:
    """Write measured values so that equal ones are equal text; what is missing is empty.

    >>> rounded([0.1 + 0.2, None, float("nan"), -0.0])
    ('0.3', '', '', '0')
    """
    return tuple("" if v is None or v != v else f"{v + 0.0:.12g}" for v in values)  # noqa: PLR0124


def wall(local: int) -> datetime:
    """Give a time of a source's own clock."""
    return _WALL + timedelta(microseconds=local)
