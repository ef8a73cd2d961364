"""What a long `Stack.up` tells its caller, and a terminal rendering of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Event:
    """One step of one part; ``done`` and ``total`` count bytes where a total is known."""

    part: str
    step: str
    done: int = 0
    total: int | None = None


Progressed = Callable[[Event], None]
"""Receives every event; it may be called from several threads at once."""

_FINAL_STEPS: Final = frozenset({"ready", "fetched"})


def silent(event: Event) -> None:
    """Drop the event: for callers who do not watch."""


class Bars:
    """Shows events as one line per part: a context manager to pass as ``progress``."""

    def __init__(self, console: Console | None = None) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, TaskID] = {}
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[size]}"),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state of every line on the screen."""
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Draw the event on its part's line."""
        with self._lock:
            if event.part not in self._lines:
                self._lines[event.part] = self._bars.add_task(event.part, total=None, size="")
            line = self._lines[event.part]
        finished = event.step in _FINAL_STEPS
        self._bars.update(
            line,
            description=f"{event.part:<10}{event.step}",
            completed=event.done or int(finished),
            total=event.total or (1 if finished else None),
            size=f"{event.done / 1e6:.0f}/{event.total / 1e6:.0f} MB" if event.total else "",
        )
