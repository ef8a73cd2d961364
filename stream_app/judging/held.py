"""What held for the sensors of readings when they were made: metadata, and what people say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

import numpy as np

from schemas.columnar import Integers
from stream_app.judging.decoding import Decoded
from stream_app.judging.heads import Head
from stream_app.judging.kept import Asked, Spans
from stream_app.judging.origins import Origin, Origins
from stream_app.metadata.sensors import ALWAYS_UNKNOWN, Sensor, Span
from stream_app.metadata.turns import Turns
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

    origins: Origins
    origin: Integers
    hands: Sequence[Hand]


@dataclass(frozen=True, slots=True)
class Books:
    """What is known of sensors, and what people say of them.

    ``turns`` rise with every change; None where nobody counts them, and nothing may be kept.
    """

    sensors: Mapping[str, Sensor]
    overrides: Overrides = field(default_factory=Overrides)
    turns: Turns | None = None


def held(decoded: Decoded, utc: Micros, ruleset: str, books: Books) -> Held:
    """Find for every reading what held for its sensor at its time."""
    if books.overrides:
        return _part_by_part(decoded, utc, ruleset, books)
    turn = -1 if books.turns is None else books.turns.now  # first: more may be learnt meanwhile
    which = present(decoded.head, len(decoded.heads))
    asked = Asked(decoded.heads, which, (turn, ruleset))
    origin = _places(which, decoded.head)
    spans = None if books.turns is None else decoded.kept.of(asked)
    if spans is None:
        one_row = np.empty(len(which), np.int64)
        one_row[origin] = np.arange(len(utc))
        spans = _spans(decoded, which, utc[one_row], ruleset, books.sensors)
    if not spans.hold(origin, utc):
        return _part_by_part(decoded, utc, ruleset, books)
    if books.turns is not None:
        decoded.kept.keep(asked, spans, len(utc))
    return Held(spans.origins, origin, ())


def present(numbers: Integers, count: int) -> Integers:
    """Give which of the numbers below ``count`` there are, each once, rising.

    >>> present(np.array([4, 1, 4]), 6).tolist()
    [1, 4]
    """
    return np.flatnonzero(np.bincount(numbers, minlength=count))


def _places(which: Integers, head: Integers) -> Integers:
    """Give the place in ``which``, rising, of each head."""
    place = np.empty(int(which[-1]) + 1, np.int64)
    place[which] = np.arange(len(which))
    found: Integers = place[head]
    return found


def _spans(
    decoded: Decoded, which: Integers, utc: Micros, ruleset: str, sensors: Mapping[str, Sensor]
) -> Spans:
    """Look up what held for heads, each at a time of its own."""
    heads = [decoded.heads[number] for number in which.tolist()]
    spans = [*map(_span, repeat(sensors), heads, utc.tolist())]
    return Spans(
        Origins(map(Origin, heads, [one.placement for one in spans], repeat(ruleset))),
        np.array([one.since for one in spans], np.int64),
        np.array([one.until for one in spans], np.int64),
    )


def _part_by_part(decoded: Decoded, utc: Micros, ruleset: str, books: Books) -> Held:
    """Look heads up one by one, for one of their readings each; then those that are left."""
    origins: list[Origin] = []
    hands: list[Hand] = []
    origin = np.empty(len(utc), np.int64)
    left = np.arange(len(utc))
    while len(left):
        which = present(decoded.head[left], len(decoded.heads))
        span = _places(which, decoded.head[left])
        one_row = np.empty(len(which), np.int64)
        one_row[span] = left
        heads = [decoded.heads[number] for number in which.tolist()]
        found, said = zip(*_said(heads, utc[one_row].tolist(), books), strict=True)
        since = np.array([one.since for one in found], np.int64)[span]
        until = np.array([one.until for one in found], np.int64)[span]
        inside = (utc[left] >= since) & (utc[left] < until)
        origin[left[inside]] = len(origins) + span[inside]
        origins += map(Origin, heads, [one.placement for one in found], repeat(ruleset))
        hands += said
        left = left[~inside]
    spoken = any(hand is not NO_HAND for hand in hands)
    return Held(Origins(origins), origin, hands if spoken else ())


def _said(heads: Sequence[Head], utc: Sequence[int], books: Books) -> Iterator[tuple[Span, Hand]]:
    """Give what held for heads, each at a time of its own, and what people say."""
    for head, at in zip(heads, utc, strict=True):
        said = _by_hand(books.overrides, head, at)
        yield _within(_span(books.sensors, head, at), said), said.hand


def _span(sensors: Mapping[str, Sensor], head: Head, utc: int) -> Span:
    sensor = sensors.get(head.sensor)
    return sensor.span(utc) if sensor else ALWAYS_UNKNOWN


def _by_hand(overrides: Overrides, head: Head, utc: int) -> HandSpan:
    hands = overrides.of(head.sensor, head.station)
    return NOTHING_SAID if hands is NOTHING else hands.at(utc)


def _within(span: Span, said: HandSpan) -> Span:
    """Give the times for which both hold."""
    if said is NOTHING_SAID:
        return span
    return Span(span.placement, max(span.since, said.since), min(span.until, said.until))
