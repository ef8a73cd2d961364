"""One attempt at a run, as its row tells it: begun, how far, finished, or put back.

Every word of an attempt is under its number: one that was given up, because its worker was silent
for too long, can say nothing more once the next has begun.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row

from operate.jobs import store
from operate.jobs.config import JobConfig
from operate.jobs.work import Metrics
from runtime.errors import Fenced
from sink.database import Connection, Database

_BEGIN: Final = """
UPDATE ops.job_run
SET status = 'running', attempt = attempt + 1, worker_id = %s, stage = 'starting', percent = NULL,
    started_at = coalesce(started_at, now())
WHERE run_id = %s AND status IN ('queued', 'running') RETURNING *
"""
_SET: Final = """
    stage = %(stage)s, percent = %(percent)s, extracted = %(extracted)s,
    transformed = %(transformed)s, loaded = %(loaded)s, failed = %(failed)s, score = %(score)s"""
_MINE: Final = "WHERE run_id = %(run)s AND attempt = %(attempt)s AND status = 'running'"
# Below, one constant of ours is put into another; what comes from outside is a value.
_PROGRESS: Final = f"UPDATE ops.job_run SET {_SET} {_MINE} RETURNING notes ? 'cancelled_by'"  # noqa: S608
_NOTE: Final = f"UPDATE ops.job_run SET notes = notes || %(notes)s::jsonb {_MINE}"  # noqa: S608
_FINISH: Final = f"""
UPDATE ops.job_run SET {_SET}, status = %(status)s, result = %(result)s,
    errors = errors || %(errors)s::jsonb, finished_at = now()
{_MINE} RETURNING run_id
"""  # noqa: S608
_PUT_BACK: Final = f"""
UPDATE ops.job_run SET {_SET}, status = 'queued', errors = errors || %(errors)s::jsonb
{_MINE} RETURNING run_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that has begun."""

    run_id: int
    attempt: int
    job: str
    queue: str
    config: JobConfig
    due: datetime
    who: str
    notes: dict[str, Any]
    errors: list[dict[str, Any]]


class Attempt:
    """Speaks for one attempt."""

    def __init__(self, database: Database, begun: Begun) -> None:
        self._database = database
        self.begun = begun

    @classmethod
    def begin(cls, database: Database, run_id: int, worker_id: int | None) -> Attempt | None:
        """Begin the next attempt at a run; None: it is over."""
        with database.transaction("beginning a job") as connection:
            rows = connection.cursor(row_factory=dict_row)
            row = rows.execute(_BEGIN, (worker_id, run_id)).fetchone()
        return cls(database, _begun(row)) if row else None

    def tell(self, database: Database, metrics: Metrics) -> bool:
        """Write down how far it is; say whether it is to stop.

        Raises:
            Fenced: another attempt has begun.
        """
        with database.transaction("noting how far a job is") as connection:
            found = connection.execute(_PROGRESS, self._values(metrics)).fetchone()
        if found is None:
            raise self._fenced()
        return bool(found[0])

    def note(self, name: str, value: Any) -> None:
        """Leave a word for later attempts."""
        notes = json.dumps({name: value}, default=str)
        with self._database.transaction("noting") as connection:
            connection.execute(_NOTE, {**self._mine(), "notes": notes})

    def finish(
        self,
        status: str,
        metrics: Metrics,
        result: dict[str, Any] | None,
        error: dict[str, Any] | None = None,
    ) -> None:
        """End the run, and let those go that waited for it: one transaction.

        Raises:
            Fenced: another attempt has begun.
        """
        if status == "succeeded":
            metrics.percent = 100.0
        values = {
            **self._values(metrics, error),
            "status": status,
            "result": None if result is None else json.dumps(result, default=str),
        }
        with self._database.transaction("finishing a job") as connection:
            self._hold(connection, _FINISH, values)
            store.release(connection, self.begun.run_id, succeeded=status == "succeeded")

    def put_back(self, metrics: Metrics, error: dict[str, Any] | None = None) -> None:
        """Leave the run to a later attempt.

        Raises:
            Fenced: another attempt has begun.
        """
        with self._database.transaction("putting a job back") as connection:
            self._hold(connection, _PUT_BACK, self._values(metrics, error))

    def _hold(self, connection: Connection, statement: str, values: dict[str, Any]) -> None:
        if connection.execute(statement.encode(), values).fetchone() is None:
            raise self._fenced()

    def _values(self, metrics: Metrics, error: dict[str, Any] | None = None) -> dict[str, Any]:
        errors = json.dumps([error] if error else [])
        return {**self._mine(), **metrics.as_row(), "errors": errors}

    def _mine(self) -> dict[str, int]:
        return {"run": self.begun.run_id, "attempt": self.begun.attempt}

    def _fenced(self) -> Fenced:
        problem = f"attempt {self.begun.attempt} at run {self.begun.run_id} was given up"
        return Fenced(problem, mend="nothing: a later attempt is at it, or it was ended")


def _begun(row: dict[str, Any]) -> Begun:
    return Begun(
        row["run_id"],
        row["attempt"],
        row["job"],
        row["queue"],
        JobConfig.of(row["config"]),
        row["due_at"],
        row["who"],
        row["notes"],
        row["errors"],
    )
