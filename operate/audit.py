"""The record of what operators did: begun before anything is done, finished behind it.

What stands as begun for long was broken off in between: it may be done or not, and is not done
again unless somebody insists. What failed may be tried again at once.
"""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row

from sink.database import Database

_BEGIN: Final = """
INSERT INTO ops.audit (who, action, origin, origin_at, attempt, destination, state, detail)
SELECT %(who)s, %(action)s, wanted.origin, wanted.origin_at, 1 + count(known.attempt),
       wanted.destination, 'begun', %(detail)s
FROM unnest(%(origins)s::text[], %(times)s::timestamptz[], %(destinations)s::text[])
    AS wanted (origin, origin_at, destination)
LEFT JOIN ops.audit AS known
    ON known.action = %(action)s
    AND (known.origin, known.origin_at) = (wanted.origin, wanted.origin_at)
GROUP BY wanted.origin, wanted.origin_at, wanted.destination
HAVING %(again)s OR count(*) FILTER (WHERE known.state IN ('begun', 'done')) = 0
ON CONFLICT (action, origin, origin_at, attempt) DO NOTHING
RETURNING origin, audit_id
"""
_FINISH: Final = """
UPDATE ops.audit SET state = %s, finished_at = now() WHERE audit_id = ANY(%s)
"""
_STANDS: Final = """
SELECT DISTINCT ON (origin, origin_at) origin, origin_at, state, who, begun_at FROM ops.audit
WHERE action = %s AND origin = ANY(%s) ORDER BY origin, origin_at, attempt DESC
"""
_NEWEST: Final = "SELECT * FROM ops.audit WHERE action = %s ORDER BY begun_at DESC LIMIT %s"
_THERE: Final = "SELECT to_regclass('ops.audit') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Act:
    """Something to be done once: to what, written when, and where it is to go."""

    origin: str
    origin_at: datetime
    destination: str


@dataclass(frozen=True, slots=True)
class Stand:
    """How the last attempt at something stands: begun, done or failed."""

    state: str
    who: str
    at: datetime


def operator() -> str:
    """Name whoever runs this process: user and host."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


class Audit:
    """Acts of one kind, by one operator, in the table ``ops.audit``."""

    def __init__(self, database: Database, action: str, who: str) -> None:
        self._database = database
        self._action = action
        self._who = who

    def begin(
        self, acts: Sequence[Act], detail: Mapping[str, Any], *, again: bool = False
    ) -> dict[str, int]:
        """Begin acts; give the number of each that is ours to do, by its origin.

        The others were begun or done before, or are being begun by somebody else.
        """
        values = {
            "who": self._who,
            "action": self._action,
            "origins": [act.origin for act in acts],
            "times": [act.origin_at for act in acts],
            "destinations": [act.destination for act in acts],
            "detail": json.dumps(dict(detail), default=str),
            "again": again,
        }
        with self._database.transaction("beginning an act") as connection:
            return dict(connection.execute(_BEGIN, values).fetchall())

    def finish(self, numbers: Iterable[int], state: str = "done") -> None:
        """Note that acts are done, or have failed and left nothing behind."""
        with self._database.transaction("finishing an act") as connection:
            connection.execute(_FINISH, (state, list(numbers)))

    def stands(self, acts: Sequence[tuple[str, datetime]]) -> dict[tuple[str, datetime], Stand]:
        """Say how acts stand that were begun, by origin and its time."""
        with self._database.transaction("asking for acts") as connection:
            if connection.execute(_THERE).fetchone() != (True,):
                return {}
            rows = connection.execute(_STANDS, (self._action, [origin for origin, _ in acts]))
            return {(origin, at): Stand(*rest) for origin, at, *rest in rows}

    def newest(self, most: int = 50) -> list[dict[str, Any]]:
        """Give the newest acts, by whomever."""
        with self._database.transaction("asking for acts") as connection:
            if connection.execute(_THERE).fetchone() != (True,):
                return []
            cursor = connection.cursor(row_factory=dict_row)
            return cursor.execute(_NEWEST, (self._action, most)).fetchall()
