"""The stream's own judging over readings that lie ready: steps, state and rings, without a broker.

What comes out is what the clean topics would hold in the end: of each reading the last verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from operate.quality.readings import TOPICS, Past
from schemas.columnar import Integers
from stream_app.judging.decoding import DeadLetter, Decoded, RawDecoder
from stream_app.judging.judge import Judge
from stream_app.judging.judged import Judged, joined
from stream_app.outputs.records import Finished
from stream_app.rulesets.table import Rulesets
from stream_app.step import Step
from stream_app.transport.batch import Batch, Records
from stream_app.transport.recent import Archive, Recent
from stream_app.window.state import State
from weather.arrays import Bools, Flags
from weather.qc.flags import Flag
from weather.ruleset import DEFAULT, Ruleset

_ALL_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The last word on every reading of a parameter, in the order of their offsets.

    ``flags`` holds every test's by its field; ``flag`` is their aggregate.
    """

    judged: Judged
    flags: Mapping[str, Flags]
    flag: Flags

    @property
    def bad(self) -> Bools:
        """Which readings are suspect or failed."""
        return is_bad(self.flag)

    def by_offset(self, count: int) -> Flags:
        """Give the aggregate by offset; missing where a reading gave way to another."""
        found = np.full(count, np.int32(Flag.MISSING))
        found[self.judged.offsets] = self.flag
        return found


def is_bad(flags: Flags) -> Bools:
    """Say which flags are suspect or fail."""
    found: Bools = (flags == Flag.SUSPECT) | (flags == Flag.FAIL)
    return found


def verdicts(past: Past, ruleset: Ruleset = DEFAULT) -> dict[str, Verdicts]:
    """Judge a past as the stream does, page by page; by parameter."""
    finished: dict[str, list[Finished]] = {}
    judge = Judge(past.sensors, past.mappings, Rulesets(ruleset))
    recent = Recent(_ALL_BYTES, _Nothing())
    step = Step(0, TOPICS, _Ready(past.readings), judge, recent)
    state = State(0)
    for batch in _batches(past):
        overlay, dead = state.overlay(), list[DeadLetter]()
        for one in step.take(batch, overlay, dead).finished:
            finished.setdefault(one.judged.parameter, []).append(one)
        overlay.commit()
        recent.keep(batch)
    return {parameter: _last(parts) for parameter, parts in finished.items()}


class _Ready(RawDecoder):
    """Gives readings that are decoded already, by the offsets of a batch."""

    def __init__(self, readings: Mapping[str, Decoded]) -> None:
        self._readings = {TOPICS.raw(name): decoded for name, decoded in readings.items()}

    def decoded(self, batch: Batch, dead: list[DeadLetter]) -> list[Decoded]:
        """Pick the readings of a batch."""
        del dead
        return [
            self._readings[topic].take(records.offsets) for topic, records in batch.records.items()
        ]


class _Nothing(Archive):
    """An archive that is never asked: everything is recent."""

    def __init__(self) -> None:
        pass

    def read(self, topic: str, partition: int, offsets: Integers) -> Records:
        """Refuse."""
        raise LookupError(topic, partition, offsets)


def _batches(past: Past) -> Iterator[Batch]:
    last = max((int(page[-1]) for page in past.page.values()), default=-1)
    for number in range(last + 1):
        records = {}
        for name, page in past.page.items():
            start, stop = np.searchsorted(page, [number, number + 1]).tolist()
            if start < stop:
                whole = past.readings[name].records
                records[TOPICS.raw(name)] = whole.take(np.arange(start, stop))
        if records:
            yield Batch(0, records)


def _last(parts: list[Finished]) -> Verdicts:
    """Of each reading keep what was said last."""
    judged = joined([part.judged for part in parts])
    order = np.argsort(np.concatenate([part.judged.offsets for part in parts]), kind="stable")
    flags = {
        name: np.concatenate([part.flags[name] for part in parts])[order] for name in parts[0].flags
    }
    last = np.append(judged.offsets[1:] != judged.offsets[:-1], True)
    rows = np.flatnonzero(last)
    kept, flags = judged.take(rows), {name: column[rows] for name, column in flags.items()}
    return Verdicts(kept, {**kept.own_flags, **flags}, kept.overall(flags))
