"""``aos db``: the tables that the sink loads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import load
from sink import migrate as migrations
from sink.database import Database

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def db() -> None:
    """Migrate the tables, or show which migrations ran."""


@app.command()
def migrate(config: Config = None, as_json: AsJson = False) -> None:
    """Run every migration that has not run yet."""
    with _database(config) as database:
        ran = migrations.migrate(database)
    rows = [{"migration": f"{m.version:04d}_{m.name}", "ran": True} for m in ran]
    show(rows, as_json=as_json, empty="every migration has run already")


@app.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """Show every migration, and when it ran; nothing is changed."""
    with _database(config) as database:
        found = migrations.status(database)
    rows = [
        {"migration": f"{s.migration.version:04d}_{s.migration.name}", "ran at": s.applied_at}
        for s in found
    ]
    show(rows, as_json=as_json)


@contextmanager
def _database(config: Config) -> Iterator[Database]:
    database = Database(load(config).sink)
    try:
        database.check()
        yield database
    finally:
        database.close()
