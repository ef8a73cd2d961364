"""Versioned migrations: plain SQL files, each run once in a transaction of its own and recorded.

A file is named ``NNNN_what.sql``. One named ``NNNN_what.timescaledb.sql`` runs only where the
server offers TimescaleDB; if it is installed later, the next run makes up for it. A file that ran
is never edited: its checksum is on record, and a changed one stops everything.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final

from runtime.errors import Configuration
from sink.database import Connection, Database

_LOGGER: Final = logging.getLogger("aos.sink")

_LOCK: Final = 0x616F73  # "aos": any number will do that nobody else uses
_PLAIN: Final = (
    "plain PostgreSQL: no hypertables, compression or retention; aggregates are plain views, and"
    " `aos db tidy` does what jobs would"
)
_RECORD: Final = """
CREATE SCHEMA IF NOT EXISTS ops;
CREATE TABLE IF NOT EXISTS ops.migration (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the tables' history."""

    version: int
    name: str
    sql: str

    @property
    def label(self) -> str:
        """Its number and name, as its file has them."""
        return f"{self.version:04d}_{self.name}"

    @property
    def checksum(self) -> str:
        """SHA-256 of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def needs_timescaledb(self) -> bool:
        """Whether plain PostgreSQL leaves it out."""
        return self.name.endswith(".timescaledb")


@dataclass(frozen=True, slots=True)
class Status:
    """A migration, and when it ran if it did."""

    migration: Migration
    applied_at: datetime | None


def migrations() -> list[Migration]:
    """Give every migration, in order.

    >>> [m.name for m in migrations()][:2]
    ['readings', 'metadata']
    """
    found = [f for f in files("sink").joinpath("migrations").iterdir() if f.name.endswith(".sql")]
    return [_read(f.name, f.read_text("utf-8")) for f in sorted(found, key=lambda f: f.name)]


def _read(filename: str, sql: str) -> Migration:
    version, _, name = filename.removesuffix(".sql").partition("_")
    return Migration(int(version), name, sql)


def migrate(database: Database, steps: Iterable[Migration] | None = None) -> list[Migration]:
    """Run what has not run yet and give it; two that migrate at once take turns.

    Raises:
        Configuration: a file was edited after it ran, or a right is missing.
    """
    with database.transaction("preparing migrations") as connection:
        take_turn(connection)
        connection.execute(_RECORD)
        with_timescaledb = offers_timescaledb(connection)
    steps = migrations() if steps is None else list(steps)
    wanted = [m for m in steps if with_timescaledb or not m.needs_timescaledb]
    if len(wanted) < len(steps):
        _LOGGER.warning(_PLAIN)
    return [m for m in wanted if _apply(database, m)]


def pending(database: Database) -> list[Migration]:
    """Give what ``migrate`` would run; nothing is changed."""
    with database.transaction("looking for TimescaleDB") as connection:
        with_timescaledb = offers_timescaledb(connection)
    waiting = [s.migration for s in status(database) if s.applied_at is None]
    return [m for m in waiting if with_timescaledb or not m.needs_timescaledb]


def status(database: Database) -> list[Status]:
    """Say of every migration whether and when it ran; nothing is changed."""
    with database.transaction("reading migrations") as connection:
        known = connection.execute("SELECT to_regclass('ops.migration')").fetchone() != (None,)
        query = "SELECT version, applied_at FROM ops.migration"
        applied: dict[int, datetime] = dict(connection.execute(query)) if known else {}
    return [Status(m, applied.get(m.version)) for m in migrations()]


def check_migrated(database: Database) -> None:
    """See that the tables are there, where somebody else migrates.

    Raises:
        Configuration: a migration has not run; the message names it.
    """
    missing = [m.name for m in pending(database)]
    if missing:
        problem = f"migrations have not run: {', '.join(missing)}"
        raise Configuration(problem, mend="run `aos db migrate`, or set sink.migrate_at_start")


def _apply(database: Database, migration: Migration) -> bool:
    label = f"migration {migration.label}"
    with database.transaction(label) as connection:
        take_turn(connection)
        if _has_run(connection, migration, label):
            return False
        connection.execute(migration.sql.encode())
        connection.execute(
            "INSERT INTO ops.migration (version, name, checksum) VALUES (%s, %s, %s)",
            (migration.version, migration.name, migration.checksum),
        )
    _LOGGER.info("%s ran", label)
    return True


def _has_run(connection: Connection, migration: Migration, label: str) -> bool:
    query = "SELECT checksum FROM ops.migration WHERE version = %s"
    row = connection.execute(query, (migration.version,)).fetchone()
    if row and row[0] != migration.checksum:
        problem = f"{label} was edited after it ran"
        raise Configuration(problem, mend="restore the file; put the change into a new migration")
    return row is not None


def take_turn(connection: Connection) -> None:
    """Wait until nobody else migrates, and keep others waiting until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def offers_timescaledb(connection: Connection) -> bool:
    """Say whether the server has the extension, installed in this database or not."""
    query = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
    return connection.execute(query).fetchone() is not None
