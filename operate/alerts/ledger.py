"""``ops.alert``: which alerts stand open, and of which of them somebody has been told.

Of each alert one stands open at most, whoever watches; and who tells of it holds its row meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row, dict_row

from operate.alerts.receivers import Notice
from operate.alerts.rules import Alert
from runtime.errors import Transient
from sink.database import Connection, Database

_COLUMNS: Final = "name, about, severity, summary, runbook, fired_at, cleared_at"
_OPEN: Final = """
INSERT INTO ops.alert (name, about, severity, summary, runbook)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT (name, about) WHERE cleared_at IS NULL DO NOTHING
"""
_CLEAR: Final = """
UPDATE ops.alert SET cleared_at = now()
WHERE cleared_at IS NULL AND NOT (name || E'\\x1f' || about = ANY(%s))
"""
_UNTOLD: Final = """
SELECT alert_id, told_at IS NULL AS is_new FROM ops.alert
WHERE told_at IS NULL OR (cleared_at IS NOT NULL AND cleared_told_at IS NULL)
ORDER BY alert_id FOR UPDATE SKIP LOCKED
"""
_ONE: Final = f"SELECT {_COLUMNS} FROM ops.alert WHERE alert_id = %s"  # noqa: S608 - of ours
_TOLD: Final = "UPDATE ops.alert SET told_at = now() WHERE alert_id = %s"
_TOLD_CLEARED: Final = "UPDATE ops.alert SET cleared_told_at = now() WHERE alert_id = %s"
_STANDING: Final = f"SELECT {_COLUMNS} FROM ops.alert WHERE cleared_at IS NULL ORDER BY alert_id"  # noqa: S608
_NEWEST: Final = "SELECT * FROM ops.alert ORDER BY alert_id DESC LIMIT %s"
_FAILED: Final = """
SELECT job, count(*) FROM ops.job_run AS run
WHERE status = 'failed' AND finished_at > now() - INTERVAL '1 day' AND NOT EXISTS (
    SELECT FROM ops.job_run AS later
    WHERE later.job = run.job AND later.status = 'succeeded' AND later.run_id > run.run_id)
GROUP BY job
"""


Key = tuple[str, str]
"""Name of an alert, and what it is about."""


class Ledger:
    """Keeps alerts on one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(
        self,
        alerts: Sequence[Alert],
        tell: Callable[[Notice], None],
        seen: Collection[Key] = (),
    ) -> None:
        """Open what is new, clear what is over, and tell of both, each once.

        What is ``seen``, be it not for long enough to be opened, is not over: another watch has
        seen it for longer. What cannot be told is told at the next look.

        Raises:
            AosError: the database does not answer.
        """
        with self._database.transaction("keeping alerts") as connection:
            for one in alerts:
                values = one.name, one.about, one.severity, one.summary, one.runbook
                connection.execute(_OPEN, values)
            standing = {*seen, *(one.key for one in alerts)}
            connection.execute(_CLEAR, (["\x1f".join(key) for key in standing],))
        with self._database.transaction("telling of alerts") as connection:
            for number, is_new in connection.execute(_UNTOLD).fetchall():
                if not _tell(connection, number, tell, is_new=is_new):
                    return

    def standing(self) -> list[Notice]:
        """Give what stands open."""
        with self._database.transaction("reading alerts") as connection:
            rows = connection.cursor(row_factory=class_row(Notice))
            return rows.execute(_STANDING).fetchall()

    def newest(self, most: int = 50) -> list[dict[str, Any]]:
        """Give the newest alerts, open or cleared."""
        with self._database.transaction("reading alerts") as connection:
            rows = connection.cursor(row_factory=dict_row)
            return rows.execute(_NEWEST, (most,)).fetchall()

    def failed_jobs(self) -> dict[str, int]:
        """Count the runs of the last day that failed, with none behind them that went well."""
        with self._database.transaction("asking for failed jobs") as connection:
            return dict(connection.execute(_FAILED).fetchall())


def _tell(
    connection: Connection, number: int, tell: Callable[[Notice], None], *, is_new: bool
) -> bool:
    rows = connection.cursor(row_factory=class_row(Notice))
    notice = rows.execute(_ONE, (number,)).fetchall()[0]
    try:
        if is_new:
            tell(_as_fired(notice))
            connection.execute(_TOLD, (number,))
        if notice.cleared_at:
            tell(notice)
            connection.execute(_TOLD_CLEARED, (number,))
    except Transient:
        return False
    return True


def _as_fired(notice: Notice) -> Notice:
    nobody: datetime | None = None
    return Notice(
        notice.name,
        notice.about,
        notice.severity,
        notice.summary,
        notice.runbook,
        notice.fired_at,
        nobody,
    )
