"""Retention: readings that are older than they have to be kept are dropped, a table at a time.

Whole chunks on TimescaleDB; on plain PostgreSQL rows, some at a time, so that the sink's locks wait
for none of it. Records of what was done (runs, audit) stay; the engine's own of jobs long over go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.sql import SQL, Identifier, Literal

from operate.jobs import engine
from operate.jobs.work import Outcome, Work
from runtime.errors import Configuration
from schemas.topics import PARAMETERS
from sink.database import Connection
from sink.policies import has_timescaledb

_AT_ONCE: Final = 20_000
_COUNT: Final = "SELECT count(*) FROM {} WHERE observed_at < {}"
_IN_CHUNKS: Final = """
SELECT count(*) FROM {} WHERE observed_at < coalesce((
    SELECT max(range_end) FROM timescaledb_information.chunks
    WHERE hypertable_schema = 'weather' AND hypertable_name = {} AND range_end <= {}), '-infinity')
"""
_DROP_CHUNKS: Final = "SELECT count(*) FROM drop_chunks({}, older_than => {})"
_DELETE: Final = """
DELETE FROM {} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {} WHERE observed_at < {} ORDER BY observed_at LIMIT {}))
"""
_FORGET_ENGINE: Final = """
DELETE FROM procrastinate_jobs AS job USING ops.job_run AS run
WHERE run.engine_id = job.id AND job.status NOT IN ('todo', 'doing') AND run.finished_at < %s
"""


def cleanup(work: Work) -> Outcome:
    """Drop readings observed more than 365 days before the job's moment, or as it says.

    With ``dry_run`` it only counts them. A schedule's job is one until ``jobs.retention_dry_run``
    is off.

    Raises:
        Configuration: readings would be dropped that have to be kept.
    """
    days = _days(work)
    before = work.due - timedelta(days=days)
    dry = (
        work.settings.jobs.retention_dry_run if work.config.dry_run is None else work.config.dry_run
    )
    dropped: dict[str, int] = {}
    for number, parameter in enumerate(PARAMETERS):
        work.stage(f"{'count' if dry else 'drop'} {parameter}", 100.0 * number / len(PARAMETERS))
        dropped[parameter] = _count(work, parameter, before)
        if not dry:
            _drop(work, parameter, before)
        work.metrics.extracted = sum(dropped.values())
        if work.stop.is_set():
            return Outcome(left=(f"{parameter} and what follows",))
    work.metrics.loaded = 0 if dry else work.metrics.extracted
    if not dry:
        _forget(work, before)
    return Outcome({"before": before.isoformat(), "dry_run": dry, "readings": dropped})


def _days(work: Work) -> int:
    jobs = work.settings.jobs
    days = work.config.days_back or jobs.retention_days
    if days < jobs.compliance_days:
        problem = f"readings have to be kept for {jobs.compliance_days} days"
        field, mend = "days_back", "keep them as long, or change jobs.compliance_days if you may"
        raise Configuration.of(field, days, problem, mend=mend)
    return days


def _count(work: Work, parameter: str, before: datetime) -> int:
    """Count what goes; noted first, so that an attempt that was killed in between tells it, too."""
    if (noted := work.notes.get(parameter)) is not None:
        return int(noted)
    table, moment = Identifier("weather", parameter), Literal(before)
    with work.database.transaction("counting old readings") as connection:
        if has_timescaledb(connection):
            query = SQL(_IN_CHUNKS).format(table, Literal(parameter), moment)
        else:
            query = SQL(_COUNT).format(table, moment)
        found: int = connection.execute(query).fetchall()[0][0]
    work.notes[parameter] = found
    work.note(parameter, found)
    return found


def _drop(work: Work, parameter: str, before: datetime) -> None:
    while not work.stop.is_set():
        with work.database.transaction("dropping old readings") as connection:
            if _drop_some(connection, parameter, before) == 0:
                return


def _drop_some(connection: Connection, parameter: str, before: datetime) -> int:
    table, moment = Identifier("weather", parameter), Literal(before)
    if has_timescaledb(connection):
        query = SQL(_DROP_CHUNKS).format(Literal(f"weather.{parameter}"), moment)
        connection.execute(query)
        return 0
    return connection.execute(SQL(_DELETE).format(table, table, moment, _AT_ONCE)).rowcount


def _forget(work: Work, before: datetime) -> None:
    values: tuple[Any, ...] = (before,)
    with work.database.transaction("forgetting old jobs") as connection:
        engine.go_into(connection)
        connection.execute(_FORGET_ENGINE, values)
