"""``aos jobs``: what runs by the clock, when it is asked for, or when something happens."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from operate import foreground
from operate.commands import beside
from operate.jobs import supervisor
from operate.jobs import worker as one_worker
from operate.jobs.asking import JobMetrics, Jobs
from operate.jobs.asking import jobs as opened
from operate.jobs.catalogue import kind_of
from operate.jobs.config import JobConfig
from operate.jobs.routes import listed
from operate.jobs.settings import Queue
from operate.jobs.workers import workers as known_workers
from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.settings import Settings, load
from runtime import heartbeat
from runtime.errors import Exit

app = typer.Typer(add_completion=False, no_args_is_help=True)

_SHORT: Final = ("run", "job", "status", "stage", "percent", "start", "duration", "score", "failed")

Job = Annotated[str, typer.Argument(metavar="JOB", help="As `aos jobs list` names it.")]
Run = Annotated[int, typer.Argument(metavar="RUN", help="The number of a run.")]
Name = Annotated[str, typer.Option(help="What you call this run.")]
Stations = Annotated[list[str] | None, typer.Option("--station", help="Only this; repeatable.")]
Parameters = Annotated[list[str] | None, typer.Option("--parameter", help="Only this; repeatable.")]
Since = Annotated[str | None, typer.Option("--from", help="First observation time, local.")]
Until = Annotated[str | None, typer.Option("--to", help="End; itself not meant.")]
Years = Annotated[str | None, typer.Option(help="Whole years instead: 2013,2014.")]
DaysBack = Annotated[int | None, typer.Option(min=1, help="So many days before now.")]
Batch = Annotated[int | None, typer.Option("--batch-size", min=1, help="Rows of a transaction.")]
Rate = Annotated[int | None, typer.Option(min=1, help="At most so many rows a second.")]
Threshold = Annotated[float | None, typer.Option("--quality-threshold", min=0, max=1)]
RetryFailed = Annotated[bool, typer.Option(help="Try again what could not be done.")]
SkipExisting = Annotated[bool, typer.Option(help="Leave out what the same job did before.")]
Validate = Annotated[
    bool, typer.Option("--validate/--no-validate", help="An import is judged, counted and scored.")
]
Clean = Annotated[bool, typer.Option("--clean/--no-clean", help="Correct values of an import.")]
DryRun = Annotated[bool | None, typer.Option("--dry-run/--no-dry-run", help="Only say what.")]
Repair = Annotated[bool, typer.Option("--repair", help="Read once more what is wrong.")]
After = Annotated[list[int] | None, typer.Option(help="Wait for this run; repeatable.")]
Priority = Annotated[int | None, typer.Option(help="The greater goes first.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for its end, and show how it goes on.")]
Only = Annotated[Queue | None, typer.Option("--only", help="One worker, on this queue alone.")]
OfJob = Annotated[str | None, typer.Option("--job", help="Only this job.")]
Most = Annotated[int, typer.Option("--most", min=1, max=1000)]
Active = Annotated[bool, typer.Option("--active", help="Only what waits or is at work.")]


@app.callback()
def jobs() -> None:
    """Run jobs by the clock, when they are asked for, or when something happens in the stream.

    `aos jobs worker` has to run somewhere, or nothing of this is done.
    """


@app.command("list")
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the jobs there are, and when the clock starts them next."""
    show(listed(load(config).jobs), as_json=as_json)


@app.command()
def run(  # noqa: PLR0913, PLR0917 - one for each option
    job: Job,
    name: Name = "",
    station: Stations = None,
    parameter: Parameters = None,
    since: Since = None,
    until: Until = None,
    years: Years = None,
    days_back: DaysBack = None,
    batch_size: Batch = None,
    rows_per_second: Rate = None,
    quality_threshold: Threshold = None,
    retry_failed: RetryFailed = True,
    skip_existing: SkipExisting = True,
    validate: Validate = True,
    clean: Clean = True,
    dry_run: DryRun = None,
    repair: Repair = False,
    after: After = None,
    priority: Priority = None,
    wait: Wait = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a job; a worker takes it up. With --wait, show how it goes on, until it is over.

    The exit code is then 0 only if it succeeded.
    """
    kind_of(job)
    given = {
        "name": name, "stations": station, "parameters": parameter, "start": since, "end": until,
        "years": years, "days_back": days_back, "batch_size": batch_size,
        "rows_per_second": rows_per_second, "quality_threshold": quality_threshold,
        "retry_failed": retry_failed, "skip_existing": skip_existing, "validate_data": validate,
        "clean_data": clean, "dry_run": dry_run, "repair": repair,
    }  # fmt: skip
    asked = JobConfig.of({field: value for field, value in given.items() if value is not None})
    asked.spans()
    with _asking(config) as (asking, _):
        number = asking.run(job, asked, after=after or (), priority=priority)
        _show_asked(asking, number, wait=wait, as_json=as_json)


def _show_asked(asking: Jobs, number: int, *, wait: bool, as_json: bool) -> None:
    found = _watched(asking, number, as_json=as_json) if wait else asking.status(number)
    _tell(found, as_json=as_json)
    if wait and found.status != "succeeded":
        raise typer.Exit(Exit.FAILED)


@app.command("show")
def show_(run: Run, config: Config = None, as_json: AsJson = False) -> None:
    """Show one run: what was asked for, what was counted, what went wrong, what came of it."""
    with _asking(config) as (asking, _):
        _tell(asking.status(run), as_json=as_json)


@app.command()
def cancel(run: Run, config: Config = None, as_json: AsJson = False) -> None:
    """Cancel a run. One that is at work stops soon; what it has done stays done."""
    with _asking(config) as (asking, _):
        show([{"run": run, "status": asking.cancel(run)}], as_json=as_json)


@app.command()
def history(
    job: OfJob = None,
    active: Active = False,
    most: Most = 20,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest runs."""
    with _asking(config) as (asking, _):
        found = asking.active() if active else asking.history(job, most=most)
    rows = [one.as_document() for one in found if job in {None, one.job}]
    if not as_json:
        rows = [{name: row[name] for name in _SHORT} for row in rows]
    show(rows, as_json=as_json, empty="no job has been asked for")


@app.command()
def workers(config: Config = None, as_json: AsJson = False) -> None:
    """Show who works, at what, and how long ago each was heard of."""
    settings = load(config)
    with supervisor.opened(settings) as database:
        found = known_workers(database, settings.jobs)
    show(found, as_json=as_json, empty="nobody works: they come when jobs wait")


@app.command()
def worker(only: Only = None, config: Config = None) -> None:
    """Start what is due and whoever does it, in the foreground; SIGTERM lets all finish.

    Any number of them may run, on as many hosts. With --only it is a single worker, for those who
    start and count workers by other means; one without --only has to run beside it.
    """

    def stage(settings: Settings, stop: threading.Event) -> None:
        if only is None:
            supervisor.run(settings, stop, config)
        else:
            one_worker.run(settings, only, stay=True, halt=stop)

    beside.run("jobs", config, stage)


@contextmanager
def _asking(config: Path | None) -> Iterator[tuple[Jobs, Settings]]:
    settings = load(config)
    with opened(settings) as asking:
        yield asking, settings


def _watched(asking: Jobs, number: int, *, as_json: bool) -> JobMetrics:
    """Wait for the end of a run, with a bar before a terminal; Ctrl-C leaves it to itself."""
    stop = heartbeat.stop_flag()
    foreground.stop_on_signals(stop)
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        return asking.wait(number, stop)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("queued", total=None)

        def draw(found: JobMetrics) -> None:
            total = None if found.percent is None else 100.0
            told = f"{found.job} {found.stage or found.status}"
            bar.update(task, description=told, total=total, completed=found.percent or 0.0)

        return asking.wait(number, stop, draw)


def _tell(found: JobMetrics, *, as_json: bool) -> None:
    document = found.as_document()
    if as_json:
        print_json(document)
        return
    flat = {name: value for name, value in document.items() if name not in {"result", "errors"}}
    flat["config"] = ", ".join(f"{name} {value}" for name, value in found.config.items())
    show([flat], as_json=False)
    for error in found.errors:
        sys.stdout.write(f"{error['at']} {error['category']}: {error['message']}\n")
    if found.result:
        print_json(found.result)
