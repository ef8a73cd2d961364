"""``aos inspect``: what a source holds, how good it is, and a first draft of its mapping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from operate.inspection import show
from operate.options import AsJson, Config
from operate.printing import print_json
from operate.settings import load
from producers import several
from producers.connection.endpoints import Endpoints
from producers.inspect.draft import source_name
from producers.inspect.pages import pages
from producers.inspect.run import SAMPLED, Bounds, Inspection, inspect
from producers.inspect.table_draft import Hints
from producers.inspect.yaml_text import yaml_text
from producers.settings import SourceSettings
from runtime.errors import Configuration, Exit
from weather.zones import zone_of

_NO_MAPPING: Final = Path("mapping.yaml")
_URLS: Final = "write it like mssql+pyodbc://user@host:1433/database or sqlite:////path/to/file"
Url = Annotated[
    str | None, typer.Option("--url", help="Database; else source.url of the settings.")
]
Source = Annotated[
    str | None, typer.Option("--source", help="Of several sources this one; else the first.")
]
Tables = Annotated[list[str] | None, typer.Option("--tables", help="Only these; may be repeated.")]
Schemas = Annotated[list[str] | None, typer.Option("--schema", help="Only these schemas.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write all documents there.")]
Zones = Annotated[
    list[str] | None,
    typer.Option("--zone", help="Zone of observation times: ZONE, or TABLE=ZONE; may be repeated."),
]
Station = Annotated[
    str | None, typer.Option("--station", help="The station of rows that name none.")
]
Rows = Annotated[int, typer.Option("--rows", min=100, max=1_000_000, help="Most rows to sample.")]


def command(  # noqa: PLR0913, PLR0917 - one for each option
    url: Url = None,
    config: Config = None,
    source: Source = None,
    tables: Tables = None,
    schema: Schemas = None,
    zone: Zones = None,
    station: Station = None,
    rows: Rows = SAMPLED,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Look at a database, and draft its mapping. SELECT is all it needs; nothing is written there.

    With --out it writes schema.md, quality.md, volume.md, mapping.yaml and inspect.json. Ctrl-C
    ends the looking; what was seen by then is told, and the exit code is 1.
    """
    settings = _source(url, config, source)
    hints = _hints(settings, zone or [], station)
    bounds = Bounds(tables or (), schema or (), rows, settings.query_timeout_seconds)
    with Endpoints.settled(settings) as database, Console(stderr=True).status("looking") as status:
        found = inspect(
            database,
            bounds,
            hints,
            lambda what, n, of: status.update(Text(f"{what} ({n}/{of})")),
        )
    if out is not None:
        _write(out, found)
    if as_json:
        print_json(found.as_document())
    else:
        show(found, with_draft=out is None)
    if found.cancelled:
        raise typer.Exit(Exit.FAILED)


def _source(url: str | None, config: Path | None, name: str | None) -> SourceSettings:
    if url is None:
        (chosen,) = several.named(load(config).all_sources(), [name] if name else ())
        return chosen
    if "://" not in url:
        path = Path(url)
        shown = url if path.exists() else "…"  # it may hold a password
        mend = f"write sqlite:///{path.absolute()}" if path.exists() else _URLS
        setting, problem = "--url", "it is no URL"
        raise Configuration.of(setting, shown, problem, mend=mend)
    return SourceSettings(url=url, mapping=_NO_MAPPING)


def _hints(settings: SourceSettings, zones: list[str], station: str | None) -> Hints:
    try:
        database = make_url(settings.url).database
    except ArgumentError:
        database = None
    parted = [zone.rpartition("=") for zone in zones]
    for name in (zone for _, _, zone in parted):
        _check(name)
    general = [zone for table, _, zone in parted if not table]
    return Hints(
        source_name(database or "aos"),
        general[-1] if general else None,
        {table: zone for table, _, zone in parted if table},
        station,
    )


def _check(zone: str) -> None:
    try:
        zone_of(zone)
    except ValueError as error:
        mend = "give an IANA name such as Asia/Seoul, or an offset such as +09:00"
        setting, problem = "--zone", "there is no such zone"
        raise Configuration.of(setting, zone, problem, mend=mend) from error


def _write(out: Path, found: Inspection) -> None:
    document = json.dumps(found.as_document(), indent=2, default=str, ensure_ascii=False)
    files = {**pages(found), "mapping.yaml": yaml_text(found.proposal), "inspect.json": document}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        setting, problem = "--out", f"it cannot be written ({error.strerror})"
        mend = "name a directory of yours"
        raise Configuration.of(setting, str(out), problem, mend=mend) from error
