"""How an inspection asks: whoever answers first, and never for longer than it was told."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from producers.connection.endpoint import Work
from producers.connection.endpoints import Endpoints

_STEPS: Final = 100_000

Result = TypeVar("Result")


def ask(database: Endpoints, doing: str, work: Work[Result]) -> Result:
    """Ask the first endpoint that answers; what it cannot tell is no reason to ask another.

    Raises:
        SQLAlchemyError: this cannot be seen.
        AosError: no endpoint answers.
    """

    def tried(connection: Connection) -> Result | SQLAlchemyError:
        try:
            return work(connection)
        except SQLAlchemyError as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            return error

    found = database.ask(doing, tried)
    if isinstance(found, SQLAlchemyError):
        raise found
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep SQLAlchemy from warning of types that it does not know: they are told as such."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def bounded(connection: Connection, seconds: float) -> Iterator[None]:
    """End a query of SQLite in time; the servers were told so when the engine was opened."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    end = time.monotonic() + seconds
    driver.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
