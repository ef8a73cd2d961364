"""Interleaved rounds, medians, ratios: what makes two figures comparable.

Every contestant runs once in each round, so a machine that slows down slows all of them. A rate is
the median over the rounds; a bar is a ratio of such medians. Nothing here asserts a time.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant: its median rate, and every rate it made."""

    name: str
    rate: float
    unit: str
    rounds: list[float]


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio, the bar it has to reach, and whether it does."""

    name: str
    value: float
    bar: float
    holds: bool


def at_least(name: str, value: float, bar: float) -> Bar:
    """Make a bar that is held from below.

    >>> at_least("ours / peer", 0.8, 0.5).holds
    True
    """
    return Bar(name, round(value, 3), bar, value >= bar)


def at_most(name: str, value: float, bar: float) -> Bar:
    """Make a bar that is held from above."""
    return Bar(name, round(value, 3), bar, value <= bar)


def interleaved(
    contestants: Mapping[str, Callable[[], float]], unit: str, rounds: int = 3
) -> dict[str, Run]:
    """Run every contestant once a round; each gives its rate."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with Progress(transient=True) as progress:
        task = progress.add_task("", total=rounds * len(contestants))
        for number in range(rounds):
            for name, run in contestants.items():
                progress.update(task, description=f"round {number + 1}: {name}")
                rates[name].append(run())
                progress.advance(task)
    return {
        name: Run(name, round(median(found)), unit, [round(rate) for rate in found])
        for name, found in rates.items()
    }


def report(name: str, runs: Mapping[str, Run], bars: list[Bar]) -> int:
    """Print a table, keep the result, and give the exit code: 1 where a bar is not held."""
    console = Console()
    table = Table("contestant", "median", "unit", "rounds", title=name)
    for run in runs.values():
        told = ", ".join(f"{rate:,}" for rate in run.rounds)
        table.add_row(run.name, f"{run.rate:,}", run.unit, told)
    console.print(table)
    for bar in bars:
        mark = "[green]holds[/]" if bar.holds else "[red]falls short[/]"
        console.print(f"{bar.name}: {bar.value} (bar {bar.bar}) {mark}")
    RESULTS.mkdir(exist_ok=True)
    result = {
        "machine": machine(),
        "runs": [asdict(run) for run in runs.values()],
        "bars": [asdict(bar) for bar in bars],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(bar.holds for bar in bars) else 1


def machine() -> dict[str, str | int | float]:
    """Say what was measured on, and how busy it was."""
    return {
        "cores": os.cpu_count() or 0,
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
