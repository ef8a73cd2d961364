"""One step of the stream: raw records in, readings with their verdict out, beside some state.

Decode, judge each reading by itself, judge it between its neighbours, and fetch the earlier ones of
which the verdict has changed by that. Which state: that of the partition for what is new, another
for what is judged again (:mod:`stream_app.again`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import starmap

import numpy as np

from schemas.columnar import Integers
from schemas.topics import Topics
from stream_app.cleaned import CleanedColumns
from stream_app.judging.counting import counted
from stream_app.judging.decoding import DeadLetter, RawDecoder
from stream_app.judging.judge import Folds, Judge, told_by
from stream_app.judging.judged import Judged, joined
from stream_app.outputs.records import Finished
from stream_app.transport.batch import Batch
from stream_app.transport.recent import Recent
from stream_app.window.state import Overlay
from stream_app.window.verdict import Again, WindowVerdict

Choice = Callable[[Judged], Judged]
Found = WindowVerdict | Again
"""What the window says of readings: flags, what stands before, which are the newest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch came to: its readings as they were cleaned, and all that are to be sent."""

    cleaned: Mapping[str, CleanedColumns]
    finished: list[Finished]


class Step:
    """Takes batches of one partition number."""

    def __init__(
        self, number: int, topics: Topics, decoder: RawDecoder, judge: Judge, recent: Recent
    ) -> None:
        self._number = number
        self._topics = topics
        self._decoder = decoder
        self._judge = judge
        self._recent = recent

    def take(
        self,
        batch: Batch,
        overlay: Overlay,
        dead: list[DeadLetter],
        choose: Choice = lambda judged: judged,
    ) -> Taken:
        """Judge a batch; of its readings only those that are chosen, add to ``dead`` the unusable.

        Raises:
            Transient: broker or registry do not answer.
        """
        judged = {name: choose(one) for name, one in self._judged(batch, overlay, dead).items()}
        cleaned = {parameter: one.cleaned() for parameter, one in judged.items()}
        verdicts = overlay.judge(cleaned, self._judge.rulesets.history, self._judge.sensors)
        changed = {name: one.again for name, one in verdicts.items() if len(one.again.raw_offset)}
        fresh = starmap(self._made, _finished(judged, verdicts))
        return Taken(cleaned, [*self.again(changed, overlay), *fresh])

    def again(self, changed: Mapping[str, Again], folds: Folds) -> Iterator[Finished]:
        """Give earlier readings with other flags than they had, by parameter."""
        offsets = {name: again.raw_offset for name, again in changed.items()}
        for parameter, judged in self._found(offsets, folds).items():
            again = changed[parameter]
            order = np.argsort(again.raw_offset)
            place = order[np.searchsorted(again.raw_offset, judged.offsets, sorter=order)]
            yield self._made(judged, again.take(place))

    def _made(self, judged: Judged, found: Found) -> Finished:
        """Put readings and what the window found together.

        Where nothing is to be judged, verdicts are kept back; what is remembered holds them.
        """
        flags = found.flags if self._judge.validate else {}
        rules = self._judge.rulesets.history if self._judge.validate else None
        judged, flags = counted(judged, flags, found.before, rules)
        return Finished(judged, judged.wanted(flags), found.newest)

    def _judged(
        self, batch: Batch, overlay: Overlay, dead: list[DeadLetter]
    ) -> Mapping[str, Judged]:
        """Judge the batch's readings, and earlier ones that these move to another hour."""
        judged = self._judge.judged(self._decoder.decoded(batch, dead), overlay, dead)
        if not overlay.displaced:
            return judged
        moved = self._found(_places(overlay.displaced, judged), overlay)
        return {
            name: joined([moved[name], one] if name in moved else [one])
            for name, one in judged.items()
        }

    def _found(self, offsets: Mapping[str, Integers], folds: Folds) -> Mapping[str, Judged]:
        """Judge earlier readings once more, each by itself, by parameter."""
        records = [
            self._recent.find(self._topics.raw(parameter), self._number, at)
            for parameter, at in offsets.items()
        ]
        earlier = Batch(self._number, {one.topic: one for one in records if len(one)})
        unusable: list[DeadLetter] = []  # they were dead letters when they came
        parts = self._decoder.decoded(earlier, unusable)
        return self._judge.judged(parts, folds, unusable)


def _finished(
    judged: Mapping[str, Judged], verdicts: Mapping[str, WindowVerdict]
) -> Iterator[tuple[Judged, Found]]:
    for parameter, one in judged.items():
        if parameter not in verdicts:
            continue  # none of its readings was chosen
        verdict = verdicts[parameter]
        placed = one.placed(verdict.alone)
        if verdict.repeated.any():
            rows = np.flatnonzero(~verdict.repeated)
            flags = {name: column[rows] for name, column in verdict.flags.items()}
            before = None if verdict.before is None else verdict.before.take(rows)
            found = Again(placed.offsets[rows], flags, verdict.newest[rows], before)
            yield placed.take(rows), found
        else:
            yield placed, verdict


def _places(
    displaced: Iterable[tuple[str, int]], judged: Mapping[str, Judged]
) -> dict[str, Integers]:
    """Say of which parameter's topic the offsets are: that of the reading that displaced them."""
    parameter_of = {
        told_by(origin.head): parameter
        for parameter, one in judged.items()
        for origin in one.origins
    }
    found: dict[str, list[int]] = {}
    for who, offset in displaced:
        found.setdefault(parameter_of[who], []).append(offset)
    return {parameter: np.array(offsets, np.int64) for parameter, offsets in found.items()}
