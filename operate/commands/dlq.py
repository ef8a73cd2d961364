"""``aos dlq``: what could not be used, why, and how it goes on its way after all."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.progress import track

from operate.dlq.choosing import Choice, Kind
from operate.dlq.desk import Desk, refused
from operate.dlq.letters import Letter
from operate.dlq.redriving import Outcome
from operate.given import moment
from operate.options import AsJson, Config
from operate.printing import print_json, show, stacked
from operate.settings import load
from operate.times import shown
from runtime.errors import AosError, Configuration, Exit
from runtime.kafka import check_reachable

app = typer.Typer(add_completion=False, no_args_is_help=True)

_UNSETTLED: Final = "begun, not known to be done"

Which = Annotated[
    Literal["clean", "sink"] | None,
    typer.Option("--topic", help="Only what the stream (clean) or the sink gave up."),
]
By = Annotated[list[Kind] | None, typer.Option("--by", help="Count by this; repeatable.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")]
Reason = Annotated[list[str] | None, typer.Option("--reason", help="Only this; repeatable.")]
Origin = Annotated[
    list[str] | None, typer.Option("--origin", help="Only from topics with this in their name.")
]
Station = Annotated[list[str] | None, typer.Option("--station", help="Only this; repeatable.")]
Since = Annotated[str | None, typer.Option("--since", help="Written at or after this, UTC.")]
Until = Annotated[str | None, typer.Option("--until", help="Written before this, UTC.")]
Name = Annotated[str, typer.Argument(metavar="LETTER", help="As listed, or like clean:0:17.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[LETTER]...", help="As listed.")]
Changes = Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help="null for none.")]
Again = Annotated[bool, typer.Option("--again", help="Also what was redriven before.")]
All = Annotated[bool, typer.Option("--all", help="Every one there is.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say which; send nothing.")]


@app.callback()
def dlq() -> None:
    """See what could not be used and why; mend it, and send it where it came from."""


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917 - one for each option
    topic: Which = None,
    by: By = None,
    reason: Reason = None,
    origin: Origin = None,
    station: Station = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 20,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest last, or count them; they stay where they are."""
    choice = _choice(reason, origin, station, since, until)
    with _desk(config) as desk:
        if by:
            counts = desk.counts(choice, by, datetime.now(UTC), topic)
            return show(counts, as_json=as_json, empty="no dead letters")
        newest = deque(sorted(desk.letters(choice, topic), key=lambda one: one.time), limit)
        stands = _stands(desk, list(newest))
        told = zip(newest, stands, strict=True)
        rows = [{**letter.as_document(), "redriven": stand} for letter, stand in told]
    for row in [] if as_json else rows:
        del row["start"]  # bytes: `aos dlq show` reads them
    return show(rows, as_json=as_json, empty="no dead letters")


@app.command("show")
def show_(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Show one dead letter: its headers, its value as far as it can be read, and why it failed."""
    with _desk(config) as desk:
        letter = desk.letter(name)
        found, (stand,) = desk.contents(letter), _stands(desk, [letter])
    document = {**letter.as_document(), "redriven": stand}
    if as_json:
        return print_json({**document, "contents": asdict(found), "headers": letter.told})
    console = Console(soft_wrap=True, highlight=False, markup=False)
    told = {"schema": found.schema, "schema id": found.schema_id, "problem": found.problem}
    fields = {name: shown(name, value) for name, value in found.fields.items()}
    parts = {"Letter": document, "Value": {**told, **fields}, "Headers": letter.told}
    for title, row in parts.items():
        console.print(title, style="bold")
        console.print(stacked([row]))
    return None


@app.command()
def edit(
    name: Name,
    changes: Changes,
    again: Again = False,
    dry_run: DryRun = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Redrive a changed copy of a dead letter in its place; it has to fit the schema."""
    with _desk(config) as desk:
        letter = desk.letter(name)
        if dry_run:
            changed = desk.changed(letter, changes)
            told = {"letter": str(letter.place), "key": letter.station, "to": letter.origin.topic}
            return show([{**told, "bytes": len(changed.value or b"")}], as_json=as_json)
        outcome = desk.edit(letter, changes, again=again)
    return _tell([outcome], as_json=as_json)


@app.command()
def redrive(  # noqa: PLR0913, PLR0917 - one for each option
    names: Names = None,
    everything: All = False,
    topic: Which = None,
    reason: Reason = None,
    origin: Origin = None,
    station: Station = None,
    since: Since = None,
    until: Until = None,
    again: Again = False,
    dry_run: DryRun = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters where they came from, as they are: those named, a filter's, or all.

    What was redriven before is left, unless --again insists. Every redrive stands in ops.audit.
    """
    choice = _choice(reason, origin, station, since, until)
    if not names and choice.is_all and not topic and not everything:
        problem = "nothing says which letters are to be redriven"
        raise Configuration(problem, mend="name letters, give a filter, or say --all")
    with _desk(config) as desk:
        chosen = map(desk.letter, names) if names else desk.letters(choice, topic)
        if dry_run:
            return show([one.as_document() for one in chosen], as_json=as_json, empty="none")
        outcomes = [*_progress(desk.redrive(chosen, again=again))]
    return _tell(outcomes, as_json=as_json)


@app.command()
def history(limit: Limit = 20, config: Config = None, as_json: AsJson = False) -> None:
    """Show who redrove what, when and where to, the newest first."""
    with _desk(config) as desk:
        rows = desk.history(limit)
    show(rows, as_json=as_json, empty="nothing was redriven")


def _desk(config: Config) -> Desk:
    settings = load(config)
    check_reachable(settings.kafka)
    return Desk(settings)


def _choice(
    reason: list[str] | None,
    origin: list[str] | None,
    station: list[str] | None,
    since: str | None,
    until: str | None,
) -> Choice:
    reasons, origins, stations = (tuple(given or ()) for given in (reason, origin, station))
    after, before = (
        moment(o, t) if t else None for o, t in (("--since", since), ("--until", until))
    )
    return Choice(reasons, origins, stations, after, before)


def _stands(desk: Desk, letters: Sequence[Letter]) -> list[str]:
    """Say when each was redriven and by whom; letters are shown even where nobody knows."""
    try:
        known = desk.stands(letters)
    except AosError as error:
        typer.echo(f"aos: whether they were redriven is not known: {error}", err=True)
        return ["?"] * len(letters)
    words = {"begun": _UNSETTLED, "done": "redriven", "failed": "failed"}
    return [f"{words[s.state]} {s.at:%Y-%m-%d %H:%M} by {s.who}" if s else "" for s in known]


def _progress(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    console = Console(stderr=True)
    return track(outcomes, "redriving", console=console, disable=not console.is_terminal)  # type: ignore[return-value]


def _tell(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Say what became of them; those that could not be sent are a failure."""
    rows: list[dict[str, Any]] = [
        {"letter": str(one.letter.place), "state": one.state, "to": one.letter.origin.topic,
         "key": one.letter.station, "why": one.why} for one in outcomes
    ]  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        for (state, why), count in sorted(Counter((o.state, o.why) for o in outcomes).items()):
            typer.echo(f"{count:,} {state}{f': {why}' if why else ''}")
        if not outcomes:
            typer.echo("no dead letters")
    if refused(outcomes):
        raise typer.Exit(Exit.FAILED)
