"""How much flows on each hop, and how much waits before it: from two looks at offsets and tables.

Ends are those of what is committed. They count the marks that end transactions, too: so rates of
topics are a little high, and a hop on which one record's place waits is drained.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from threading import Lock
from typing import Any, Final, Protocol

from operate.kafka_offsets import Offsets
from schemas.topics import PARAMETERS, Topics

Document = dict[str, Any]

OVER_SECONDS: Final = 20.0
"""Rates are means of so long: shorter ones jump with every page of the source."""
_KEPT: Final = 180
_LEAST_SECONDS: Final = 0.9


@dataclass(frozen=True, slots=True)
class Look:
    """What stood where at one time; ``at`` counts monotonic seconds.

    ``judged`` is what the stream has committed on raw topics, ``loaded`` what the tables hold of
    clean ones; ``cursors`` are how far the source says that it has come.
    """

    at: float
    when: datetime
    raw: Offsets
    judged: Offsets
    clean: Offsets
    loaded: Offsets
    cursors: tuple[Document, ...] = ()


class Looking(Protocol):
    """What takes a look."""

    def look(self) -> Look:
        """Ask topics and tables."""


class Sampler:
    """Looks when it is asked, once a second at most, however many ask; remembers some minutes."""

    def __init__(self, eyes: Looking, topics: Topics) -> None:
        self._eyes = eyes
        self._topics = topics
        self._looks: deque[Look] = deque(maxlen=_KEPT)
        self._lock = Lock()

    def flow(self) -> Document:
        """Give rates and lags as they are now.

        Raises:
            AosError: brokers or database do not answer.
        """
        with self._lock:
            if not self._looks or time.monotonic() - self._looks[-1].at >= _LEAST_SECONDS:
                self._looks.append(self._eyes.look())
            return told(tuple(self._looks), self._topics)


def told(looks: tuple[Look, ...], topics: Topics) -> Document:
    """Tell of the last look beside one some seconds before it; rates are null at the first."""
    now = looks[-1]
    before = next((one for one in looks if now.at - one.at <= OVER_SECONDS), now)
    hops = [_of(parameter, now, before, topics) for parameter in PARAMETERS]
    return {
        "at": now.when,
        "over_seconds": round(now.at - before.at, 1),
        "parameters": hops,
        "total": _total(hops),
        "cursors": list(now.cursors),
        "history": [_point(one, earlier) for earlier, one in pairwise(looks)],
    }


def lag(ends: Offsets, reached: Offsets) -> int:
    """Count the records that wait; one place behind the last record holds the mark of its end.

    >>> lag({("t", 0): 9, ("t", 1): 5}, {("t", 0): 8})
    4
    """
    return sum(max(0, end - reached.get(place, 0) - 1) for place, end in ends.items())


def _of(parameter: str, now: Look, before: Look, topics: Topics) -> Document:
    raw, clean = topics.raw(parameter), topics.clean(parameter)
    seconds = now.at - before.at

    def rate(offsets: str, topic: str) -> float | None:
        if not seconds:
            return None
        moved = _sum(getattr(now, offsets), topic) - _sum(getattr(before, offsets), topic)
        return round(max(0, moved) / seconds, 2)

    return {
        "parameter": parameter,
        "raw": {"topic": raw, "end": _sum(now.raw, raw), "rate": rate("raw", raw)},
        "stream": {"lag": lag(_only(now.raw, raw), now.judged), "rate": rate("judged", raw)},
        "clean": {"topic": clean, "end": _sum(now.clean, clean), "rate": rate("clean", clean)},
        "sink": {"lag": lag(_only(now.clean, clean), now.loaded), "rate": rate("loaded", clean)},
    }


def _total(hops: Iterable[Document]) -> Document:
    all_hops = list(hops)
    return {
        name: {
            key: _added([one[name][key] for one in all_hops])
            for key in all_hops[0][name]
            if key != "topic"
        }
        for name in ("raw", "stream", "clean", "sink")
    }


def _added(numbers: list[float | None]) -> float | None:
    known = [one for one in numbers if one is not None]
    return round(sum(known), 2) if len(known) == len(numbers) else None


def _point(now: Look, earlier: Look) -> Document:
    """Give the rates between two looks that follow one another, and the lags after them."""
    seconds = max(now.at - earlier.at, _LEAST_SECONDS)
    names = ("raw", "judged", "clean", "loaded")
    moved = {
        name: sum(getattr(now, name).values()) - sum(getattr(earlier, name).values())
        for name in names
    }
    return {
        "at": now.when,
        **{name: round(max(0, number) / seconds, 2) for name, number in moved.items()},
        "stream_lag": lag(now.raw, now.judged),
        "sink_lag": lag(now.clean, now.loaded),
    }


def _only(offsets: Offsets, topic: str) -> Offsets:
    return {place: at for place, at in offsets.items() if place[0] == topic}


def _sum(offsets: Offsets, topic: str) -> int:
    return sum(_only(offsets, topic).values())


def now_utc() -> datetime:
    """Give this moment."""
    return datetime.now(UTC)
