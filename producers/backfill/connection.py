"""Connections of a backfill: under their own name, patient with nobody, in nobody's way.

SQL Server reads under snapshot isolation where the database allows it: no locks are asked for and
none is waited for. It is never NOLOCK: that reads what is not committed, and rows twice or not at
all. Where a deadlock comes all the same, the backfill is the one that gives way.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from sqlalchemy import Engine, event, make_url, text

from producers.connection.database import open_engine, reading
from producers.settings import SourceSettings

APPLICATION: Final = "aos-backfill"
_LOGGER: Final = logging.getLogger("aos.backfill")
_LOCK_SECONDS: Final = 2
_SNAPSHOT: Final = text(
    "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()"
)


def open_quiet(settings: SourceSettings) -> Engine:
    """Make the engine, and see how it may read.

    Raises:
        Configuration: ``source.url`` is wrong.
        Transient: the database does not answer.
    """
    shy = {"lock_timeout_seconds": min(settings.lock_timeout_seconds, _LOCK_SECONDS)}
    engine = open_engine(settings.model_copy(update=shy), named(settings.url))
    if engine.dialect.name != "mssql":
        return engine
    event.listen(engine, "connect", _give_way)
    with reading(engine, "asking for the isolation level") as connection:
        allowed = connection.execute(_SNAPSHOT).scalar_one() == 1
    if allowed:
        return engine.execution_options(isolation_level="SNAPSHOT")
    _LOGGER.warning(
        "the database has no snapshot isolation: the backfill waits for writers, up to %d s each "
        "time, and may meet a row twice that moves meanwhile. Mend: ALTER DATABASE … SET "
        "ALLOW_SNAPSHOT_ISOLATION ON, or let source.url name a readable secondary",
        _LOCK_SECONDS,
    )
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
        cursor.execute("SET DEADLOCK_PRIORITY LOW")
