"""What the stream remembers of a partition: its last batch, repeated hours, and recent readings.

It lives in memory, and as records on the compacted state topic, written in the transaction of the
batch that changed it: whoever owns the partition next reads them back. A batch works on an
:class:`Overlay`, which is folded into the state only when its transaction is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.codec import Record
from stream_app.cleaned import CleanedColumns
from stream_app.metadata.sensors import Sensor
from stream_app.revisions import revision_of
from stream_app.window import folds
from stream_app.window.entries import Entries
from stream_app.window.folds import Displaced, Folds
from stream_app.window.hours import look_at_hours
from stream_app.window.incoming import Incoming, incoming
from stream_app.window.judge import judge_by, spiked
from stream_app.window.layout import Layout, in_full, in_order, split
from stream_app.window.replacing import replacing
from stream_app.window.rings import K, Rings, Rows
from stream_app.window.siting import NOBODY, classes_of
from stream_app.window.together import NOT_TOGETHER, Latest, affected, judge_together
from stream_app.window.verdict import WindowVerdict, verdicts
from stream_app.window.writing import Deltas, Writes, writes_of
from weather.arrays import Micros
from weather.qc.series import NEVER
from weather.ruleset_history import RulesetHistory

PARTITION_KEY: Final = "partition"


class State:
    """Memory of one partition, as of its last committed transaction."""

    def __init__(self, generation: int, batch: int = 0) -> None:
        self.generation = generation
        self.batch = batch
        self.positions: dict[str, int] = {}
        """Next offset of each raw topic behind the last batch."""
        self.folds: dict[str, list[folds.Entry]] = {}
        self.rings = Rings()
        self.latest = Latest.never(0)

    def overlay(self) -> Overlay:
        """Open the next batch."""
        return Overlay(self)

    def restore(self, key: str, record: Record) -> None:
        """Take in a record of the state topic that is no delta of a ring.

        A state of an earlier generation keeps its repeated hours but starts its batches anew.
        The number behind the last batch is left out: at least once, a batch may have used it whose
        state was not written any more.
        """
        if key != PARTITION_KEY:
            self.folds[key] = folds.from_record(record)
            return
        self.positions = record["positions"]
        if record["generation"] > self.generation:
            self.generation, self.batch = record["generation"], record["batch"] + 1
        elif record["generation"] == self.generation:
            self.batch = max(self.batch, record["batch"] + 1)


class Overlay:
    """What one batch adds to the state, until its transaction is committed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._folds = Folds(state.folds)
        self._latest = state.latest
        self._writes: list[Writes] = []
        self.batch = state.batch + 1
        self.positions = dict(state.positions)
        self.revision = revision_of(state.generation, self.batch)

    @property
    def displaced(self) -> list[Displaced]:
        """Rows of earlier batches that this one moved to the other hour: clean them with it."""
        return self._folds.displaced

    def fold(
        self,
        told_by: str,
        observed_local: int,
        source_key: str,
        raw_offset: int = folds.UNKNOWN,
        version: int = folds.OLDEST,
    ) -> int:
        """Tell whether a row holds the first (0) or second (1) coming of a repeated local time."""
        return self._folds.fold(told_by, observed_local, source_key, raw_offset, version)

    def version(self, told_by: str, observed_local: int, source_key: str, version: int) -> int:
        """Give the version under which such a row is to stand in its hour."""
        return self._folds.version(told_by, observed_local, source_key, version)

    def newest(self, parameter: str, sensors: Sequence[str]) -> tuple[Micros, NDArray[np.int64]]:
        """Give time and version of the newest reading of each sensor before this batch.

        Both of shape (len(sensors),), NEVER where there is none.
        """
        rings = self._state.rings
        rows = rings.known(parameter, sensors)
        at, version = np.full(len(rows), NEVER), np.full(len(rows), NEVER)
        heard = np.flatnonzero(rows >= 0)
        heard = heard[rings.count[rows[heard]] > 0]
        places = rings.slots(rows[heard], 0)
        at[heard], version[heard] = rings.entries["at"][places], rings.entries["version"][places]
        return at, version

    def judge(
        self,
        columns: Mapping[str, CleanedColumns],
        rules: RulesetHistory,
        sensors: Mapping[str, Sensor] = NOBODY,
    ) -> dict[str, WindowVerdict]:
        """Judge the batch's readings by their neighbours; called once, with all parameters.

        ``sensors`` say of which class stations are; asked only where limits depend on that.
        """
        columns = {name: found for name, found in columns.items() if len(found.sensor)}
        if not columns:
            return {}
        readings = incoming(columns, self._state.rings, rules)
        judged = list[tuple[Layout, Entries]]()
        for layout in self._layouts(readings, rules):
            entries, samples = self._judged(layout, rules, sensors)
            self._writes.append(writes_of(self._state.rings, layout, entries, samples))
            judged.append((layout, entries))
        return verdicts(columns, readings, judged)

    def replace(self, places: Rows, entries: Entries, samples: Deltas) -> None:
        """Put entries in the place of remembered ones, of the same readings; instead of judging.

        And hourly samples in the place of others.
        """
        rings = self._state.rings
        self._writes = [replacing(rings, places, entries, samples)]
        self._latest = self._latest.of(rings, places // K, entries)

    def deltas(self) -> list[Deltas]:
        """Give what the rings' changelog is to hold of this batch."""
        parts = [part for writes in self._writes for part in (writes.deltas, writes.samples)]
        return [part for part in parts if len(part.rows)]

    def changes(self) -> Iterator[tuple[str, str, Record]]:
        """Give key, schema and record of everything else that changed, for the state topic.

        Last comes what says that the batch is complete.
        """
        for sensor, entries in self._folds.learned.items():
            yield sensor, "sensor_folds", folds.to_record(entries)
        generation, positions = self._state.generation, self.positions
        state = {"generation": generation, "batch": self.batch, "positions": positions}
        yield PARTITION_KEY, "partition_state", state

    def commit(self) -> None:
        """Fold the batch into the state: its transaction is committed."""
        self._state.batch = self.batch
        self._state.positions = self.positions
        self._state.folds.update(self._folds.learned)
        self._state.latest = self._latest
        for writes in self._writes:
            writes.apply(self._state.rings)

    def _layouts(self, readings: Incoming, rules: RulesetHistory) -> Iterator[Layout]:
        rings = self._state.rings
        winning = readings.pick(np.flatnonzero(readings.wins & (readings.rank < NOT_TOGETHER)))
        self._latest = self._latest.of(rings, winning.row, winning.entries)
        forced = affected(rings, self._latest, winning)
        ordered, between = split(rings, readings, forced)
        if len(ordered):
            yield in_order(rings, readings, ordered, spiked(rules))
        if len(between) or len(forced):
            yield in_full(rings, readings, between, forced)

    def _judged(
        self, layout: Layout, rules: RulesetHistory, sensors: Mapping[str, Sensor]
    ) -> tuple[Entries, Deltas]:
        sited = classes_of(sensors, self._state.rings, layout) if rules.by_class else None
        judged = judge_by(layout, rules, sited)
        samples = look_at_hours(self._state.rings, layout, judged, rules, sited)
        if layout.whole:
            judge_together(self._state.rings, layout, judged)
            self._latest = self._latest.of(
                self._state.rings, np.repeat(layout.rows, layout.lengths), judged
            )
        return judged, Deltas.of_samples(*samples)


def schema_of_key(key: str) -> str:
    """Name the schema of a state record by its key."""
    return "partition_state" if key == PARTITION_KEY else "sensor_folds"
