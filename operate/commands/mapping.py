"""``aos mapping``: the mapping that runs, checked and told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from operate.options import AsJson, Config
from operate.printing import print_json
from operate.settings import load
from runtime.errors import Configuration
from schemas.mapping import Mapping, read_mapping
from schemas.mapping_document import document as written
from schemas.mapping_document import lines
from schemas.topics import Topics
from weather.coordinates import to_wgs84

app = typer.Typer(add_completion=False, no_args_is_help=True)
File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="Mapping; else source.mapping of the settings."),
]
Option = Annotated[Path | None, typer.Option("--file", help="The same.")]


@app.callback()
def mapping() -> None:
    """Check the mapping of a source, or write its document."""


@app.command()
def check(file: File = None, option: Option = None, config: Config = None) -> None:
    """Read a mapping; exit 2 and one line say what is wrong with it."""
    found, _ = _mapping(file or option, config)
    if found.metadata:
        _check_crs(found.metadata.stations.crs)
    readings = sum(len(table.readings) for table in found.tables)
    typer.echo(f"{found.key} maps {readings} readings of {len(found.tables)} tables")


@app.command()
def document(
    file: File = None, option: Option = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Write, in Markdown, what becomes of each source column: topic field, table column, rules."""
    found, topics = _mapping(file or option, config)
    if as_json:
        print_json([line._asdict() for line in lines(found, topics)])
    else:
        typer.echo(written(found, topics), nl=False)


def _check_crs(crs: str) -> None:
    nowhere = np.zeros(0)
    try:
        to_wgs84(nowhere, nowhere, crs)
    except ValueError as error:
        problem = f"metadata.stations.crs: {error}"
        raise Configuration(problem, mend="correct the mapping") from error


def _mapping(file: Path | None, config: Path | None) -> tuple[Mapping, Topics]:
    if file is not None:
        return read_mapping(file), Topics()
    settings = load(config)
    return read_mapping(settings.the_source().mapping), settings.topics
