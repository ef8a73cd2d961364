"""One connection to the database, opened again after whatever ended it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from sink.patience import breaker_of
from sink.settings import SinkSettings
from sink.sqlstate import refused, translated

_LOGGER: Final = logging.getLogger("aos.sink")

Connection = psycopg.Connection[tuple[Any, ...]]

_DEAD_AFTER_SECONDS: Final = 30
"""A peer silent for so long is gone: nothing else bounds a socket whose other end vanished."""
_LATE: Final = "SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0"
"""Late readings may open as many compressed ones as they touch. Nothing to plain PostgreSQL."""


class Database:
    """Gives transactions; a connection that broke is replaced at the next one."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self.breaker = breaker_of(settings.retry_seconds)
        """Tells whether the database is away; whoever tries again asks it first."""

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Connection]:
        """Open a transaction: committed at the end, rolled back by any exception.

        Raises:
            AosError: what the database answered, in our own tree; ``doing`` says to whom.
        """
        try:
            connection = self._open()
            with connection.transaction():
                yield connection
        except psycopg.Error as error:
            self._discard_broken()
            raise translated(error, doing) from error

    def check(self) -> None:
        """Log in.

        Raises:
            Configuration: the database cannot be reached, or will not have us.
        """
        try:
            self._open()
        except psycopg.Error as error:
            raise refused(error, self._settings.database_url) from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._settings)
        return self._connection

    def _discard_broken(self) -> None:
        if self._connection and self._connection.closed:
            _LOGGER.warning("the connection to the database broke")
            self._connection = None


def connect(settings: SinkSettings) -> Connection:
    """Open a connection in UTC, without a transaction, that notices when its other end is gone."""
    connection = psycopg.connect(
        settings.database_url,
        password=settings.password.get_secret_value() or None,
        autocommit=True,
        connect_timeout=settings.connect_timeout_seconds,
        application_name=settings.group,
        options="-c timezone=UTC -c client_min_messages=warning",
        keepalives_idle=_DEAD_AFTER_SECONDS // 3,
        keepalives_interval=_DEAD_AFTER_SECONDS // 3,
        keepalives_count=2,
        tcp_user_timeout=_DEAD_AFTER_SECONDS * 1000,
    )
    connection.execute(_LATE)
    return connection
