"""What was said by hand of one sensor, cut into times in which one thing holds.

As metadata is: so the join finds it in the same way, and a change of it is noticed in the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from schemas.overrides import Override
from stream_app.metadata.sensors import FIRST, LAST


class Hand(NamedTuple):
    """What holds by hand of a reading.

    Attributes:
        flag: what takes the place of the tests' verdict; 0 where that stands.
        least: what the verdict is at least, since single measures are at fault; 0 for none.
        word: what the reason says of it.
    """

    flag: int
    least: int
    word: str


NO_HAND: Final = Hand(0, 0, "")
"""Nobody has said anything."""


class HandSpan(NamedTuple):
    """What holds by hand from ``since`` until before ``until``, in UTC microseconds."""

    hand: Hand
    since: int
    until: int


class Hands:
    """All that stands of what was said of one sensor."""

    def __init__(self, overrides: Iterable[Override]) -> None:
        said = sorted(
            (one for one in overrides if one.lifted is None), key=lambda one: (one.at, one.id)
        )
        bounds = {bound for one in said for bound in (one.since, one.until)}
        self._starts = [FIRST, *sorted(bounds - {FIRST})]
        self._hands = [_hand(said, at) for at in self._starts]

    def __bool__(self) -> bool:
        """Say whether anything was said at all."""
        return len(self._starts) > 1

    def at(self, time: int) -> HandSpan:
        """Give what holds at a time (UTC microseconds), and from when until when it does."""
        found = bisect_right(self._starts, time) - 1
        until = self._starts[found + 1] if found + 1 < len(self._starts) else LAST
        return HandSpan(self._hands[found], self._starts[found], until)

    def bounds(self) -> Iterator[int]:
        """Give the times at which something else may begin to hold."""
        yield from self._starts


def _hand(said: Iterable[Override], at: int) -> Hand:
    """Join what was said, in this order: the last word on a reading as a whole stands."""
    found = NO_HAND
    for one in said:
        if not one.since <= at < one.until:
            continue
        if one.measure is None:
            found = Hand(one.flag, 0, one.word)
        else:
            words = ",".join(filter(None, (found.word, f"{one.word}:{one.measure}")))
            found = Hand(found.flag, max(found.least, one.flag), words)
    return found


NOTHING: Final = Hands(())
"""Of a sensor of which nothing was said."""
NOTHING_SAID: Final = HandSpan(NO_HAND, FIRST, LAST)
