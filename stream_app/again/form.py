"""What is remembered of that by which a sensor's readings were judged: enough to tell a change.

That is its metadata, the rulesets, and what people say of it; the built-in ruleset is not told.

A form cuts all time into pieces in which one thing held, and names what held by a number. Two forms
are compared piece by piece; readings of the pieces that differ are to be judged again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from typing import Final, NamedTuple

from stream_app.metadata.sensors import ALWAYS_UNKNOWN, FIRST, LAST, UNKNOWN, Placement, Sensor
from stream_app.overrides.hands import NO_HAND, NOTHING, Hand, Hands
from weather.ruleset import DEFAULT, Ruleset
from weather.ruleset_history import RulesetHistory

_NOTHING: Final = 0
_BUILT_IN: Final = RulesetHistory()


class Piece(NamedTuple):
    """From ``since`` (UTC microseconds) until the next piece one thing held.

    ``digest`` names all of it, ``calibration`` what makes values and the tests' verdicts on them; 0
    says that nothing is known.
    """

    since: int
    digest: int
    calibration: int


Form = tuple[Piece, ...]
"""Pieces by time, the first from :data:`~stream_app.metadata.sensors.FIRST`."""

UNKNOWN_FORM: Final[Form] = (Piece(FIRST, _NOTHING, _NOTHING),)
"""Form of a sensor without metadata."""

_UNSURE: Final = -1
UNCERTAIN: Final[Form] = (Piece(FIRST, _UNSURE, _UNSURE),)
"""It is not known what held: every form differs from it, everywhere."""


class Change(NamedTuple):
    """What holds from ``since`` until before ``until`` has changed.

    ``valued`` says whether values or the tests' verdicts may have: else only what is told beside
    them, such as the place, or what people say.
    """

    since: int
    until: int
    valued: bool


def form_of(
    sensor: Sensor | None, rules: RulesetHistory = _BUILT_IN, hands: Hands = NOTHING
) -> Form:
    """Give the form of what is known of a sensor now.

    >>> form_of(None) == UNKNOWN_FORM
    True
    """
    if sensor is None and len(rules.rulesets) == 1 and not hands:
        return UNKNOWN_FORM
    spans = [*sensor.spans()] if sensor else [ALWAYS_UNKNOWN]
    starts = [span.since for span in spans]
    bounds = {*starts, *hands.bounds(), *rules.starts}
    found: list[Piece] = []
    for since in sorted(bounds):
        placement = spans[bisect_right(starts, since) - 1].placement
        ruleset, hand = _version(rules.at(since)), hands.at(since).hand
        piece = Piece(since, _digest(placement, ruleset, hand), _valuing(placement, ruleset))
        if not found or found[-1][1:] != piece[1:]:
            found.append(piece)
    return tuple(found)


def changes(old: Form, new: Form) -> list[Change]:
    """Give the times for which two forms differ, joined where they touch and are of one kind.

    >>> later = (*UNKNOWN_FORM, Piece(10, 7, 0))
    >>> changes(UNKNOWN_FORM, later) == [Change(10, LAST, valued=False)]
    True
    """
    found: list[Change] = []
    for since, until in pairwise(_bounds(old, new)):
        before, after = _at(old, since), _at(new, since)
        if before.digest == after.digest:
            continue
        change = Change(since, until, before.calibration != after.calibration)
        touches = found and (found[-1].until, found[-1].valued) == (since, change.valued)
        found.append(change._replace(since=found.pop().since) if touches else change)
    return found


def blurred(one: Form, other: Form) -> Form:
    """Give a form from which both differ, and any other, wherever these two differ.

    >>> later = (*UNKNOWN_FORM, Piece(10, 7, 0))
    >>> changes(blurred(UNKNOWN_FORM, later), UNKNOWN_FORM) == [Change(10, LAST, valued=False)]
    True
    """
    found: list[Piece] = []
    for since in sorted({piece.since for form in (one, other) for piece in form}):
        first, second = _at(one, since), _at(other, since)
        digest = first.digest if first.digest == second.digest else _UNSURE
        same = first.calibration == second.calibration
        piece = Piece(since, digest, first.calibration if same else _UNSURE)
        if not found or found[-1][1:] != piece[1:]:
            found.append(piece)
    return tuple(found)


def _bounds(*forms: Form) -> Iterator[int]:
    yield from sorted({piece.since for form in forms for piece in form})
    yield LAST


def _at(form: Form, at: int) -> Piece:
    return next(piece for piece in reversed(form) if piece.since <= at)


def _version(ruleset: Ruleset) -> str:
    """Name a ruleset; the built-in one has no name, whichever a release brings."""
    return "" if ruleset is DEFAULT else ruleset.version


def _digest(placement: Placement, ruleset: str, hand: Hand) -> int:
    lapsed = f"lapsed {placement.expires}" if placement.lapsed else ""
    said = [*filter(None, (ruleset, "" if hand is NO_HAND else hand, lapsed))]
    if placement is UNKNOWN:
        return _number(repr(said)) if said else _NOTHING
    fields = sorted(placement.fields.items())
    return _number(repr((fields, placement.scale, placement.offset, *said)))


def _valuing(placement: Placement, ruleset: str) -> int:
    """Name what makes values and verdicts; without metadata they are of 1 and 0."""
    plain = placement is UNKNOWN or (placement.scale, placement.offset) == (1.0, 0.0)
    calibration = () if plain else (placement.scale, placement.offset)
    siting = f"class {placement.station_class}" if placement.station_class else ""
    said = (*calibration, *filter(None, (ruleset, siting)))
    return _number(repr(said)) if said else _NOTHING


def _number(text: str) -> int:
    named = int.from_bytes(blake2b(text.encode(), digest_size=7).digest())
    return named or 1
