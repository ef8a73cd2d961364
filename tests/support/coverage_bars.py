"""Holds coverage to its bars: 90 % of branches where there is no I/O, 80 % over all."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import coverage
from rich.console import Console
from rich.table import Table

from tests.support.requirements import note

PURE = ("weather", "schemas")
BARS = dict.fromkeys(PURE, 90.0) | {"all": 80.0}


def main() -> int:
    """Print branch coverage by room; the exit code is 1 where a bar is not held."""
    covered = _by_room()
    table = Table("room", "lines and branches %", "bar %", title="coverage")
    for room, percent in sorted(covered.items()):
        table.add_row(room, f"{percent:.1f}", f"{BARS[room]:.0f}" if room in BARS else "")
    Console().print(table)
    short = [room for room, bar in BARS.items() if covered.get(room, 0.0) < bar]
    note({"make coverage": (["E9"], "failed" if short else "passed")})
    if short:
        print(f"coverage falls short in: {', '.join(short)}")  # noqa: T201
    return 1 if short else 0


def _by_room() -> dict[str, float]:
    data = coverage.Coverage()
    data.combine(keep=True)
    data.load()
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "coverage.json"
        data.json_report(outfile=str(report))
        files = json.loads(report.read_text())["files"]
    hit: dict[str, int] = defaultdict(int)
    there: dict[str, int] = defaultdict(int)
    for name, file in files.items():
        summary = file["summary"]
        for room in (Path(name).parts[0], "all"):
            hit[room] += summary["covered_lines"] + summary["covered_branches"]
            there[room] += summary["num_statements"] + summary["num_branches"]
    return {room: 100.0 * hit[room] / there[room] for room in there if there[room]}


if __name__ == "__main__":
    sys.exit(main())
