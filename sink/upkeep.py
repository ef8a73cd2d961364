"""Bringing a database up to date: migrations, then policies and rights as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from psycopg.sql import Composed

from sink import migrate, policies, roles
from sink.database import Connection, Database
from sink.roles import Roles
from sink.settings import SinkSettings

_FORGET: Final = "DELETE FROM ops.sink_batch WHERE started_at < now() - make_interval(days => %s)"
_LEARN: Final = "CALL ops.learn_cadence(config => %s)"
_JOBS: Final = """
SELECT job.job_id AS job, job.proc_name AS does,
       coalesce(job.hypertable_schema || '.' || job.hypertable_name, job.config::text) AS what,
       job.schedule_interval::text AS every, coalesce(
           config ->> 'compress_after', config ->> 'drop_after', config ->> 'end_offset'
       ) AS older_than,
       last.last_run_status AS went, nullif(last.last_successful_finish, '-infinity') AS last,
       nullif(job.next_start, '-infinity') AS next
FROM timescaledb_information.jobs AS job
LEFT JOIN timescaledb_information.job_stats AS last ON last.job_id = job.job_id
WHERE job.job_id >= 1000
ORDER BY 2, 3
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is to be run."""

    name: str
    sql: str


def bring_up_to_date(database: Database, settings: SinkSettings, chosen: Roles) -> list[Step]:
    """Run whatever has to run, and give it; two that do so at once take turns.

    Raises:
        Configuration: a migration was edited after it ran, or a right is missing.
    """
    ran = [Step(m.label, m.sql) for m in migrate.migrate(database)]
    with database.transaction("setting policies and rights") as connection:
        migrate.take_turn(connection)
        for name, statement in _pending(connection, settings, chosen):
            connection.execute(statement)
            ran.append(Step(name, statement.as_string()))
        is_plain = not policies.has_timescaledb(connection)
    if is_plain:
        tidy(database, settings, everything=False)
    return ran


def plan(database: Database, settings: SinkSettings, chosen: Roles) -> list[Step]:
    """Give what ``bring_up_to_date`` would run; nothing is changed."""
    waiting = [Step(m.label, m.sql) for m in migrate.pending(database)]
    with database.transaction("comparing policies and rights") as connection:
        found = _pending(connection, settings, chosen)
    return waiting + [Step(name, statement.as_string()) for name, statement in found]


def tidy(database: Database, settings: SinkSettings, *, everything: bool = True) -> int:
    """Do what TimescaleDB's jobs do, for a server without them; give the entries forgotten.

    ``everything`` learns the cadence of all sensors anew, not only that of new ones.
    """
    with database.transaction("tidying") as connection:
        connection.execute(_LEARN, ('{"all": true}' if everything else '{"all": false}',))
        return connection.execute(_FORGET, (settings.ledger_days,)).rowcount


def _pending(
    connection: Connection, settings: SinkSettings, chosen: Roles
) -> list[tuple[str, Composed]]:
    found: list[tuple[str, Composed]] = []
    if migrate.offers_timescaledb(connection):
        found += [("policy", sql) for sql in policies.pending(connection, settings)]
    return found + [("right", sql) for sql in roles.pending(connection, chosen)]


def jobs(connection: Connection) -> list[dict[str, Any]]:
    """Give the jobs that TimescaleDB has for us, and how each went last; none without it."""
    if not policies.has_timescaledb(connection):
        return []
    answer = connection.execute(_JOBS)
    names = [column.name for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer]
