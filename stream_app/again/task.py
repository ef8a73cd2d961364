"""A task: which readings of a partition are to be judged and sent again, of which times.

The tests look at neighbours. So more is judged than is sent: what came two weeks before lets a
series be what it was, and where values have changed, the verdicts behind the change are sent, too.
Rain is judged by the humidity of its station and the other way round, so each brings the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.codec import Record
from stream_app.again.form import Change
from stream_app.metadata.sensors import FIRST, LAST

MEMORY_MICROS: Final = 14 * 24 * 3600 * 1_000_000
"""How far a verdict looks back, and how far a changed value is felt, at most."""

GAP_MICROS: Final = 3600 * 1_000_000
"""A spike is told by the neighbour behind it, if that is no further away."""

PARTNER: Final = {"rainfall": "humidity", "humidity": "rainfall"}
"""The parameter by which another is judged beside itself."""


class Item(NamedTuple):
    """Times of one sensor for which something else holds than held."""

    sensor: str
    station: str
    parameter: str
    change: Change


class Window(NamedTuple):
    """From when until before when, in UTC microseconds."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of one series: the times that are judged, and those that are sent."""

    judged: Window
    sent: tuple[Window, ...] = ()


Key = tuple[str, str]
"""Parameter and sensor; or parameter and station, behind an ``@``."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done.

    Attributes:
        items: of which sensors something has changed, and of which times.
        first: by raw topic, where the first record lies that may be meant.
        until: by raw topic, what had been read when the task was found; what came since was judged
            as is right, but beside neighbours that were not.
    """

    items: tuple[Item, ...]
    first: Mapping[str, int]
    until: Mapping[str, int]

    def wanted(self) -> dict[Key, Wanted]:
        """Give what is wanted of each series."""
        found: dict[Key, Wanted] = {}
        for item in self.items:
            judged, sent = _windows(item.change)
            _add(found, (item.parameter, item.sensor), judged, (sent,))
            partner = PARTNER.get(item.parameter)
            if partner:
                felt = (sent,) if item.change.valued else ()
                _add(found, (partner, f"@{item.station}"), judged, felt)
        return found

    def to_record(self) -> Record:
        """Write it down for the state topic."""
        return {
            "sensors": [item.sensor for item in self.items],
            "stations": [item.station for item in self.items],
            "parameters": [item.parameter for item in self.items],
            "since": [item.change.since for item in self.items],
            "until": [item.change.until for item in self.items],
            "valued": [item.change.valued for item in self.items],
            "topics": list(self.first),
            "first_offsets": list(self.first.values()),
            "until_offsets": [self.until[topic] for topic in self.first],
        }

    @classmethod
    def of_record(cls, record: Record) -> Task:
        """Read it back."""
        named = zip(record["sensors"], record["stations"], record["parameters"], strict=True)
        times = zip(record["since"], record["until"], record["valued"], strict=True)
        items = tuple(Item(*name, Change(*time)) for name, time in zip(named, times, strict=True))
        topics = record["topics"]
        first = dict(zip(topics, record["first_offsets"], strict=True))
        return cls(items, first, dict(zip(topics, record["until_offsets"], strict=True)))


def partners(items: Iterable[Item]) -> set[Key]:
    """Name the parameters and stations that are judged beside these sensors."""
    return {(PARTNER[item.parameter], item.station) for item in items if item.parameter in PARTNER}


def hull(windows: Sequence[Window]) -> Window:
    """Give the times from the first until the last.

    >>> hull([Window(3, 5), Window(1, 2)])
    Window(since=1, until=5)
    """
    return Window(min(w.since for w in windows), max(w.until for w in windows))


def _windows(change: Change) -> tuple[Window, Window]:
    judged = Window(_back(change.since, MEMORY_MICROS), _on(change.until, MEMORY_MICROS))
    if not change.valued:
        return judged, Window(change.since, change.until)
    return judged, Window(_back(change.since, GAP_MICROS), judged.until)


def _add(found: dict[Key, Wanted], key: Key, judged: Window, sent: tuple[Window, ...]) -> None:
    before = found.get(key, Wanted(judged))
    found[key] = Wanted(hull([before.judged, judged]), before.sent + sent)


def _back(at: int, by: int) -> int:
    return FIRST if at < FIRST + by else at - by


def _on(at: int, by: int) -> int:
    return LAST if at > LAST - by else at + by
