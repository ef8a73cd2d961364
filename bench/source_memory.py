"""`make bench-source-memory`: the source's memory while millions of readings pass through it.

The long table is read again and again from its beginning, by sources of other names, so that ten
million readings need no ten million rows. Its resident memory is looked at after every page.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

import psutil
import yaml
from rich.console import Console
from rich.progress import Progress

from bench.harness import RESULTS, Bar, at_most, machine
from bench.source_databases import in_sqlite
from devstack.stack import Stack
from producers.progress import Summary
from producers.settings import SourceSettings
from producers.stage import run
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics

READINGS: Final = 10_000_000
MEBIBYTE: Final = 1024 * 1024
LIMIT_MIB: Final = 300.0
GROWTH_MIB: Final = 20.0


def main() -> int:
    """Measure, print, and keep the result."""
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack.at(Path(directory) / "stack")
        stack.up()
        try:
            seen = _measure(Path(directory), stack)
        finally:
            stack.wipe()
    quarter = len(seen) // 4
    first, last = max(seen[quarter : 2 * quarter]), max(seen[-quarter:])
    bars = [
        at_most("resident memory, MiB", max(seen), LIMIT_MIB),
        at_most("growth from the second to the last quarter, MiB", last - first, GROWTH_MIB),
    ]
    return _report(bars)


def _measure(directory: Path, stack: Stack) -> list[float]:
    kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
    registry = RegistrySettings(url=stack.registry_url)
    database = in_sqlite(directory)
    process, seen = psutil.Process(), list[float]()
    with Progress() as progress:
        task = progress.add_task("readings", total=READINGS)
        for number in range(READINGS // database.rows + 1):
            before = 0

            def look(summary: Summary) -> None:
                nonlocal before
                seen.append(process.memory_info().rss / MEBIBYTE)
                progress.advance(task, summary.rows - before)
                before = summary.rows

            settings = SourceSettings(url=database.url, mapping=_renamed(database.mapping, number))
            topics = Topics(partitions=4)
            run(settings, kafka, registry, topics, threading.Event(), once=True, watcher=look)
    return seen


def _renamed(mapping: Path, number: int) -> Path:
    document = yaml.safe_load(mapping.read_text())
    document["source"] = f"sample-{number}"
    renamed = mapping.with_name(f"mapping-{number}.yaml")
    renamed.write_text(yaml.safe_dump(document))
    return renamed


def _report(bars: list[Bar]) -> int:
    for bar in bars:
        mark = "[green]holds[/]" if bar.holds else "[red]falls short[/]"
        Console().print(f"{bar.name}: {bar.value:.1f} (at most {bar.bar:.0f}) {mark}")
    result = {
        "machine": machine(),
        "runs": [{"name": "readings", "rate": READINGS, "unit": "readings"}],
        "bars": [{"name": b.name, "value": b.value, "bar": b.bar, "holds": b.holds} for b in bars],
    }
    (RESULTS / "source-memory.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(bar.holds for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
