"""The demo's last page: one table of counts, two queries with their answers, what to try next."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
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
from operate.options import STACK_DIRECTORY
from operate.printing import Fitting, stacked

_SENT: Final = {"source": "in AOS", "published": "published"}
_FLAGS: Final = {
    "good": "good",
    "suspect": "suspect",
    "fail": "fail",
    "missing": "missing",
    "not_judged": "not\njudged",
}
_ARRIVED: Final = {"dead_lettered": "dead\nletters", "loaded": "loaded"}
_STYLES: Final = {"suspect": "yellow", "fail": "red", "dead_lettered": "red"}


_WORK: Final = {
    "source": "reads AOS into the raw topics, page and cursor in one transaction",
    "stream": "judges raw readings into the clean topics, a transaction for each batch",
    "sink": "loads clean readings and their offsets in one transaction",
}
_STRANGERS: Final = (
    "Nothing is lost. If another source was read here, too, its readings are what is too many: "
    "--directory gives a demo a place of its own."
)
_QUIET: Final = "dim"
_ASKED: Final = "SELECT count(*) FROM weather.wind"


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


def at_work(console: Console, page_address: str) -> None:
    """Say where to watch what is left running."""
    console.print(Text.assemble("See it at work: ", (page_address, "cyan")), soft_wrap=True)


def counts(report: Report) -> RenderableType:
    """Draw the counts in one table, or where it is too wide in one of the way and one of flags."""
    whole = _counts(report, {**_SENT, **_FLAGS, **_ARRIVED}, marked=True)
    way = _counts(report, {**_SENT, **_ARRIVED}, marked=True)
    return Fitting(whole, Group(way, _counts(report, _FLAGS, marked=False)))


def _counts(report: Report, columns: Mapping[str, str], *, marked: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("parameter", vertical="bottom", overflow="fold")
    for heading in columns.values():
        table.add_column(heading, justify="right", vertical="bottom", overflow="fold")
    if marked:
        table.add_column("accounted\nfor", justify="center", vertical="bottom", overflow="fold")
    for line in report.lines:
        mark = [_mark(whole=report.is_whole(line.parameter))] if marked else []
        table.add_row(line.parameter, *_cells(line, columns), *mark)
    table.add_section()
    mark = [_mark(whole=report.agrees)] if marked else []
    table.add_row(report.total.parameter, *_cells(report.total, columns), *mark, style="bold")
    return table


def verdict(report: Report) -> RenderableType:
    """Say what became of the keys, what was sent more than once, and what is not mapped."""
    total = report.total
    raw, clean = total.re_emitted
    told = f"Dead letters: {total.dead_lettered:,}. Re-emissions: raw {raw:,}, clean {clean:,}."
    passed_over = [Text(f"Not mapped: {rows}.", "yellow") for rows in report.unmapped]
    broken = [Text.assemble(("✗ ", "red"), str(found)) for found in report.breaks]
    lost = sum(found.lost for found in report.breaks)
    if any(found.surplus for found in report.breaks) and not lost:
        broken.append(Text(_STRANGERS, "yellow"))
    return Group(_head(report), *broken, *passed_over, Text(told, style=_QUIET))


def _head(report: Report) -> Text:
    total = report.total
    hops = (
        f"source {total.source_keys:,} · raw {total.raw_keys:,} · clean {total.clean_keys:,} · "
        f"tables {total.loaded:,}"
    )
    if not report.agrees:
        return Text.assemble(("✗ ", "red"), "Keys are lost or too many:\n  ", hops)
    if report.keys_equal:
        return Text.assemble(("✓ ", "green"), "Distinct keys are equal at every hop:\n  ", hops)
    fates = f"{total.loaded:,} loaded, {total.dead_keys:,} dead-lettered"
    held = f"Every distinct key is accounted for, {fates}:\n  "
    return Text.assemble(("✓ ", "green"), held, hops)


def answer(found: Answer) -> RenderableType:
    """Draw a query: title, remark, SQL, rows."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    written = [tuple(map(_cell, row)) for row in found.rows]
    numeric = [isinstance(value, int | float | Decimal) for value in (found.rows or ((),))[0]]
    for name, right in zip(found.columns, numeric or [False] * len(found.columns), strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in written:
        table.add_row(*row)
    below = stacked([dict(zip(found.columns, row, strict=True)) for row in written])
    sql = Syntax(
        found.query.sql, "sql", theme="ansi_dark", background_color="default", word_wrap=True
    )
    title, remark = Text(found.query.title, style="bold cyan"), Text(found.query.remark, _QUIET)
    return Group(title, remark, "", Padding(sql, (0, 2)), Fitting(table, below))


def next_steps(console: Console, directory: Path, *, keep: bool) -> None:
    """Print commands, with what each of them does."""
    aos = _typed()
    at_home = directory == STACK_DIRECTORY
    settings = "" if at_home else f" --config {directory / 'aos.yaml'}"
    kept = "" if at_home else f" --directory {directory}"
    steps = (
        {
            f"{aos} status{kept}": "what runs, where it listens, where it logs",
            f"{aos} topics{settings}": "which topics there are, and how far they reach",
            f"{aos} dlq list{settings}": "what could not be used, and why",
            f"{aos} db query{settings} '{_ASKED}'": "ask the tables",
            f'psql "$({aos} db url{settings})"': "the same with psql, where it is installed",
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


def _cells(line: Line, columns: Iterable[str]) -> list[Text]:
    return [_count(getattr(line, name), _STYLES.get(name, "")) for name in columns]


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
