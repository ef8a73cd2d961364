"""Lag judged by its course, not by a limit: the rules of LinkedIn's Burrow. Pure.

Of each partition a window of samples is kept: where its consumer stood and what it had before it,
each time that it gave a sign. Then

* nothing to read now, or at any sample: OK (a consumer that keeps up is well, however it looks);
* but a consumer that has given no sign for longer than its window spans, with something to read
  all the while: STOP;
* a position lower than the one before: REWIND;
* a position that never changed: STALL;
* a lag that never shrank, though the position moved: WARN.

They are described in Burrow's wiki, "Consumer Lag Evaluation Rules"; that STOP comes before a lag
of nought long ago is of its later releases. A window that is not full says neither STALL nor WARN.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

SIZE: Final = 10
"""Samples of a window, as in Burrow."""


class Rule(StrEnum):
    """How a partition or a hop is; the later ones are worse."""

    OK = "OK"
    WARN = "WARN"
    STOP = "STOP"
    STALL = "STALL"
    REWIND = "REWIND"


@dataclass(frozen=True, slots=True)
class Sample:
    """A sign of a consumer: when (seconds), which offset it reads next, how much lay before it."""

    at: float
    offset: int
    lag: int


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of a partition.

    Attributes:
        samples: signs of its consumer, the oldest first.
        lags: what there was to read at each of the last looks, whether it gave a sign or not.
        least_span: seconds that a full window spans at least.
        size: samples of a full window.
    """

    samples: Sequence[Sample]
    lags: Sequence[int]
    least_span: float = 0.0
    size: int = SIZE

    @property
    def complete(self) -> float:
        """How full the window is, from 0 to 1."""
        return min(1.0, len(self.samples) / self.size)


def judge(window: Window, now: float) -> Rule:
    """Judge a partition at a time, in the seconds of its samples.

    >>> judge(Window([Sample(0, 5, 3), Sample(60, 5, 9)], [9], size=2), now=61)
    <Rule.STALL: 'STALL'>
    """
    samples, lags = window.samples, window.lags
    if not samples or not lags or lags[-1] == 0:
        return Rule.OK
    if _stopped(window, now) and min(lags) > 0:
        return Rule.STOP
    if min(sample.lag for sample in samples) == 0:
        return Rule.OK
    return _course(window)


def worst(rules: Iterable[Rule]) -> Rule:
    """Give the worst of them.

    >>> worst([Rule.WARN, Rule.STOP, Rule.OK])
    <Rule.STOP: 'STOP'>
    """
    order = list(Rule)
    return max(rules, key=order.index, default=Rule.OK)


def _course(window: Window) -> Rule:
    """Judge a consumer that gives signs, and had something before it at each of them."""
    steps = list(pairwise(window.samples))
    if any(after.offset < before.offset for before, after in steps):
        return Rule.REWIND
    if window.complete < 1:
        return Rule.OK
    if all(after.offset == before.offset for before, after in steps):
        return Rule.STALL
    if all(after.lag >= before.lag for before, after in steps):
        return Rule.WARN
    return Rule.OK


def _stopped(window: Window, now: float) -> bool:
    first, last = window.samples[0].at, window.samples[-1].at
    return now - last > max(last - first, window.least_span)
