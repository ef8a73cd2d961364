"""What is remembered of a sensor's metadata: enough to tell when it changed, and for which times.

A form cuts all time into pieces in which one thing held, and names what held by a number. Two forms
are compared piece by piece; readings of the pieces that differ are to be judged again.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from typing import Final, NamedTuple

from stream_app.metadata.sensors import FIRST, LAST, UNKNOWN, Placement, Sensor

_NOTHING: Final = 0


class Piece(NamedTuple):
    """From ``since`` (UTC microseconds) until the next piece one thing held.

    ``digest`` names all of it, ``calibration`` what makes values; 0 says that nothing is known.
    """

    since: int
    digest: int
    calibration: int


Form = tuple[Piece, ...]
"""Pieces by time, the first from :data:`~stream_app.metadata.sensors.FIRST`."""

UNKNOWN_FORM: Final[Form] = (Piece(FIRST, _NOTHING, _NOTHING),)
"""Form of a sensor without metadata."""

UNCERTAIN: Final[Form] = (Piece(FIRST, -1, -1),)
"""It is not known what held: every form differs from it, everywhere."""


class Change(NamedTuple):
    """What holds from ``since`` until before ``until`` has changed.

    ``valued`` says whether values may have: else only what is told beside them, such as the place.
    """

    since: int
    until: int
    valued: bool


def form_of(sensor: Sensor | None) -> Form:
    """Give the form of what is known of a sensor now.

    >>> form_of(None) == UNKNOWN_FORM
    True
    """
    if sensor is None:
        return UNKNOWN_FORM
    found: list[Piece] = []
    for span in sensor.spans():
        piece = Piece(span.since, _digest(span.placement), _calibration(span.placement))
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


def _bounds(*forms: Form) -> Iterator[int]:
    yield from sorted({piece.since for form in forms for piece in form})
    yield LAST


def _at(form: Form, at: int) -> Piece:
    return next(piece for piece in reversed(form) if piece.since <= at)


def _digest(placement: Placement) -> int:
    if placement is UNKNOWN:
        return _NOTHING
    fields = sorted(placement.fields.items())
    return _number(repr((fields, placement.scale, placement.offset)))


def _calibration(placement: Placement) -> int:
    """Name what makes a value; one without metadata is what was measured, as by 1 and 0."""
    if placement is UNKNOWN or (placement.scale, placement.offset) == (1.0, 0.0):
        return _NOTHING
    return _number(repr((placement.scale, placement.offset)))


def _number(text: str) -> int:
    named = int.from_bytes(blake2b(text.encode(), digest_size=7).digest())
    return named or 1
