"""Connections of a backfill: under their own name, patient with nobody, in nobody's way.

SQL Server reads under snapshot isolation where the database allows it: no locks are asked for and
none is waited for. It is never NOLOCK: that reads what is not committed, and rows twice or not at
all. Where a deadlock comes all the same, the backfill is the one that gives way.
"""

from __future__ import annotations

import logging
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, event, make_url

from producers.connection.database import open_engine
from producers.connection.endpoint import Work
from producers.connection.endpoints import Endpoints
from producers.connection.server import server_of
from producers.settings import SourceSettings

APPLICATION: Final = "aos-backfill"
_LOGGER: Final = logging.getLogger("aos.backfill")
_LOCK_SECONDS: Final = 2
GIVE_WAY: Final = "SET DEADLOCK_PRIORITY LOW"
Result = TypeVar("Result")


class Quiet:
    """A source's endpoints as a backfill asks them: the first that answers, and without waiting."""

    def __init__(self, database: Endpoints, isolation: str | None = None) -> None:
        self._database = database
        self._isolation = isolation
        self.dialect = database.dialect

    def ask(self, doing: str, work: Work[Result]) -> Result:
        """Lend ``work`` a connection; it must only read, and may be run once for each endpoint.

        Raises:
            AosError: see :meth:`Endpoints.ask`.
        """
        return self._database.ask(doing, work, self._isolation)


def open_quiet(settings: SourceSettings) -> Endpoints:
    """Make the endpoints; nothing is connected yet.

    Raises:
        Configuration: an address is none, or its driver is not here.
    """
    shy = {"lock_timeout_seconds": min(settings.lock_timeout_seconds, _LOCK_SECONDS)}
    return Endpoints.open(settings.model_copy(update=shy), _engine)


def quietly(database: Endpoints) -> Quiet:
    """See how these endpoints, which are settled, may be read.

    Raises:
        Transient: none of them answers.
    """
    if database.dialect != "mssql":
        return Quiet(database)
    server = database.ask("asking for the isolation level", server_of)
    if server.snapshot:
        return Quiet(database, "SNAPSHOT")
    _LOGGER.warning(
        "the database has no snapshot isolation: the backfill waits for writers, up to %d s each "
        "time, and may meet a row twice that moves meanwhile. Mend: ALTER DATABASE … SET "
        "ALLOW_SNAPSHOT_ISOLATION ON, or let source.url name a readable secondary",
        _LOCK_SECONDS,
    )
    return Quiet(database)


def _engine(settings: SourceSettings, address: str) -> Engine:
    return give_way(open_engine(settings, named(address)))


def give_way(engine: Engine) -> Engine:
    """Let an engine's connections be those that end where a deadlock comes."""
    if engine.dialect.name == "mssql":
        event.listen(engine, "connect", _give_way)
    return engine


def named(url: str) -> str:
    """Let SQL Server know the backfill by its name: Resource Governor may bound it by that.

    >>> named("mssql+pyodbc://reader@host/AOS"), named("sqlite:///aos.db")
    ('mssql+pyodbc://reader@host/AOS?APP=aos-backfill', 'sqlite:///aos.db')
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "mssql" or "app" in {key.lower() for key in parsed.query}:
        return url
    return parsed.update_query_dict({"APP": APPLICATION}).render_as_string(hide_password=False)


def _give_way(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GIVE_WAY)
