"""Reports that were made, in ``ops.report``: of one span the last."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final

from psycopg.types.json import Jsonb

from operate.reports.weekly import Report
from sink.database import Connection

_AGAIN: Final = """
    UPDATE ops.report SET made_at = now(), document = %(document)s, page = %(page)s
    WHERE since = %(since)s AND until = %(until)s RETURNING id
"""
_NEW: Final = """
    INSERT INTO ops.report (since, until, document, page)
    VALUES (%(since)s, %(until)s, %(document)s, %(page)s) RETURNING id
"""
_LIST: Final = """
    SELECT id, since::date, until::date, made_at, (document ->> 'score')::float,
           jsonb_array_length(document -> 'attention')
    FROM ops.report ORDER BY until DESC, id DESC LIMIT %s
"""


def put(connection: Connection, report: Report) -> int:
    """Keep a report, in the place of an earlier one of the same days; give its number."""
    given = {
        "since": _midnight(report.since),
        "until": _midnight(report.until),
        "document": Jsonb(report.document),
        "page": report.page,
    }
    found = connection.execute(_AGAIN, given).fetchone()
    ((number,),) = [found] if found else connection.execute(_NEW, given).fetchall()
    return int(number)


def listed(connection: Connection, most: int = 100) -> list[dict[str, Any]]:
    """List reports, the newest first."""
    names = ("id", "from", "until", "made_at", "score", "attention")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(_LIST, (most,))]


def document_of(connection: Connection, number: int) -> dict[str, Any] | None:
    """Give the document of a report; None where there is none."""
    found = _column(connection, "SELECT document FROM ops.report WHERE id = %s", number)
    return None if found is None else dict(found)


def page_of(connection: Connection, number: int) -> str | None:
    """Give the page of a report; None where there is none."""
    found = _column(connection, "SELECT page FROM ops.report WHERE id = %s", number)
    return None if found is None else str(found)


def _column(connection: Connection, query: str, number: int) -> Any:
    found = connection.execute(query.encode(), (number,)).fetchone()
    return found[0] if found else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
