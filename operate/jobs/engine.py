"""The engine that queues jobs: procrastinate, in the schema ``jobs`` of the same database.

Its tables and scripts are its own. Our side asks it for a job on a connection of ours, so that the
job and the row about it are one transaction.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Final

from procrastinate import SyncPsycopgConnector, jobs, manager
from procrastinate.schema import SchemaManager
from psycopg.sql import SQL, Composed, Identifier

from sink import migrate
from sink.database import Connection, Database
from sink.roles import Roles

SCHEMA: Final = "jobs"
PATH: Final = "SET search_path TO jobs, public"
_PATH_HERE: Final = "SET LOCAL search_path TO jobs, public"
_CREATE: Final = "CREATE SCHEMA IF NOT EXISTS jobs"
_IS_THERE: Final = "SELECT to_regclass('jobs.procrastinate_jobs') IS NOT NULL"
_KNOWN: Final = "SELECT max(script) FROM ops.job_engine"
_APPLIED: Final = "INSERT INTO ops.job_engine (script) VALUES (%s) ON CONFLICT DO NOTHING"
_ROLES: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
_HERE: Final = SQL("SCHEMA {}").format(Identifier(SCHEMA))


def install(database: Database, roles: Roles | None = None) -> list[str]:
    """Bring the engine's own tables up to date; give the scripts that ran.

    A new release of the engine brings scripts that lead from the one before to itself.

    Raises:
        Configuration: a right is missing.
    """
    with database.transaction("preparing the tables of jobs") as connection:
        migrate.take_turn(connection)
        connection.execute(_CREATE)
        connection.execute(_PATH_HERE)
        ran = _bring_up_to_date(connection)
        for grant in _grants(connection, roles) if roles else ():
            connection.execute(grant)
    return ran


def pending(connection: Connection) -> list[tuple[str, str]]:
    """Give the engine's scripts that have not run yet, by name; all it has is one, at first."""
    scripts = _scripts()
    if connection.execute(_IS_THERE).fetchone() != (True,):
        return [(scripts[-1].name, SchemaManager.get_schema())]
    known = (connection.execute(_KNOWN).fetchone() or ("",))[0] or ""
    return [(script.name, script.read_text("utf-8")) for script in scripts if script.name > known]


def quiet_engine() -> None:
    """Leave out what the engine logs of every job: ours say it, with the run's number."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)


def is_current(connection: Connection) -> bool:
    """Say whether the engine's tables are those of the installed release."""
    known = connection.execute(_KNOWN).fetchone()
    return known == (_scripts()[-1].name,)


def go_into(connection: Connection) -> None:
    """Let names of the engine be found until the end of this transaction."""
    connection.execute(_PATH_HERE)


def defer(connection: Connection, job: str, queue: str, priority: int, run_id: int) -> int:
    """Queue a job in the transaction of ``connection``; give the engine's number of it.

    Two of the same kind are never at work at once.
    """
    go_into(connection)
    asked = jobs.Job(
        queue=queue,
        priority=priority,
        lock=job,
        queueing_lock=None,
        task_name=job,
        task_kwargs={"run_id": run_id},
    )
    engine = manager.JobManager(SyncPsycopgConnector())
    number = engine.defer_job(asked, connection=connection).id
    if number is None:
        raise AssertionError
    return number


class Acknowledging(manager.JobManager):
    """Ends a job only for the worker that has it.

    One that was given up, frozen for too long, and wakes up would else end the job that another
    worker is at by now.
    """

    _MINE: Final = """
        FROM procrastinate_jobs WHERE id = %(id)s AND worker_id = %(worker)s AND status = 'doing'"""
    _FINISH: Final = f"SELECT procrastinate_finish_job_v1(id, %(status)s, false) {_MINE}"
    _RETRY: Final = f"SELECT procrastinate_retry_job_v2(id, %(at)s, NULL, NULL, NULL) {_MINE}"

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:  # noqa: ARG002 - the engine's own signature
        """End a job, if it is still ours."""
        await self.connector.execute_query_async(
            self._FINISH, id=job.id, worker=job.worker_id, status=status.value
        )

    async def retry_job(
        self,
        job: jobs.Job,
        retry_at: datetime | None = None,
        priority: int | None = None,  # noqa: ARG002
        queue: str | None = None,  # noqa: ARG002
        lock: str | None = None,  # noqa: ARG002
    ) -> None:
        """Put a job back as it was, if it is still ours."""
        await self.connector.execute_query_async(
            self._RETRY, id=job.id, worker=job.worker_id, at=retry_at
        )


def _bring_up_to_date(connection: Connection) -> list[str]:
    scripts = pending(connection)
    for name, sql in scripts:
        connection.execute(sql.encode())
        connection.execute(_APPLIED, (name,))
    return [name for name, _ in scripts]


def _scripts() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _grants(connection: Connection, roles: Roles) -> list[Composed]:
    wanted = [roles.writer, roles.reader]
    there = {name for (name,) in connection.execute(_ROLES, (wanted,))}
    found = []
    for role in sorted(there):
        to = Identifier(role)
        rights = SQL("SELECT" if role == roles.reader else "SELECT, INSERT, UPDATE, DELETE")
        found.append(SQL("GRANT USAGE ON {} TO {}").format(_HERE, to))
        found.append(SQL("GRANT {} ON ALL TABLES IN {} TO {}").format(rights, _HERE, to))
    if roles.writer in there:
        to = Identifier(roles.writer)
        found.append(SQL("GRANT USAGE ON ALL SEQUENCES IN {} TO {}").format(_HERE, to))
    return found
