"""As many workers as there is work for: starts them, and takes back what the killed ones had."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operate.jobs import engine, store
from operate.jobs.settings import JobsSettings, Queue, QueueSettings
from sink.database import Connection, Database

_LOGGER: Final = logging.getLogger("aos.jobs")
_DEPTH: Final = """
SELECT queue_name, count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing')
FROM procrastinate_jobs AS job
WHERE status = 'doing' OR (status = 'todo' AND coalesce(scheduled_at <= now(), true)
    AND NOT EXISTS (SELECT FROM procrastinate_jobs AS other
                    WHERE other.lock = job.lock AND other.status IN ('todo', 'doing')
                        AND (other.status = 'doing' OR other.id < job.id)))
GROUP BY queue_name
"""
_ABANDONED: Final = """
SELECT job.id, job.attempts, (job.args ->> 'run_id')::bigint
FROM procrastinate_jobs AS job
LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
LEFT JOIN ops.job_worker AS known ON known.worker_id = job.worker_id
WHERE job.status = 'doing' AND (
    worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s)
    OR (known.host = %s AND known.pid = ANY(%s)))
ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
"""
_AGAIN: Final = "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)"
_GIVE_UP: Final = "SELECT procrastinate_finish_job_v1(%s, 'failed', false)"
_GIVEN_UP: Final = """
UPDATE ops.job_run SET status = 'failed', finished_at = now(), errors = errors ||
    jsonb_build_array(jsonb_build_object('at', now(), 'category', 'System', 'message', %s::text))
WHERE run_id = %s AND status IN ('queued', 'running') RETURNING run_id
"""
_PRUNE: Final = "SELECT procrastinate_prune_stalled_workers_v1(%s)"
_FORGET: Final = """
DELETE FROM ops.job_worker AS known
WHERE started_at < now() - INTERVAL '1 day' AND NOT EXISTS (
    SELECT FROM procrastinate_workers AS worker WHERE worker.id = known.worker_id)
"""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits in a queue and may begin, and how much is being done."""

    ready: int = 0
    working: int = 0


def wanted(depth: Depth, queue: QueueSettings) -> int:
    """Say how many workers a queue wants.

    >>> [wanted(Depth(ready, 1), QueueSettings(least=1, most=3)) for ready in (0, 1, 7)]
    [1, 2, 3]
    """
    return max(queue.least, min(queue.most, depth.ready + depth.working))


def depths(connection: Connection) -> dict[Queue, Depth]:
    """Count what waits and what is done, by queue."""
    engine.go_into(connection)
    found = {Queue(name): Depth(*counts) for name, *counts in connection.execute(_DEPTH)}
    return {queue: found.get(queue, Depth()) for queue in Queue}


def take_back(database: Database, settings: JobsSettings, dead: tuple[int, ...] = ()) -> list[int]:
    """Put the jobs of workers back that are gone: silent for too long, or ``dead`` (pids of ours).

    A job whose workers were killed too often is given up. Gives the runs that begin again.
    """
    with database.transaction("taking back jobs of workers that are gone") as connection:
        engine.go_into(connection)
        values = settings.stalled_seconds, socket.gethostname(), list(dead)
        again = []
        for job_id, attempts, run_id in connection.execute(_ABANDONED, values).fetchall():
            if attempts >= settings.most_kills:
                _give_up(connection, job_id, run_id, attempts)
            else:
                connection.execute(_AGAIN, (job_id,))
                again.append(run_id)
        connection.execute(_PRUNE, (settings.stalled_seconds,))
        connection.execute(_FORGET)
    return again


def _give_up(connection: Connection, job_id: int, run_id: int, attempts: int) -> None:
    told = f"its worker was gone in the middle of it after {attempts} attempts"
    connection.execute(_GIVE_UP, (job_id,))
    if connection.execute(_GIVEN_UP, (told, run_id)).fetchone():
        store.release(connection, run_id, succeeded=False)
        _LOGGER.error("run %d is given up: %s", run_id, told)


class Fleet:
    """The workers that this process has started."""

    def __init__(self, database: Database, settings: JobsSettings, config: Path | None) -> None:
        self._database = database
        self._settings = settings
        self._environment = {**os.environ, **({"AOS_CONFIG": str(config)} if config else {})}
        self._workers: dict[Queue, list[subprocess.Popen[bytes]]] = {queue: [] for queue in Queue}

    @property
    def size(self) -> int:
        """How many workers of this process live."""
        return sum(len(workers) for workers in self._workers.values())

    def look(self) -> None:
        """Take back what was abandoned, and start the workers that are wanted.

        Raises:
            AosError: the database does not answer.
        """
        for run_id in take_back(self._database, self._settings, self._bury()):
            _LOGGER.warning("the worker of run %s is gone: it begins again", run_id)
        with self._database.transaction("counting what waits") as connection:
            known = depths(connection)
        for queue, workers in self._workers.items():
            how = self._settings.queues[queue]
            while len(workers) < wanted(known[queue], how):
                workers.append(self._start(queue, stay=len(workers) < how.least))

    def stop(self) -> None:
        """Ask all to end, and wait until they have put back or finished what they are doing."""
        workers = [worker for several in self._workers.values() for worker in several]
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
        self._bury()

    def _bury(self) -> tuple[int, ...]:
        """Forget the workers that have ended; give the pids of those that did not mean to."""
        dead: list[int] = []
        for queue, workers in self._workers.items():
            dead += [worker.pid for worker in workers if worker.poll()]
            self._workers[queue] = [worker for worker in workers if worker.returncode is None]
        return tuple(dead)

    def _start(self, queue: Queue, *, stay: bool) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "operate.jobs.worker", queue.value]
        command += [] if stay else ["--leave"]
        _LOGGER.info("a worker starts", extra={"queue": queue.value, "stay": stay})
        return subprocess.Popen(command, env=self._environment)
