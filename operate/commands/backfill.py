"""``aos backfill``: history by observation time, beside the source that goes on reading."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from operate.backfill_screen import Bars, Lines, Screen
from operate.foreground import stop_on_signals
from operate.lineage.telling import lineage_of
from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.settings import Settings, load
from producers import several
from producers.backfill import dry, job
from producers.backfill.crew import MOST_WORKERS
from producers.backfill.options import Options, Report
from producers.backfill.request import Request, spans_of
from producers.schedule import Hours
from producers.settings import SourceSettings
from runtime import heartbeat, logs
from runtime.errors import Configuration, Exit

Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="Of several sources this one; repeatable. Else the first."),
]
Since = Annotated[str | None, typer.Option("--from", help="First observation time, local.")]
Until = Annotated[str | None, typer.Option("--to", help="End; itself not read.")]
Years = Annotated[str | None, typer.Option(help="Whole years instead: 2013,2014.")]
Stations = Annotated[list[str] | None, typer.Option("--station", help="Only this; repeatable.")]
Parameters = Annotated[list[str] | None, typer.Option("--parameter", help="Only this; repeatable.")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this; repeatable.")]
Workers = Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Connections to AOS.")]
Rate = Annotated[int | None, typer.Option(min=1, help="At most so many rows a second, of all.")]
Between = Annotated[str | None, typer.Option(help="Only in these hours: 22:00-06:00.")]
JobName = Annotated[str | None, typer.Option("--job", help="Go on with this job, or name one.")]
Again = Annotated[bool, typer.Option("--again", help="Do it once more, from the start.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan; publish nothing.")]


def backfill(  # noqa: PLR0913, PLR0917 - one for each option
    config: Config = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    years: Years = None,
    station: Stations = None,
    parameter: Parameters = None,
    table: Tables = None,
    workers: Workers = 2,
    rows_per_second: Rate = None,
    only_between: Between = None,
    job_name: JobName = None,
    again: Again = False,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Read history into the raw topics, by the source's own clock, in chunks.

    The same command goes on where it was stopped or killed, and does nothing once all is done.
    Readings that the source publishes too are repeats, which the stream and the sink know.
    SIGTERM or Ctrl-C finishes the pages under way.
    """
    settings = load(config)
    request = None
    if job_name is None or since or until or years:
        names = (tuple(given or ()) for given in (station, parameter, table))
        request = Request(spans_of(since, until, years), *names)
    elif station or parameter or table:
        problem = "--job alone goes on as the job was asked for"
        raise Configuration(problem, mend="give --from and --to, or --years, too")
    chosen = several.named(settings.all_sources(), source or ())
    options = Options(request, job_name, workers, rows_per_second, again=again)
    within = [(each, replace(options, hours=_hours(only_between, each))) for each in chosen]
    if dry_run:
        for each, how in within:
            _show_plan(each, how, as_json=as_json)
        return
    stop = heartbeat.stop_flag()
    stop_on_signals(stop)
    reports = [_run(settings, each, how, stop, as_json=as_json) for each, how in within]
    left = [report for report in reports if not report.finished]
    for report in left:
        _tell_what_is_left(report, stop, config, several=len(settings.all_sources()) > 1)
    if left:
        raise typer.Exit(Exit.FAILED)


def _run(
    settings: Settings,
    source: SourceSettings,
    options: Options,
    stop: threading.Event,
    *,
    as_json: bool,
) -> Report:
    console = Console()
    lines = Lines()
    screen: Screen = Bars(console) if console.is_terminal and not as_json else lines
    with screen:
        # Only now: a terminal's bars and the log must not write into one another.
        level = "WARNING" if screen is not lines else settings.log_level
        logs.configure(level, sys.stderr, stage="backfill")
        world = settings.kafka, settings.registry, settings.topics
        with lineage_of(settings, "backfill", beats=True):
            report = job.run(source, *world, options, stop, screen.draw)
        screen.draw(report)
    if screen is lines:
        lines.last(report, _state(report))
    else:
        _tell(console, report)
    return report


def _state(report: Report) -> str:
    if report.already:
        return "done before"
    return "done" if report.finished else "unfinished"


def _tell(console: Console, report: Report) -> None:
    for table in report.tables:
        if table.undated:
            console.print(
                f"{table.table}: {table.undated:,} rows have no observation time; only the source "
                "itself reads them"
            )
    if report.already:
        console.print(f"Backfill {report.job} is done already; --again does it once more.")
    elif report.finished:
        readings = sum(table.readings for table in report.tables)
        console.print(f"Backfill {report.job} is done: {readings:,} readings published.")


def _tell_what_is_left(
    report: Report, stop: threading.Event, config: Path | None, *, several: bool
) -> None:
    """Say what is left, and how to go on with it."""
    for table in report.tables:
        for error in table.errors:
            typer.echo(f"aos: {table.table}, {error}", err=True)
    where = (f" --source {report.source}" if several else "") + (
        f" --config {config}" if config else ""
    )
    why = "it was stopped" if stop.is_set() else "some could not be read"
    typer.echo(
        f"aos: backfill {report.job} is not finished: {why}. Mend: `aos backfill --job "
        f"{report.job}{where}` goes on with it",
        err=True,
    )


def _hours(text: str | None, source: SourceSettings) -> Hours | None:
    if text is None:
        return None
    try:
        return Hours.of(text, ZoneInfo(source.schedule_zone))
    except ValueError as error:
        option, mend = "--only-between", "write it like 22:00-06:00"
        raise Configuration.of(option, text, str(error), mend=mend) from error


def _show_plan(source: SourceSettings, options: Options, *, as_json: bool) -> None:
    found = dry.plan(source, options)
    if as_json:
        print_json({"job": found.job, "tables": [_planned(table) for table in found.tables]})
        return
    show([_planned(table) for table in found.tables], as_json=False)
    typer.echo(f"This is job {found.job}; nothing was published.")


def _planned(table: dry.Planned) -> dict[str, Any]:
    return {
        "table": table.table,
        "rows": table.rows,
        "chunks": table.chunks,
        "rows per chunk": table.rows // table.chunks if table.chunks else 0,
        "without a time": table.undated,
        "problem": table.problem,
    }
