"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="AOS_CONFIG", help="YAML file with the settings."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Directory = Annotated[
    Path, typer.Option("--directory", "-d", help="Where the embedded stack keeps everything.")
]
Database = Annotated[
    Literal["timescale", "postgres"] | None,
    typer.Option("--db", help="Kind of database; without it, the one the directory has."),
]
STACK_DIRECTORY = Path(".aos")
