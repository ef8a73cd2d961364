"""Which dead letters are meant, and how many there are of what kind. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from operate.dlq.letters import Letter

_AGES: Final = (
    (timedelta(hours=1), "last hour"),
    (timedelta(days=1), "last day"),
    (timedelta(days=7), "last week"),
)
_OLDER: Final = "older"


class Kind(StrEnum):
    """By what letters are counted; ``topic`` is the one that they came from."""

    REASON = "reason"
    TOPIC = "topic"
    STATION = "station"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Choice:
    """Dead letters by what they say; whatever is None or empty is not asked about."""

    reasons: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Choice()

    def __call__(self, letter: Letter) -> bool:
        """Say whether a letter is meant; an origin may be named by a part of its topic's name."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.origins or any(name in letter.origin.topic for name in self.origins))
            and (not self.stations or letter.station in self.stations)
            and (self.since is None or letter.time >= self.since)
            and (self.until is None or letter.time < self.until)
        )


def age(letter: Letter, now: datetime) -> str:
    """Say in words how old a letter is."""
    old = now - letter.time
    return next((word for limit, word in _AGES if old < limit), _OLDER)


def counted(letters: Iterable[Letter], by: Sequence[Kind], now: datetime) -> list[dict[str, Any]]:
    """Count letters by some of reason, topic, station and age; the most frequent come first."""
    readers: dict[Kind, Callable[[Letter], str]] = {
        Kind.REASON: lambda one: one.reason,
        Kind.TOPIC: lambda one: one.origin.topic,
        Kind.STATION: lambda one: one.station,
        Kind.AGE: lambda one: age(one, now),
    }
    kinds: Counter[tuple[str, ...]] = Counter()
    newest: dict[tuple[str, ...], datetime] = {}
    for letter in letters:
        kind = tuple(readers[name](letter) for name in by)
        kinds[kind] += 1
        newest[kind] = max(newest.get(kind, letter.time), letter.time)
    return [*_rows(kinds, newest, by)]


def _rows(
    kinds: Counter[tuple[str, ...]], newest: dict[tuple[str, ...], datetime], by: Sequence[Kind]
) -> Iterator[dict[str, Any]]:
    for kind, count in sorted(kinds.items(), key=lambda each: (-each[1], each[0])):
        yield {
            **dict(zip(map(str, by), kind, strict=True)),
            "letters": count,
            "newest": newest[kind],
        }
