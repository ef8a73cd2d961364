"""How far a backfill is, by table: rows, rows a second, chunks, and when it may be done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from producers.backfill.journal import ChunkState
from producers.backfill.plan import Chunk, Plan


@dataclass(frozen=True, slots=True)
class TableState:
    """One table.

    Attributes:
        rows: rows published by this job, in all its runs.
        rows_expected: rows that the survey found; more may have come since.
        chunks: all chunks of the plan.
        chunks_done: those of which nothing is left.
        rows_per_second: by this run alone.
        eta_seconds: what the rest takes at that pace; None while there is no telling.
        undated: rows without an observation time, which no range finds.
        errors: what could not be read, and why.
    """

    table: str
    rows: int = 0
    rows_expected: int = 0
    readings: int = 0
    chunks: int = 0
    chunks_done: int = 0
    rows_per_second: float = 0.0
    eta_seconds: float | None = None
    undated: int = 0
    errors: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return not self.errors and self.chunks_done == self.chunks


@dataclass(slots=True)
class _Tally:
    expected: int = 0
    chunks: int = 0
    done: int = 0
    rows: int = 0
    readings: int = 0
    rows_before: int = 0
    undated: int = 0
    ended_at: float | None = None
    errors: list[str] = field(default_factory=list)


class Progress:
    """Counts for all workers; ``clock`` gives rising seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._tallies: dict[str, _Tally] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Note that the work begins: pace is counted from here."""
        self._since = self._clock()

    def begin(self, plan: Plan, states: Collection[ChunkState], undated: int = 0) -> None:
        """Take in a table, and what earlier runs did of it."""
        rows = sum(state.rows for state in states)
        readings = sum(state.readings for state in states)
        done = sum(state.done for state in states)
        tally = _Tally(plan.rows, len(plan.chunks()), done, rows, readings, rows, undated)
        with self._lock:
            self._tallies[plan.table] = tally

    def skip(self, plan: Plan, rows: int, readings: int) -> None:
        """Take in a table that an earlier run has done."""
        chunks = len(plan.chunks())
        with self._lock:
            self._tallies[plan.table] = _Tally(plan.rows, chunks, chunks, rows, readings, rows)

    def add(self, chunk: Chunk, rows: int, readings: int, *, done: bool) -> None:
        """Count a page that was published."""
        with self._lock:
            tally = self._tallies[chunk.table]
            tally.rows += rows
            tally.readings += readings
            tally.done += done
            tally.ended_at = self._clock() if tally.done == tally.chunks else None

    def fail(self, table: str, problem: str) -> None:
        """Note what could not be read."""
        with self._lock:
            self._tallies.setdefault(table, _Tally()).errors.append(problem)

    def states(self) -> list[TableState]:
        """Give how far each table is."""
        now = self._clock()
        with self._lock:
            return [
                _state(table, tally, (tally.ended_at or now) - self._since)
                for table, tally in self._tallies.items()
            ]


def _state(table: str, tally: _Tally, seconds: float) -> TableState:
    rate = (tally.rows - tally.rows_before) / seconds if seconds > 0 else 0.0
    left = max(0, tally.expected - tally.rows)
    return TableState(
        table,
        rows=tally.rows,
        rows_expected=tally.expected,
        readings=tally.readings,
        chunks=tally.chunks,
        chunks_done=tally.done,
        rows_per_second=round(rate, 1),
        eta_seconds=round(left / rate, 1) if rate > 0 else None,
        undated=tally.undated,
        errors=tuple(tally.errors),
    )
