"""``ops.job_run``: asking for jobs, cancelling them, and looking at what became of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row

from operate.jobs import engine
from operate.jobs.catalogue import Kind, kind_of
from operate.jobs.config import JobConfig
from runtime.errors import Configuration
from sink.database import Connection, Database

ACTIVE: Final = ("waiting", "queued", "running")
_ASK: Final = """
INSERT INTO ops.job_run
    (job, name, queue, priority, config, who, cause, cause_key, due_at, after_runs, status)
VALUES (%(job)s, %(name)s, %(queue)s, %(priority)s, %(config)s, %(who)s, %(cause)s, %(key)s,
        %(due)s, %(after)s, 'waiting')
ON CONFLICT (cause_key) WHERE cause_key IS NOT NULL DO NOTHING
RETURNING run_id
"""
_AWAITED: Final = "SELECT run_id, status FROM ops.job_run WHERE run_id = ANY(%s) FOR SHARE"
_QUEUED: Final = "UPDATE ops.job_run SET engine_id = %s, status = 'queued' WHERE run_id = %s"
_HOLD: Final = """
SELECT run_id FROM ops.job_run WHERE status = 'waiting' AND %s = ANY(after_runs)
ORDER BY run_id FOR UPDATE
"""
_READY: Final = """
SELECT run_id, job, queue, priority FROM ops.job_run AS mine
WHERE run_id = ANY(%s) AND NOT EXISTS (
    SELECT FROM ops.job_run AS other
    WHERE other.run_id = ANY(mine.after_runs) AND other.status <> 'succeeded')
"""
_CANCEL_WAITING: Final = """
UPDATE ops.job_run SET status = 'cancelled', finished_at = now(), stage = %s
WHERE run_id = ANY(%s) AND status = 'waiting' RETURNING run_id
"""
_LOCK: Final = "SELECT status, engine_id FROM ops.job_run WHERE run_id = %s FOR UPDATE"
_CANCEL_ENGINE: Final = "SELECT procrastinate_cancel_job_v1(%s, false, false)"
_CANCELLED: Final = """
UPDATE ops.job_run SET status = 'cancelled', finished_at = now(), stage = %s WHERE run_id = %s
"""
_ASK_TO_STOP: Final = """
UPDATE ops.job_run SET notes = notes || jsonb_build_object('cancelled_by', %s::text)
WHERE run_id = %s
"""
_ROWS: Final = """
SELECT run.*, worker.host, worker.pid FROM ops.job_run AS run
LEFT JOIN ops.job_worker AS worker USING (worker_id)
WHERE (%(job)s::text IS NULL OR job = %(job)s)
    AND (%(status)s::text[] IS NULL OR status = ANY(%(status)s))
    AND (%(run)s::bigint IS NULL OR run_id = %(run)s)
ORDER BY run_id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A job as it is asked for.

    Attributes:
        cause: ``asked`` by somebody, or started by a ``schedule`` or an ``event``.
        key: what started it, where that may start only one.
        due: the moment it is about.
        after: runs that have to succeed first.
    """

    kind: Kind
    config: JobConfig
    who: str
    due: datetime
    cause: str = "asked"
    key: str | None = None
    after: tuple[int, ...] = ()
    priority: int | None = None

    def as_values(self) -> dict[str, Any]:
        """Give the values of a row."""
        return {
            "job": self.kind.name,
            "name": self.config.name or self.kind.name,
            "queue": self.kind.queue.value,
            "priority": self.kind.priority if self.priority is None else self.priority,
            "config": json.dumps(self.config.as_document()),
            "who": self.who,
            "cause": self.cause,
            "key": self.key,
            "due": self.due,
            "after": sorted(set(self.after)),
        }


def submit(connection: Connection, asked: Asked) -> int | None:
    """Ask for a job, in the transaction of ``connection``; give its number.

    None: what started it has started one already.

    Raises:
        Configuration: it is to wait for a run that there is not, or that did not succeed.
    """
    _check_awaited(connection, asked.after)
    found = connection.execute(_ASK, asked.as_values()).fetchone()
    if found is None:
        return None
    run_id: int = found[0]
    _queue_the_ready(connection, [run_id])
    return run_id


def release(connection: Connection, run_id: int, *, succeeded: bool) -> None:
    """Queue what waited for this run, if for nothing else; without success, cancel it."""
    waiting = [number for (number,) in connection.execute(_HOLD, (run_id,))]
    if not waiting:
        return
    if succeeded:
        _queue_the_ready(connection, waiting)
        return
    connection.execute(_CANCEL_WAITING, (f"run {run_id} did not succeed", waiting))
    for number in waiting:
        release(connection, number, succeeded=False)


def cancel(database: Database, run_id: int, who: str) -> str:
    """Cancel a run; give how it stands now. One that is at work stops soon.

    Raises:
        Configuration: there is no such run.
    """
    told = f"cancelled by {who}"
    with database.transaction("cancelling a job") as connection:
        found = connection.execute(_LOCK, (run_id,)).fetchone()
        if found is None:
            raise unknown_run(run_id)
        status, engine_id = found
        if status not in ACTIVE:
            return str(status)
        engine.go_into(connection)
        if engine_id is not None and _is_at_work(connection, engine_id):
            connection.execute(_ASK_TO_STOP, (who, run_id))
            return "running"
        connection.execute(_CANCELLED, (told, run_id))
        release(connection, run_id, succeeded=False)
    return "cancelled"


def rows(
    database: Database,
    *,
    job: str | None = None,
    status: Sequence[str] | None = None,
    run_id: int | None = None,
    most: int = 50,
) -> list[dict[str, Any]]:
    """Give runs, the newest first."""
    wanted = {"job": job, "status": list(status) if status else None, "run": run_id, "most": most}
    with database.transaction("reading jobs") as connection:
        return connection.cursor(row_factory=dict_row).execute(_ROWS, wanted).fetchall()


def unknown_run(run_id: int) -> Configuration:
    """Give the error for a number that no run has."""
    mend = "`aos jobs history` shows the runs"
    return Configuration.of("run", run_id, "there is no such run", mend=mend)


def _is_at_work(connection: Connection, engine_id: int) -> bool:
    return connection.execute(_CANCEL_ENGINE, (engine_id,)).fetchone() == (None,)


def _check_awaited(connection: Connection, after: Sequence[int]) -> None:
    known: dict[int, str] = dict(connection.execute(_AWAITED, (list(after),)).fetchall())
    for number in after:
        if number not in known:
            raise unknown_run(number)
        if known[number] in {"failed", "cancelled"}:
            problem = f"this run has {known[number]}"
            option, mend = "after", "wait for one that goes well"
            raise Configuration.of(option, number, problem, mend=mend)


def _queue_the_ready(connection: Connection, waiting: Sequence[int]) -> None:
    for run_id, job, queue, priority in connection.execute(_READY, (list(waiting),)).fetchall():
        number = engine.defer(connection, kind_of(job).name, queue, priority, run_id)
        connection.execute(_QUEUED, (number, run_id))
