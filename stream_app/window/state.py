"""What the stream remembers of a partition: the number of its last batch, and the repeated hours.

It lives in memory, and as records on the compacted state topic, written in the transaction of the
batch that changed it: whoever owns the partition next reads them back. A batch works on an
:class:`Overlay`, which is folded into the state only when its transaction is committed.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from typing import Final

from schemas.codec import Record

PARTITION_KEY: Final = "partition"
REVISIONS_A_GENERATION: Final = 2**40
_DAY_MICROS: Final = 24 * 3600 * 1_000_000

Entry = tuple[int, str]
"""An ambiguous local time in microseconds, and the key of a source row that has it."""


def revision_of(generation: int, batch: int) -> int:
    """Number a batch so that a later generation wins over every batch of an earlier one.

    >>> revision_of(1, 0) > revision_of(0, 2**40 - 1)
    True
    """
    return generation * REVISIONS_A_GENERATION + batch


def key_order(source_key: str) -> tuple[int, str]:
    """Order source keys as their database does: numbers by size, text by letters.

    >>> sorted(["10", "9", "b"], key=key_order)
    ['9', 'b', '10']
    """
    return (len(source_key), source_key)


class State:
    """Memory of one partition, as of its last committed transaction."""

    def __init__(self, generation: int, batch: int = 0) -> None:
        self.generation = generation
        self.batch = batch
        self.folds: dict[str, list[Entry]] = {}

    def overlay(self) -> Overlay:
        """Open the next batch."""
        return Overlay(self)

    def restore(self, key: str, record: Record) -> None:
        """Take in a record of the state topic.

        A state of an earlier generation keeps its repeated hours but starts its batches anew.
        """
        if key == PARTITION_KEY:
            if record["generation"] > self.generation:
                self.generation, self.batch = record["generation"], record["batch"]
            elif record["generation"] == self.generation:
                self.batch = max(self.batch, record["batch"])
        else:
            self.folds[key] = list(
                zip(record["observed_local"], record["source_keys"], strict=True)
            )


class Overlay:
    """What one batch adds to the state, until its transaction is committed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._folds: dict[str, list[Entry]] = {}
        self.batch = state.batch + 1
        self.revision = revision_of(state.generation, self.batch)

    def fold(self, sensor: str, observed_local: int, source_key: str) -> int:
        """Tell whether a row holds the first (0) or second (1) coming of a repeated local time.

        Of the rows of a sensor with the same local time, the one written first, by its key, is
        summer time. The answer for a row does not change when the row comes again.
        """
        entries = self._entries(sensor)
        same = [key for local, key in entries if local == observed_local]
        if source_key not in same:
            insort(entries, (observed_local, source_key))
            self._folds[sensor] = [e for e in entries if e[0] > observed_local - _DAY_MICROS]
            same.append(source_key)
        return min(1, sorted(same, key=key_order).index(source_key))

    def _entries(self, sensor: str) -> list[Entry]:
        if sensor in self._folds:
            return list(self._folds[sensor])
        return list(self._state.folds.get(sensor, []))

    def changes(self) -> Iterator[tuple[str, str, Record]]:
        """Give key, schema and record of everything that changed, for the state topic."""
        state = {"generation": self._state.generation, "batch": self.batch}
        yield PARTITION_KEY, "partition_state", state
        for sensor, entries in self._folds.items():
            yield sensor, "sensor_folds", _folds_record(entries)

    def commit(self) -> None:
        """Fold the batch into the state: its transaction is committed."""
        self._state.batch = self.batch
        self._state.folds.update(self._folds)


def _folds_record(entries: Iterable[Entry]) -> Record:
    pairs = list(entries)
    return {"observed_local": [local for local, _ in pairs], "source_keys": [k for _, k in pairs]}


def schema_of_key(key: str) -> str:
    """Name the schema of a state record by its key."""
    return "partition_state" if key == PARTITION_KEY else "sensor_folds"
