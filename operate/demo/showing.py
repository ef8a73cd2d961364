"""The demo's last page: one table of counts, two queries with their answers, what to try next."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from operate.demo.queries import Answer
from operate.demo.report import Line, Report

_COLUMNS: Final = {
    "source": "in AOS",
    "published": "published",
    "good": "good",
    "suspect": "suspect",
    "fail": "fail",
    "missing": "missing",
    "not_judged": "not\njudged",
    "dead_lettered": "dead\nletters",
    "loaded": "loaded",
}
_STYLES: Final = {"suspect": "yellow", "fail": "red", "dead_lettered": "red"}


_WORK: Final = {
    "source": "reads AOS into the raw topics, page and cursor in one transaction",
    "stream": "judges raw readings into the clean topics, a transaction for each batch",
    "sink": "loads clean readings and their offsets in one transaction",
}
_QUIET: Final = "dim"


def opening(console: Console) -> None:
    """Say what is going to happen."""
    purpose = "Real readings of four weather stations travel from AOS into TimescaleDB."
    console.print(Text("aos demo", style="bold cyan"), Text(purpose), "", sep="\n")


def stages(console: Console, pids: Mapping[str, int | None]) -> None:
    """Say which processes work, and on what."""
    grid = Table.grid(padding=(0, 2))
    for name, pid in pids.items():
        grid.add_row(Text(f"aos {name}", style="cyan"), _WORK[name], Text(f"pid {pid}", _QUIET))
    console.print("", grid)


def page(console: Console, report: Report, answers: Sequence[Answer]) -> None:
    """Print all that was found."""
    console.print("", Text("What arrived", style="bold cyan"), counts(report), sep="\n")
    console.print(verdict(report), "", sep="\n")
    for found in answers:
        console.print(answer(found))


def times(added: int, seconds: Mapping[str, float]) -> Text:
    """Say how many rows were added, and how long everything took."""
    through = f"{added:,} readings through three processes" if added else "no row was added"
    return Text.assemble(
        (f"{seconds['total']:.0f} s in all", "bold"),
        f": stack up in {seconds['stack']:.0f} s, {through} in {seconds['flow']:.0f} s, "
        f"counted in {seconds['counting']:.0f} s.",
    )


def counts(report: Report) -> Table:
    """Draw the table of counts."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("parameter", vertical="bottom", no_wrap=True)
    for heading in _COLUMNS.values():
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    table.add_column("keys\nequal", justify="center", vertical="bottom", no_wrap=True)
    for line in report.lines:
        table.add_row(line.parameter, *_cells(line), _mark(whole=report.is_whole(line.parameter)))
    table.add_section()
    total = report.total
    table.add_row(total.parameter, *_cells(total), _mark(whole=report.agrees), style="bold")
    return table


def verdict(report: Report) -> RenderableType:
    """Say whether the keys agree, and what was sent more than once."""
    total = report.total
    hops = (
        f"source {total.source_keys:,} · raw {total.raw_keys:,} · clean {total.clean_keys:,} · "
        f"tables {total.loaded:,}"
    )
    raw, clean = total.re_emitted
    told = f"Dead letters: {total.dead_lettered:,}. Re-emissions: raw {raw:,}, clean {clean:,}."
    again = Text(told, style=_QUIET)
    if report.agrees:
        head = Text.assemble(("✓ ", "green"), "Distinct keys are equal at every hop:\n  ", hops)
        return Group(head, again)
    broken = [Text.assemble(("✗ ", "red"), str(found)) for found in report.breaks]
    return Group(Text.assemble(("✗ ", "red"), "Keys differ:\n  ", hops), *broken, again)


def answer(found: Answer) -> RenderableType:
    """Draw a query: title, remark, SQL, rows."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numeric = [isinstance(value, int | float | Decimal) for value in (found.rows or ((),))[0]]
    for name, right in zip(found.columns, numeric or [False] * len(found.columns), strict=True):
        table.add_column(name, justify="right" if right else "left")
    for row in found.rows:
        table.add_row(*map(_cell, row))
    sql = Syntax(found.query.sql, "sql", theme="ansi_dark", background_color="default")
    title = Text(found.query.title, style="bold cyan")
    return Group(title, Text(found.query.remark, style="dim"), "", Padding(sql, (0, 2)), table)


def next_steps(console: Console, directory: Path, *, keep: bool) -> None:
    """Print commands, with what each of them does."""
    aos = _typed()
    settings = f"--config {directory / 'aos.yaml'}"
    kept = "" if directory == Path(".aos") else f" --directory {directory}"
    steps = (
        {
            f"{aos} topics {settings}": "which topics there are, and how far they reach",
            f"{aos} status{kept}": "what runs, where it listens, where it logs",
            f"{aos} down{kept}": "stop stages and stack; the data stay",
        }
        if keep
        else {
            f"{aos} demo --live{kept}": "new readings every second, and how long they take",
            f"{aos} demo --keep{kept}": "left running; no row is added",
            f"{aos} demo --db postgres{kept}": "on native PostgreSQL",
        }
    )
    console.print("", Text("What to try next", style="bold"), sep="\n")
    width = max(map(len, steps))
    for command, what in steps.items():
        line = Text.assemble("  ", (command.ljust(width), "cyan"), (f"  # {what}", _QUIET))
        console.print(line, soft_wrap=True)


def _typed() -> str:
    """Give this program as it is to be typed here: it need not be on the path."""
    beside = Path(sys.executable).with_name("aos")
    if shutil.which("aos") == str(beside):
        return "aos"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def _cells(line: Line) -> list[Text]:
    return [_count(getattr(line, name), _STYLES.get(name, "")) for name in _COLUMNS]


def _count(number: int, style: str) -> Text:
    return Text(f"{number:,}", style=style if number else "dim")


def _mark(*, whole: bool) -> Text:
    return Text("✓", style="green") if whole else Text("✗", style="bold red")


def _cell(value: Any) -> Text:
    if value is None:
        return Text("null", style="dim italic")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M}Z")
    return Text(f"{value:,.2f}" if isinstance(value, float) else str(value))
