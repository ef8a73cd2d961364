"""``aos db``: the tables that the sink loads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import psycopg
import typer

from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import load
from runtime.errors import Configuration
from sink import migrate as migrations
from sink.database import Connection, Database
from sink.settings import SinkSettings

app = typer.Typer(add_completion=False, no_args_is_help=True)

Sql = Annotated[str, typer.Argument(metavar="SQL", help="A statement that only reads.")]


@app.callback()
def db() -> None:
    """Migrate the tables, ask them, show how to log in."""


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


@app.command()
def query(sql: Sql, config: Config = None, as_json: AsJson = False) -> None:
    """Ask the tables: runs one statement, which cannot change anything; times are UTC."""
    with _database(config) as database, database.transaction("asking") as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        rows = _answer(connection, sql)
    show(rows, as_json=as_json, empty="no rows")


def _answer(connection: Connection, sql: str) -> list[dict[str, Any]]:
    try:
        # Prepared, for what is prepared is one statement: none can end the transaction and go on.
        answer = connection.execute(sql.encode(), prepare=True)
    except psycopg.Error as error:
        problem = f"the database refuses the statement: {' '.join(str(error).split())}"
        raise Configuration(problem, mend="give one statement that only reads") from error
    names = [column.name for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer] if names else []


@app.command()
def url(config: Config = None) -> None:
    """Print the URL of the database with its password, for psql and the like: keep it to you."""
    typer.echo(with_password(load(config).sink))


def with_password(settings: SinkSettings) -> str:
    """Put the password back in its place.

    >>> with_password(SinkSettings(database_url="postgresql://aos:s%3Acret@db:5432/weather"))
    'postgresql://aos:s%3Acret@db:5432/weather'
    """
    parts = urlsplit(settings.database_url)
    password = quote(settings.password.get_secret_value(), safe="")
    user, at, address = parts.netloc.rpartition("@")
    if not (password and at):
        return settings.database_url
    return parts._replace(netloc=f"{user}:{password}@{address}").geturl()


@contextmanager
def _database(config: Config) -> Iterator[Database]:
    database = Database(load(config).sink)
    try:
        database.check()
        yield database
    finally:
        database.close()
