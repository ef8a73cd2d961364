"""What held for the sensors of readings when they were made: metadata, and what people say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from schemas.columnar import Integers
from stream_app.judging.decoding import Decoded
from stream_app.judging.heads import Head
from stream_app.judging.judged import Origin
from stream_app.metadata.sensors import ALWAYS_UNKNOWN, Sensor, Span
from stream_app.overrides.hands import NO_HAND, NOTHING, NOTHING_SAID, Hand, HandSpan
from stream_app.overrides.table import Overrides
from weather.arrays import Micros


class Held(NamedTuple):
    """What held for n readings.

    Attributes:
        origins: all that the constant parts of their clean readings are made of.
        origin: (n,) the number of each reading's.
        hands: what people say, by origin; none where nobody says anything.
    """

    origins: list[Origin]
    origin: Integers
    hands: Sequence[Hand]


def held(
    decoded: Decoded,
    utc: Micros,
    ruleset: str,
    sensors: Mapping[str, Sensor],
    overrides: Overrides,
) -> Held:
    """Find for every reading what held for its sensor at its time.

    A head is looked up for one of its readings, and the span found serves all that lie in it.
    """
    origins: list[Origin] = []
    hands: list[Hand] = []
    heard = bool(overrides)  # once: more may be said while this goes on
    origin = np.empty(len(utc), np.int64)
    left = np.arange(len(utc))
    while len(left):
        head = decoded.head[left]
        one_row = np.empty(len(decoded.heads), np.int64)
        one_row[head] = left
        which = present(head, len(decoded.heads))
        heads = [decoded.heads[number] for number in which.tolist()]
        times = utc[one_row[which]].tolist()
        spans = [*map(_span, repeat(sensors), heads, times)]
        if heard:
            said = [*map(_said, repeat(overrides), heads, times)]
            spans = [*map(_within, spans, said)]
            hands += [one.hand for one in said]
        place = np.empty(len(decoded.heads), np.int64)
        place[which] = np.arange(len(which))
        span = place[head]
        since = np.array([one.since for one in spans], np.int64)[span]
        until = np.array([one.until for one in spans], np.int64)[span]
        inside = (utc[left] >= since) & (utc[left] < until)
        origin[left[inside]] = len(origins) + span[inside]
        origins += map(Origin, heads, [one.placement for one in spans], repeat(ruleset))
        left = left[~inside]
    return Held(origins, origin, hands if any(hand is not NO_HAND for hand in hands) else ())


def present(numbers: Integers, count: int) -> Integers:
    """Give which of the numbers below ``count`` there are, each once, rising.

    >>> present(np.array([4, 1, 4]), 6).tolist()
    [1, 4]
    """
    return np.flatnonzero(np.bincount(numbers, minlength=count))


def _span(sensors: Mapping[str, Sensor], head: Head, utc: int) -> Span:
    sensor = sensors.get(head.sensor)
    return sensor.span(utc) if sensor else ALWAYS_UNKNOWN


def _said(overrides: Overrides, head: Head, utc: int) -> HandSpan:
    hands = overrides.of(head.sensor, head.station)
    return NOTHING_SAID if hands is NOTHING else hands.at(utc)


def _within(span: Span, said: HandSpan) -> Span:
    """Give the times for which both hold."""
    if said is NOTHING_SAID:
        return span
    return Span(span.placement, max(span.since, said.since), min(span.until, said.until))
