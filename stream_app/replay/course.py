"""The course of one partition's replay: helping by helping from its beginning to its end.

One that was broken off reads what it had read once more, for the neighbours, and sends it no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stream_app.again.rehearsal import Rehearsal
from stream_app.again.scan import Scan
from stream_app.outputs.records import Finished
from stream_app.transport.batch import Batch


class Helping(NamedTuple):
    """What a step came to.

    Attributes:
        batch: the records that were judged.
        found: verdicts to be sent; none where they had been sent before.
        next: by raw topic, up to where all has been judged; None where that is known already.
        read: how many records were read.
    """

    batch: Batch
    found: list[Finished]
    next: Mapping[str, int] | None
    read: int


class Course:
    """Reads up to ``ends``; what lies before ``resumed``, if that is anything, has been sent."""

    def __init__(
        self,
        scan: Scan,
        rehearsal: Rehearsal,
        ends: Mapping[str, int],
        resumed: Mapping[str, int],
    ) -> None:
        self._scan = scan
        self._rehearsal = rehearsal
        self._ends = ends
        self._resumed = resumed

    @property
    def left(self) -> int:
        """How many records are still to be read."""
        return self._scan.left(self._ends)

    @property
    def _was_over(self) -> bool:
        at = self._resumed
        return bool(at) and all(at.get(topic, 0) >= end for topic, end in self._ends.items())

    def go_on(self, most: int) -> Helping | None:
        """Judge so many records at most; None at the end.

        Raises:
            Transient: broker or registry do not answer; begin anew.
        """
        if self._scan.done(self._ends) or self._was_over:
            return None
        known = bool(self._resumed) and not self._scan.done(self._resumed)
        before = self.left
        batch = self._scan.take(most, self._resumed if known else self._ends)
        found = self._rehearsal.take(batch)
        read = before - self.left
        return (
            Helping(batch, [], None, read)
            if known
            else Helping(batch, found, self._scan.next(), read)
        )
