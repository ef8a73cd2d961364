"""``aos up``, ``status``, ``down``: the embedded stack of a directory."""

from __future__ import annotations

from pathlib import Path

import typer

from devstack.events import Bars
from devstack.sample import build
from operate.demo.place import Place
from operate.demo.stages import API, NAMES, Stages
from operate.options import STACK_DIRECTORY, AsJson, Database, Directory
from operate.printing import console, show


def up(db: Database = None, directory: Directory = STACK_DIRECTORY) -> None:
    """Start the embedded Kafka, registry and database in the background, with a sample AOS.

    Downloads what is missing, once. Writes the settings for the stages beside the data.
    """
    place = Place.at(directory, db)
    with Bars() as bars:
        place.stack.up(bars)
    build(place.sample)
    place.write_settings()
    typer.echo(f"settings of the stages: --config {directory / 'aos.yaml'}")


def status(directory: Directory = STACK_DIRECTORY, as_json: AsJson = False) -> None:
    """Show what runs of the embedded stack, and of the stages of a demo."""
    place = Place.at(directory)
    rows = [
        {"part": p.name, "state": p.state, "pid": p.pid, "address": p.address, "log": _short(p.log)}
        for p in place.stack.status()
    ]
    stages = Stages(place)
    for name in (*NAMES, API):
        pid = stages.pid(name)
        log = _short(place.log(name))
        state = stages.state(name)
        address = place.page if name == API and pid else ""
        rows.append({"part": name, "state": state, "pid": pid, "address": address, "log": log})
    plain = rows if as_json else [{**row, "pid": str(row["pid"] or "")} for row in rows]
    show(plain, as_json=as_json)
    if not as_json:
        typer.echo("Of the stages it knows those that `aos demo` started here.")


def down(directory: Directory = STACK_DIRECTORY) -> None:
    """Stop the stages of a demo and the embedded stack; the data stay."""
    place = Place.at(directory)
    stages = Stages(place)
    running = [*stages.running(), *(p.name for p in place.stack.status() if p.pid)]
    with console().status("stopping"):
        stages.stop()
        place.stack.down()
    typer.echo(f"stopped: {', '.join(running)}" if running else "nothing was running")


def _short(path: Path) -> str:
    """Write a path below the working directory without it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
