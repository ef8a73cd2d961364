"""What a person sees of a backfill: a bar for each table, with rows, pace, chunks and what is left.

Where nobody looks, the same goes out as lines of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from operate.foreground import plain
from producers.backfill.options import Report
from producers.backfill.progress import TableState

_LINE_SECONDS: Final = 5.0


class Screen(Protocol):
    """Somewhere a report is shown."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""

    def draw(self, report: Report) -> None:
        """Show how it stands."""


class Bars:
    """Draws on a terminal."""

    def __init__(self, console: Console) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[told]}"),
            console=console,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state on the terminal."""
        self._progress.stop()

    def draw(self, report: Report) -> None:
        """Draw a bar for each table."""
        for table in report.tables:
            if table.table not in self._tasks:
                self._tasks[table.table] = self._progress.add_task(table.table, told="")
            total, done = max(table.chunks, 1), table.chunks_done
            done = total if table.finished else done
            task = self._tasks[table.table]
            self._progress.update(task, total=total, completed=done, told=told(table))


class Lines:
    """Prints a line of JSON now and then; ``clock`` gives rising seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def draw(self, report: Report) -> None:
        """Print a line, unless the last one was just before."""
        if self._clock() >= self._due:
            self._due = self._clock() + _LINE_SECONDS
            self.last(report, "running")

    def last(self, report: Report, state: str) -> None:
        """Print a line, whatever was before."""
        sys.stdout.write(json.dumps({"state": state, **as_document(report)}) + "\n")
        sys.stdout.flush()


def as_document(report: Report) -> dict[str, Any]:
    """Give a report in the form of JSON."""
    document: dict[str, Any] = plain(report)
    document["tables"] = [plain(table) for table in report.tables]
    return document


def told(table: TableState) -> str:
    """Say how a table stands.

    >>> told(TableState("t", 500, 1000, 900, 4, 2, 250.0, 2.0))
    '500 of 1,000 rows, 250/s, chunk 2 of 4, 2 s left'
    """
    parts = [f"{table.rows:,} of {table.rows_expected:,} rows"]
    if table.rows_per_second:
        parts.append(f"{table.rows_per_second:,.0f}/s")
    parts.append(f"chunk {table.chunks_done:,} of {table.chunks:,}")
    if table.eta_seconds and not table.finished:
        parts.append(f"{duration(table.eta_seconds)} left")
    if table.errors:
        parts.append(f"{len(table.errors)} failed")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Write a duration.

    >>> duration(42), duration(600), duration(100_000)
    ('42 s', '10 min', '27 h 46 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
