"""Who works: every worker of every host, what it is doing, and how long ago it was heard of."""

from __future__ import annotations

from typing import Any, Final

from psycopg.rows import dict_row

from operate.jobs import engine
from operate.jobs.fleet import depths
from operate.jobs.settings import JobsSettings
from sink.database import Connection, Database

_WORKERS: Final = """
SELECT worker.id AS worker, known.queue, known.host, known.pid, run.run_id AS run, run.job,
       run.stage, run.percent,
       round(extract(epoch FROM now() - worker.last_heartbeat))::int AS silent_seconds,
       worker.last_heartbeat < now() - make_interval(secs => %s) AS stalled
FROM procrastinate_workers AS worker
LEFT JOIN ops.job_worker AS known ON known.worker_id = worker.id
LEFT JOIN procrastinate_jobs AS job ON job.worker_id = worker.id AND job.status = 'doing'
LEFT JOIN ops.job_run AS run ON run.engine_id = job.id
ORDER BY known.queue, worker.id
"""


def workers(database: Database, settings: JobsSettings) -> list[dict[str, Any]]:
    """Give a row for each worker."""
    with database.transaction("looking at workers") as connection:
        engine.go_into(connection)
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute(_WORKERS, (settings.stalled_seconds,)).fetchall()


def queues(connection: Connection, settings: JobsSettings) -> list[dict[str, Any]]:
    """Give a row for each queue: what is ready, what is being done, and the workers it may have."""
    return [
        {
            "queue": queue.value,
            "ready": depth.ready,
            "working": depth.working,
            "least": settings.queues[queue].least,
            "most": settings.queues[queue].most,
        }
        for queue, depth in depths(connection).items()
    ]
