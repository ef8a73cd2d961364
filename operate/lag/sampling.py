"""Looking at the lag every so often, and keeping the windows by which it is judged.

A stage that runs gives a sign of every partition whenever it says how it is: that is what a commit
is to Burrow. One that is paused, or says nothing, gives none.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from operate.control.connectors import BY_NAME
from operate.control.fleet import ConnectorState, state_of
from operate.control.words import Words
from operate.lag.looking import Hop, Place
from operate.lag.rules import SIZE, Rule, Sample, Window, judge, worst
from runtime.control.orders import State
from runtime.errors import AosError

_PATIENCE_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger("aos.api")


@dataclass(slots=True)
class _Course:
    """A partition over time."""

    place: Place
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=SIZE))
    lags: deque[int] = field(default_factory=lambda: deque(maxlen=SIZE))

    def look(self, place: Place, at: float | None) -> None:
        self.place = place
        self.lags.append(place.lag)
        if at is not None:
            self.samples.append(Sample(at, place.offset, place.lag))

    def begin(self, at: float) -> None:
        """Begin with the last sign from before we looked, so that a silence is noticed at all."""
        self.samples.append(Sample(at, self.place.offset, self.place.lag))


@dataclass(frozen=True, slots=True)
class Judged:
    """A partition and how it is."""

    place: Place
    rule: Rule
    complete: float


@dataclass(frozen=True, slots=True)
class Report:
    """A hop and how it is; ``problem`` says why nothing is known of it."""

    connector: str
    group: str
    rule: Rule
    lag: int
    partitions: list[Judged]
    problem: str = ""


class Looking(Protocol):
    """What looks at the hops."""

    def __call__(self) -> list[Hop]:
        """Give where each stands now."""

    def close(self) -> None:
        """Let go of what it looked through."""


class Lags(Protocol):
    """What tells how the hops are."""

    def reports(self) -> list[Report]:
        """Give how each hop is by now."""

    def begin(self) -> None:
        """Begin to look every so often."""

    def close(self) -> None:
        """Look no more."""


class Sampler:
    """Looks every so often, in a thread of its own, and judges when it is asked."""

    def __init__(
        self,
        look: Looking,
        words: Words,
        seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._look = look
        self._words = words
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._courses: dict[str, dict[tuple[str, int], _Course]] = {}
        self._groups: dict[str, str] = {}
        self._problem = ""
        self._seen = False
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin to look every so often."""
        self._thread = threading.Thread(target=self._work, name="lag", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._done.set()
        if self._thread:
            self._thread.join(_PATIENCE_SECONDS)
        self._look.close()

    def look(self) -> None:
        """Look once.

        Raises:
            AosError: brokers or database do not answer.
        """
        hops, now = self._look(), self._now()
        known = self._words.snapshot()
        with self._lock:
            self._seen = True
            for hop in hops:
                self._take(hop, state_of(hop.connector, known, now), now)

    def reports(self) -> list[Report]:
        """Give how each hop is by now, looking once where nobody has looked yet."""
        if not self._seen:
            self._try()
        now = self._now().timestamp()
        with self._lock:
            return [
                self._report(connector, courses.values(), now)
                for connector, courses in self._courses.items()
            ]

    def _work(self) -> None:
        while not self._done.is_set():
            self._try()
            self._done.wait(self._seconds)

    def _try(self) -> None:
        try:
            self.look()
        except AosError as error:
            _LOG.warning("the lag is not known: %s", error)
            with self._lock:
                self._problem = str(error)
        else:
            with self._lock:
                self._problem = ""

    def _take(self, hop: Hop, state: ConnectorState, now: datetime) -> None:
        self._groups[hop.connector] = hop.group
        courses = self._courses.setdefault(hop.connector, {})
        gives_sign, last = _sign(state), _last_sign(state, now)
        for place in hop.places:
            key = (place.topic, place.partition)
            if key not in courses:
                courses[key] = _Course(place)
                courses[key].begin(last.timestamp())
            courses[key].look(place, now.timestamp() if gives_sign else None)

    def _report(self, connector: str, courses: Iterable[_Course], now: float) -> Report:
        span = self._seconds * (SIZE - 1)
        judged = [
            Judged(one.place, judge(window, now), window.complete)
            for one in courses
            for window in [Window([*one.samples], [*one.lags], span)]
        ]
        rule, lag = worst(one.rule for one in judged), sum(one.place.lag for one in judged)
        group = self._groups[connector]
        return Report(connector, group, rule, lag, judged, self._problem)


def _sign(state: ConnectorState) -> bool:
    """Whether a connector gives a sign of doing its work."""
    return any(one.state is State.RUNNING and not one.is_stuck for one in state.live)


def _last_sign(state: ConnectorState, now: datetime) -> datetime:
    """When a connector was heard last; where nobody ever was, we count from now on."""
    return max((worker.heard_at for worker in state.workers), default=now)


def lag_document(reports: Iterable[Report], *, everything: bool) -> list[dict[str, Any]]:
    """Give the lag of each hop; of its partitions those that are not well, or ``everything``."""
    return [
        {
            "connector": one.connector,
            "group": one.group,
            "status": one.rule,
            "lag": one.lag,
            "complete": _mean([each.complete for each in one.partitions]),
            "problem": one.problem,
            "partitions": [
                _partition(each)
                for each in one.partitions
                if everything or each.rule is not Rule.OK
            ],
        }
        for one in reports
    ]


def source_document(state: ConnectorState) -> dict[str, Any]:
    """Give how the hop from AOS is: its workers say by how many seconds they are behind."""
    behind = [task.task.behind_seconds for task in state.tasks]
    told = [seconds for seconds in behind if seconds is not None]
    at_work = state.state in {State.RUNNING, State.RESTARTING}
    return {
        "connector": BY_NAME[state.name].name,
        "status": Rule.OK if at_work else Rule.STOP,
        "state": state.state,
        "behind_seconds": max(told, default=None) if at_work else None,
    }


def _partition(judged: Judged) -> dict[str, Any]:
    place = judged.place
    return {
        "topic": place.topic,
        "partition": place.partition,
        "status": judged.rule,
        "offset": place.offset,
        "end": place.end,
        "lag": place.lag,
        "complete": judged.complete,
    }


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 3) if values else 0.0
