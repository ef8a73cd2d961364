"""Rows as the driver gives them.

SQLAlchemy would look at every value of every row before we do, and pack each row anew: that took as
long as the driver's own work. What values mean is for :mod:`producers.reading.rows` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError


def fetched(connection: Connection, statement: Select[Any]) -> Sequence[Sequence[Any]]:
    """Execute a statement and give all its rows, unprocessed.

    Raises:
        SQLAlchemyError: as if SQLAlchemy had fetched them itself.
    """
    result = connection.execute(statement)
    cursor = result.cursor
    if cursor is None:
        raise AssertionError
    try:
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    except Exception as error:
        raise _as_sqlalchemy_says(error, connection, statement, cursor) from error
    finally:
        result.close()
    return rows


def _as_sqlalchemy_says(
    error: Exception, connection: Connection, statement: Select[Any], cursor: Any
) -> Exception:
    dialect = connection.dialect
    driver = dialect.loaded_dbapi.Error
    if not isinstance(error, driver):
        return error
    lost = dialect.is_disconnect(error, connection.connection, cursor)
    return DBAPIError.instance(
        str(statement), None, error, driver, connection_invalidated=lost, dialect=dialect
    )
