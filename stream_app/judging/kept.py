"""What held for the sensors of a batch, kept for the next one: a backlog brings the same again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.columnar import Integers, Mask
from stream_app.judging.heads import Head
from stream_app.judging.origins import Origins
from weather.arrays import Micros

_PAYS: Final = 4
"""Readings of each sensor: of fewer, what is kept takes more memory than it saves time."""


class Spans(NamedTuple):
    """Origins of k heads, and the times (UTC micros) from which and before which they hold."""

    origins: Origins
    since: Integers
    until: Integers

    def inside(self, origin: Integers, utc: Micros) -> Mask:
        """Say which readings, with these numbers, lie in their spans by their times."""
        found: Mask = (utc >= self.since[origin]) & (utc < self.until[origin])
        return found

    def hold(self, origin: Integers, utc: Micros) -> bool:
        """Say whether these are the origins of readings with these numbers and times."""
        return bool(self.inside(origin, utc).all())


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Whose spans are asked for: some of all ``heads``, by their numbers, which rise.

    ``as_of`` is the turn of what is known of them, and by which ruleset they are judged.
    """

    heads: Sequence[Head]
    which: Integers
    as_of: tuple[int, str]

    def same(self, other: Asked) -> bool:
        """Say whether the answer must be the same; heads are numbered anew in another list."""
        return (
            self.heads is other.heads
            and self.as_of == other.as_of
            and np.array_equal(self.which, other.which)
        )


class Kept:
    """The spans of one writer's last large batch."""

    def __init__(self) -> None:
        self._last: tuple[Asked, Spans] | None = None

    def of(self, asked: Asked) -> Spans | None:
        """Give the spans, if it is these that are kept."""
        if self._last is None or not self._last[0].same(asked):
            return None
        return self._last[1]

    def keep(self, asked: Asked, spans: Spans, readings: int) -> None:
        """Keep the spans of so many readings' heads, if it pays; what was kept stays if not.

        Between batches come a few readings whose verdict has changed.
        """
        if readings >= _PAYS * len(asked.which):
            self._last = asked, spans
