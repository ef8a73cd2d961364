"""The ledger of comparisons: ``ops.reconcile_run``."""

from __future__ import annotations

import json
from typing import Any, Final

from psycopg.rows import dict_row

from operate.reconcile.entries import wall
from operate.reconcile.scope import Scope
from sink.database import Database

MOST_FINDINGS: Final = 1_000
_BEGIN: Final = """
INSERT INTO ops.reconcile_run (who, since, until, parameters, stations)
VALUES (%s, %s, %s, %s, %s) RETURNING run_id
"""
_FINISH: Final = """
UPDATE ops.reconcile_run
SET finished_at = now(), counts = %s, causes = %s, findings = %s, repaired = %s
WHERE run_id = %s
"""
_NEWEST: Final = """
SELECT run_id, who, since, until, started_at, finished_at, causes, repaired
FROM ops.reconcile_run ORDER BY run_id DESC LIMIT %s
"""
_ONE: Final = "SELECT * FROM ops.reconcile_run WHERE run_id = %s"


class Ledger:
    """Writes down each run when it begins, and what it found when it is over."""

    def __init__(self, database: Database, who: str) -> None:
        self._database = database
        self._who = who

    def begin(self, scope: Scope) -> int:
        """Begin a run; give its number."""
        ends = wall(scope.since), wall(scope.until)
        values = (self._who, *ends, list(scope.parameters), list(scope.stations))
        with self._database.transaction("beginning a comparison") as connection:
            number: int = connection.execute(_BEGIN, values).fetchall()[0][0]
        return number

    def finish(
        self, number: int, counts: Any, causes: Any, findings: list[dict[str, Any]], repaired: int
    ) -> None:
        """Write down what was found; of the findings the first are named."""
        told = (json.dumps(one, default=str) for one in (counts, causes, findings[:MOST_FINDINGS]))
        with self._database.transaction("finishing a comparison") as connection:
            connection.execute(_FINISH, (*told, repaired, number))

    def newest(self, most: int = 20) -> list[dict[str, Any]]:
        """Give the newest runs, without their findings."""
        return self._rows(_NEWEST, most)

    def one(self, number: int) -> dict[str, Any] | None:
        """Give all of one run."""
        return next(iter(self._rows(_ONE, number)), None)

    def _rows(self, query: str, value: int) -> list[dict[str, Any]]:
        with self._database.transaction("reading the ledger") as connection:
            return connection.cursor(row_factory=dict_row).execute(query, (value,)).fetchall()
