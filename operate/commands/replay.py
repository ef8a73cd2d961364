"""``aos replay``: judge a part of the past once more, see what would change, make it stand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from operate.foreground import stop_on_signals
from operate.given import micros_of
from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.replay.asking import request_of, ruleset_of
from operate.replay.drawing import documents, show_differences
from operate.replay.ledger import Entry
from operate.replay.replays import Replays
from operate.settings import Settings, load
from runtime.errors import Configuration, Exit
from schemas.topics import PARAMETERS
from stream_app.replay.request import Request

app = typer.Typer(add_completion=False)


class Into(StrEnum):
    """Where the verdicts go."""

    SHADOW = "shadow"
    LIVE = "live"


Name = Annotated[str, typer.Argument(metavar="NAME", help="Name, as listed.")]
Since = Annotated[str | None, typer.Option("--from", help="First observation time, with zone.")]
Until = Annotated[str | None, typer.Option("--to", help="End; itself not judged.")]
Stations = Annotated[list[str] | None, typer.Option("--station", help="Only this; repeatable.")]
Parameters = Annotated[list[str] | None, typer.Option("--parameter", help="Only this; repeatable.")]
Where = Annotated[Into, typer.Option("--into", help="Look first, or promote it when it is ready.")]
Rules = Annotated[
    str | None, typer.Option("--ruleset", help="Judge by this: a version, or a file of JSON.")
]
Rate = Annotated[float | None, typer.Option("--rate", min=1, help="Raw records a second, at most.")]
Named = Annotated[str | None, typer.Option("--name", help="Else named after what is asked for.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be read, read nothing.")]
Incomplete = Annotated[
    bool, typer.Option("--incomplete", help="Though retention has dropped some of it.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Rows of each kind, at most.")]


@app.callback(invoke_without_command=True)
def replay(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    station: Stations = None,
    parameter: Parameters = None,
    into: Where = Into.SHADOW,
    ruleset: Rules = None,
    rate: Rate = None,
    name: Named = None,
    dry_run: DryRun = False,
    incomplete: Incomplete = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Judge raw readings of a time once more, beside the running stream.

    What is found goes to topics and tables of its own. `aos replay diff` shows what would change,
    `aos replay promote` makes it stand. Killed and said again, it goes on where it was.
    """
    if context.invoked_subcommand is not None:
        return None
    settings = load(config)
    request = _request(settings, since, until, station, parameter, ruleset)
    with Replays(settings) as desk:
        entry = desk.begun(name) if name else None
        if entry is None or dry_run:
            planned = desk.plan(request, name=name, incomplete=incomplete)
            if dry_run:
                return show(planned.rows(), as_json=as_json)
            entry = desk.begun(planned.name)
            entry = entry or desk.begin(planned, into_live=into is Into.LIVE)
        _go_on(desk, entry, rate, as_json=as_json)
    return None


@app.command()
def resume(name: Name, rate: Rate = None, config: Config = None, as_json: AsJson = False) -> None:
    """Go on with a replay that was broken off."""
    with Replays(load(config)) as desk:
        _go_on(desk, desk.one(name), rate, as_json=as_json)


@app.command("list")
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List replays, the newest first."""
    with Replays(load(config)) as desk:
        entries = desk.all()
    if as_json:
        return print_json([one.document() for one in entries])
    return show([_row(one) for one in entries], as_json=False, empty="nothing was replayed")


@app.command("show")
def show_(name: Name, config: Config = None) -> None:
    """Show all that is known of a replay, as JSON."""
    with Replays(load(config)) as desk:
        print_json(desk.one(name).document())


@app.command()
def diff(name: Name, limit: Limit = 5, config: Config = None, as_json: AsJson = False) -> None:
    """Show what would change if a replay were promoted now."""
    with Replays(load(config)) as desk:
        found = desk.differences(name, limit)
    if as_json:
        return print_json(documents(found))
    return show_differences(found)


@app.command()
def promote(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Make a replay stand: its verdicts win, and its ruleset holds for its times."""
    with Replays(load(config)) as desk, _watched(as_json=as_json) as watch:
        stop = threading.Event()
        stop_on_signals(stop)
        entry = desk.promote(name, stop, watch)
    _tell(entry, as_json=as_json)


@app.command()
def drop(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Delete topics and tables of a replay; what was promoted stays."""
    with Replays(load(config)) as desk:
        entry = desk.drop(name)
    _tell(entry, as_json=as_json)


def _request(
    settings: Settings,
    since: str | None,
    until: str | None,
    stations: list[str] | None,
    parameters: list[str] | None,
    ruleset: str | None,
) -> Request:
    if since is None or until is None:
        problem = "nothing says of which times readings are to be judged again"
        raise Configuration(problem, mend="give --from TIME --to TIME, or see `aos replay --help`")
    times = micros_of(since, "--from"), micros_of(until, "--to")
    chosen = tuple(parameters or PARAMETERS)
    rules = ruleset_of(settings, ruleset) if ruleset else None
    return request_of(*times, stations or (), chosen, rules)


def _go_on(desk: Replays, entry: Entry, rate: float | None, *, as_json: bool) -> None:
    stop = threading.Event()
    stop_on_signals(stop)
    with _watched(as_json=as_json) as watch:
        watch(entry)
        entry = desk.go_on(entry.name, rate, stop, watch)
    _tell(entry, as_json=as_json)
    if stop.is_set() and entry.state not in {"ready", "promoted"}:
        raise typer.Exit(Exit.FAILED)


@contextmanager
def _watched(*, as_json: bool) -> Iterator[Callable[[Entry], None]]:
    """Give what draws a bar while somebody looks."""
    out = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} % {task.completed:,.0f} of {task.total:,.0f} records"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, disable=as_json or not out.is_terminal) as progress:
        bar = progress.add_task("replay")

        def draw(entry: Entry) -> None:
            row = entry.row
            progress.update(
                bar,
                description=f"{entry.name} {entry.state}",
                total=max(row["readings_total"], 1),
                completed=row["readings_done"],
            )

        yield draw


def _tell(entry: Entry, *, as_json: bool) -> None:
    if as_json:
        return print_json(entry.document())
    next_ = {
        "ready": f"See what would change: aos replay diff {entry.name}",
        "promoted": "The tables have it as soon as the sink has loaded it",
        "judging": f"Go on with it: aos replay resume {entry.name}",
    }
    done = f"{entry.row['readings_sent']:,} verdicts of {entry.row['readings_done']:,} raw records"
    said = f"Replay {entry.name} is {entry.state}: {done}. {next_.get(entry.state, '')}"
    return typer.echo(said.rstrip())


def _row(one: Entry) -> dict[str, Any]:
    told = one.document()
    names = ("name", "state", "from", "to", "ruleset", "into", "readings_done", "readings_total")
    moment = f"{told['started_at']:%Y-%m-%d %H:%MZ}"
    return {**{name: told[name] for name in names}, "started": moment, "by": told["who"]}
