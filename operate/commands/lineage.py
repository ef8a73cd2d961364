"""``aos lineage`` and ``aos impact``: where a reading comes from, and what a change touches."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from operate.given import moment
from operate.lineage.impact import Change
from operate.lineage.impact import impact as touched
from operate.lineage.trace import Trace, trace
from operate.options import AsJson, Config
from operate.printing import console, print_json, show, stacked
from operate.settings import load

Sensor = Annotated[str, typer.Argument(help="Like JFK:temperature.")]
Time = Annotated[str, typer.Argument(help="When it was observed, UTC: 2013-11-03T06:00.")]
Whole = Annotated[bool, typer.Option("--history", help="Every clean record that is kept of it.")]
What = Annotated[Change, typer.Argument(help="What changes.")]
Name = Annotated[str, typer.Argument(help="Its name or version; of a mapping source:version.")]
Since = Annotated[str | None, typer.Option("--from", help="First observation time, UTC.")]
Until = Annotated[str | None, typer.Option("--to", help="End; itself not counted.")]


def lineage(
    sensor: Sensor,
    time: Time,
    history: Whole = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Follow a reading from the row of its source to the row of its table, with all that was done.

    What a hop cannot tell any more (a row that is gone, a record that has expired) it says so.
    """
    settings = load(config)
    found = trace(settings, sensor, moment("TIME", time), whole=history)
    if as_json:
        return print_json(asdict(found))
    return tell(found)


def impact(
    change: What,
    name: Name,
    since: Since = None,
    until: Until = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Count the readings that a change of a sensor, mapping, ruleset … touches, by parameter."""
    settings = load(config)
    ends = (moment(o, t) if t else None for o, t in (("--from", since), ("--to", until)))
    found = touched(settings, change, name, *ends)
    show([asdict(one) for one in found], as_json=as_json, empty="no reading")


def tell(found: Trace) -> None:
    """Print a trace for people."""
    out = console()
    for hop in found.hops:
        out.print(f"{hop.name}  {hop.place}", style="bold", highlight=False)
        out.print(stacked([hop.says or {"": hop.problem}]), highlight=False)
    if len(found.versions) > 1:
        show(found.versions, as_json=False)
    words = {
        True: "The row is the winner: no clean record stands above it.",
        False: "The row is NOT the winner: a clean record stands above it. `aos reconcile` mends.",
        None: "No clean record of it is kept; whether it is the winner cannot be said.",
    }
    out.print(words[found.winner])
