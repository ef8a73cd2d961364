"""Options that several commands have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

STACK_DIRECTORY: Final = Path(".aos")
FOUND: Final = STACK_DIRECTORY / "aos.yaml"
"""Settings that are used without being named: `aos up` and `aos demo` write them there."""


def settings_file(given: Path | None) -> Path | None:
    """Give the file of settings: the one that is named, or the one that is found here.

    Whoever sits before a terminal is told which one was found; a log or a program is not.
    """
    if given is not None or not FOUND.exists():
        return given
    if sys.stderr.isatty():
        typer.secho(f"settings: {FOUND}", err=True, dim=True)
    return FOUND


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="AOS_CONFIG",
        callback=settings_file,
        help=f"YAML file with the settings; else {FOUND}.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Directory = Annotated[
    Path, typer.Option("--directory", "-d", help="Where the embedded stack keeps everything.")
]
Database = Annotated[
    Literal["timescale", "postgres"] | None,
    typer.Option("--db", help="Kind of database; without it, the one the directory has."),
]
