"""``aos db``: the tables that the sink loads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

import psycopg
import typer

from operate.jobs.engine import install, pending
from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.settings import Settings, load
from runtime.errors import Configuration
from sink import migrate as migrations
from sink import upkeep
from sink.database import Connection, Database
from sink.roles import Roles, missing
from sink.settings import SinkSettings

app = typer.Typer(add_completion=False, no_args_is_help=True)

_SHORT: Final = frozenset({"policy", "right"})
_ENGINE: Final = "engine of jobs: "

Sql = Annotated[str, typer.Argument(metavar="SQL", help="A statement that only reads.")]


@app.callback()
def db() -> None:
    """Migrate the tables, see what keeps them, ask them, show how to log in."""


@app.command()
def migrate(config: Config = None, as_json: AsJson = False) -> None:
    """Run every migration that has not run yet; set policies and rights as the settings say."""
    with _opened(config) as (database, settings):
        ran = upkeep.bring_up_to_date(database, settings.sink, _roles(settings))
        scripts = install(database, _roles(settings))
    shown = [{"ran": s.name, "sql": s.sql if s.name in _SHORT else ""} for s in ran]
    shown += [{"ran": _ENGINE + script, "sql": ""} for script in scripts]
    show(shown, as_json=as_json, empty="everything is up to date")


@app.command()
def plan(config: Config = None, as_json: AsJson = False) -> None:
    """Print the SQL that `aos db migrate` would run; nothing is changed."""
    with _opened(config) as (database, settings):
        steps = upkeep.plan(database, settings.sink, _roles(settings))
        with database.transaction("asking") as connection:
            steps += [upkeep.Step(_ENGINE + name, sql) for name, sql in pending(connection)]
    if as_json:
        return print_json([{"name": s.name, "sql": s.sql} for s in steps])
    for name, several in groupby(steps, key=attrgetter("name")):
        typer.echo(f"-- {name}")
        for step in several:
            typer.echo(step.sql if name not in _SHORT else f"{step.sql};")
    if not steps:
        typer.echo("-- everything is up to date")
    return None


@app.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """Show every migration, and when it ran; nothing is changed."""
    with _opened(config) as (database, _):
        found = migrations.status(database)
        waiting = {m.version for m in migrations.pending(database)}
    rows = [_told(s, s.migration.version in waiting) for s in found]
    show(rows, as_json=as_json)


def _told(found: migrations.Status, is_waiting: bool) -> dict[str, Any]:
    remark = "waits for `aos db migrate`" if is_waiting else ""
    if not (is_waiting or found.applied_at):
        remark = "left out: plain PostgreSQL"
    return {"migration": found.migration.label, "ran at": found.applied_at, "remark": remark}


@app.command()
def policies(config: Config = None, as_json: AsJson = False) -> None:
    """Show what TimescaleDB keeps doing by itself, and how that went last."""
    with _opened(config) as (database, _), database.transaction("asking") as connection:
        known = upkeep.jobs(connection)
    show(known, as_json=as_json, empty="plain PostgreSQL has no jobs; `aos db tidy` stands in")


@app.command()
def roles(config: Config = None) -> None:
    """Print what an administrator runs, once, so that there are the roles the settings name."""
    with _opened(config) as (database, settings), database.transaction("asking") as connection:
        statements = missing(connection, _roles(settings))
    for statement in statements:
        typer.echo(f"{statement.as_string()};")
    if not statements:
        typer.echo("-- the roles are there; `aos db migrate` gives them their rights")


@app.command()
def tidy(config: Config = None) -> None:
    """Do what TimescaleDB's jobs do, on plain PostgreSQL: forget old batches, learn cadences."""
    with _opened(config) as (database, settings):
        forgotten = upkeep.tidy(database, settings.sink)
    typer.echo(f"{forgotten} entries of the ledger forgotten, the cadence of all sensors learned")


@app.command()
def query(sql: Sql, config: Config = None, as_json: AsJson = False) -> None:
    """Ask the tables: runs one statement, which cannot change anything; times are UTC."""
    with _opened(config) as (database, _), database.transaction("asking") as connection:
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


def _roles(settings: Settings) -> Roles:
    return Roles.of(settings.sink, settings.topics)


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Database, Settings]]:
    settings = load(config)
    database = Database(settings.sink)
    try:
        database.check()
        yield database, settings
    finally:
        database.close()
