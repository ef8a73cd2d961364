"""What the demo found, parameter by parameter: pure counts, and whether they agree.

Keys are *natural*: at the source and on the raw topics a row and its sensor, on the clean topics
and in the tables a sensor and its time. What is dead-lettered is accounted for, not lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

TOTAL: Final = "total"
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter.

    Attributes:
        source: readings that AOS holds.
        source_keys: distinct keys among them.
        published: records on the raw topic; ``raw_keys`` are their distinct keys.
        judged: records on the clean topic; ``clean_keys`` are their distinct keys.
        good, suspect, fail, missing, not_judged: rows of the table by aggregate flag.
        dead_lettered: distinct records that the stream or the sink could not use.
        loaded: rows of the table.
    """

    parameter: str
    source: int = 0
    source_keys: int = 0
    published: int = 0
    raw_keys: int = 0
    judged: int = 0
    clean_keys: int = 0
    good: int = 0
    suspect: int = 0
    fail: int = 0
    missing: int = 0
    not_judged: int = 0
    dead_lettered: int = 0
    loaded: int = 0

    @classmethod
    def sum(cls, lines: Iterable[Self]) -> Self:
        """Add up lines."""
        chosen = list(lines)
        counts = [f.name for f in fields(cls) if f.name != "parameter"]
        return cls(TOTAL, **{name: sum(getattr(line, name) for line in chosen) for name in counts})

    @property
    def re_emitted(self) -> tuple[int, int]:
        """Records beyond the first of each key, on the raw and on the clean topic."""
        return self.published - self.raw_keys, self.judged - self.clean_keys

    @property
    def dead_keys(self) -> int:
        """Keys of the source that are in no table; a key may have dead letters and be loaded."""
        return self.source_keys - self.loaded


@dataclass(frozen=True, slots=True)
class Break:
    """Keys that differ between two neighbours on the way."""

    hop: str
    parameter: str
    lost: int
    surplus: int
    keys: tuple[str, ...]

    @classmethod
    def between(
        cls, hop: str, parameter: str, before: Collection[Any], after: Collection[Any]
    ) -> Self | None:
        """Compare the keys before and behind a hop; None where they are the same.

        >>> Break.between("raw → clean", "wind", {"a", "b"}, {"b", "c"})
        Break(hop='raw → clean', parameter='wind', lost=1, surplus=1, keys=('-a', '+c'))
        """
        lost, surplus = set(before) - set(after), set(after) - set(before)
        if not (lost or surplus):
            return None
        named = [f"-{_written(key)}" for key in sorted(lost)[:_NAMED]]
        named += [f"+{_written(key)}" for key in sorted(surplus)[:_NAMED]]
        return cls(hop, parameter, len(lost), len(surplus), tuple(named))

    def __str__(self) -> str:
        """Say on one line what differs."""
        if not (self.lost or self.surplus):
            return f"{self.hop}: {self.parameter}: {', '.join(self.keys)}"
        return (
            f"{self.hop}: {self.parameter}: {self.lost} keys lost, {self.surplus} too many "
            f"({', '.join(self.keys)})"
        )


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Rows of a long table that the mapping passes over: it does not name their code."""

    table: str
    code: str
    rows: int

    def __str__(self) -> str:
        """Say it.

        >>> print(Unmapped("weather_minute", "RN", 1))
        1 row of weather_minute with code RN
        """
        return f"{self.rows:,} row{'s'[: self.rows != 1]} of {self.table} with code {self.code}"


@dataclass(frozen=True, slots=True)
class Report:
    """All parameters, where keys went astray, and what the mapping passed over."""

    lines: tuple[Line, ...]
    breaks: tuple[Break, ...]
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def total(self) -> Line:
        """All parameters together."""
        return Line.sum(self.lines)

    @property
    def agrees(self) -> bool:
        """Whether every distinct key is accounted for: loaded, or dead-lettered."""
        return not self.breaks

    @property
    def keys_equal(self) -> bool:
        """Whether the distinct keys are equal at every hop: none is dead-lettered, either."""
        return self.agrees and not self.total.dead_keys

    def is_whole(self, parameter: str) -> bool:
        """Whether every key of one parameter is accounted for."""
        return parameter not in {b.parameter for b in self.breaks}

    def as_document(self) -> Mapping[str, Any]:
        """Give it as JSON will have it."""
        lines = [asdict(line) for line in self.lines]
        return {
            "parameters": {line.pop("parameter"): line for line in lines},
            "total": {k: v for k, v in asdict(self.total).items() if k != "parameter"},
            "accounted_for": self.agrees,
            "keys_equal": self.keys_equal,
            "breaks": [asdict(b) for b in self.breaks],
            "unmapped": [asdict(rows) for rows in self.unmapped],
        }


def _written(key: object) -> str:
    return "|".join(map(str, key)) if isinstance(key, tuple) else str(key)
