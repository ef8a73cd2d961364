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
from stream_app.judging.kept import Asked, Kept, Spans
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
    turns, kept = books.turns, decoded.kept
    if turns is None:
        turns, kept = Turns(), Kept()
    which, origin = _numbered(decoded, decoded.head)
    asked = Asked(decoded.heads, which, (turns.now, ruleset))  # more may be learnt meanwhile
    spans = kept.of(asked)
    if spans is None:
        heads, times = _one_each(decoded, which, origin, utc)
        spans = _spans(heads, [*map(_span, repeat(books.sensors), heads, times)], ruleset)
    if not spans.hold(origin, utc):
        return _part_by_part(decoded, utc, ruleset, books)
    kept.keep(asked, spans, len(utc))
    return Held(spans.origins, origin, ())


def present(numbers: Integers, count: int) -> Integers:
    """Give which of the numbers below ``count`` there are, each once, rising.

    >>> present(np.array([4, 1, 4]), 6).tolist()
    [1, 4]
    """
    return np.flatnonzero(np.bincount(numbers, minlength=count))


def _numbered(decoded: Decoded, head: Integers) -> tuple[Integers, Integers]:
    """Give which heads there are, rising, and the place of each reading's among them."""
    which = present(head, len(decoded.heads))
    place = np.empty(len(decoded.heads), np.int64)
    place[which] = np.arange(len(which))
    return which, place[head]


def _one_each(
    decoded: Decoded, which: Integers, origin: Integers, utc: Micros
) -> tuple[list[Head], list[int]]:
    """Give these heads, and of each the time of one of its readings."""
    one_row = np.empty(len(which), np.int64)
    one_row[origin] = np.arange(len(utc))
    return [decoded.heads[number] for number in which.tolist()], utc[one_row].tolist()


def _spans(heads: Sequence[Head], found: Sequence[Span], ruleset: str) -> Spans:
    """Put together what was found of heads."""
    return Spans(
        Origins(map(Origin, heads, [one.placement for one in found], repeat(ruleset))),
        np.array([one.since for one in found], np.int64),
        np.array([one.until for one in found], np.int64),
    )


def _part_by_part(decoded: Decoded, utc: Micros, ruleset: str, books: Books) -> Held:
    """Look heads up one by one, for one of their readings each; then those that are left."""
    origins: list[Origin] = []
    hands: list[Hand] = []
    origin = np.empty(len(utc), np.int64)
    left = np.arange(len(utc))
    while len(left):
        which, number = _numbered(decoded, decoded.head[left])
        heads, times = _one_each(decoded, which, number, utc[left])
        found, said = zip(*_said(heads, times, books), strict=True)
        spans = _spans(heads, found, ruleset)
        inside = spans.inside(number, utc[left])
        origin[left[inside]] = len(origins) + number[inside]
        origins += spans.origins
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
