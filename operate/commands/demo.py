"""``aos demo``: everything once, from AOS to the tables."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console

from operate import printing
from operate.demo import showing
from operate.demo.place import Place
from operate.demo.play import Demo
from operate.options import STACK_DIRECTORY, AsJson, Database, Directory
from runtime.errors import Exit
from schemas.mapping import read_mapping

_LINE: Final = 120
_INTERRUPTED: Final = 128 + signal.SIGINT
Keep = Annotated[bool, typer.Option("--keep", help="Leave stack and stages running.")]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="Read the sample by this mapping, not by its own.")
]
Live = Annotated[bool, typer.Option("--live", help="Then insert new rows, until Ctrl-C.")]


def demo(
    keep: Keep = False,
    live: Live = False,
    mapping: MappingFile = None,
    db: Database = None,
    directory: Directory = STACK_DIRECTORY,
    as_json: AsJson = False,
) -> None:
    """Run the main job on real data, on an embedded Kafka, registry and TimescaleDB.

    Builds a sample AOS of 26,115 hourly rows of New York and a day of minutes of Tucson, starts the
    stack and the three stages, shows how the readings flow, and counts them at every hop. Exit
    code 1 says that keys are lost or too many. A second run finds everything loaded and adds none.
    """
    if mapping is not None:
        read_mapping(mapping)  # a mistake in it is told before anything is started
    place = Place.at(directory, db, mapping)
    console = printing.console(stderr=as_json, wide=_LINE)
    showing.opening(console)
    try:
        outcome = Demo(place, console).play(keep=keep, go_on=live)
    except KeyboardInterrupt:
        _end_by_ctrl_c(console)
    showing.next_steps(console, directory, keep=keep)
    if as_json:
        printing.print_json(outcome.as_document())
    if not outcome.report.agrees:
        raise typer.Exit(Exit.FAILED)
    if live:  # which has no other end
        _end_by_ctrl_c(console)


def _end_by_ctrl_c(console: Console) -> NoReturn:
    console.print("interrupted; run it again: it goes on where it was")
    raise typer.Exit(_INTERRUPTED)
