"""One worker: takes one job at a time from one queue, and ends it when it is done, not before.

``python -m operate.jobs.worker QUEUE`` reads its settings from the file that AOS_CONFIG names; with
``--leave`` it goes as soon as nothing waits. It goes, too, when the process that started it has
gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
import psycopg_pool
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from operate.jobs.catalogue import KINDS
from operate.jobs.engine import PATH, Acknowledging, quiet_engine
from operate.jobs.perform import AgainError, Performer
from operate.jobs.settings import Queue
from operate.settings import Settings, load
from runtime import logs
from runtime.errors import Transient
from sink.database import Database

_LOGGER: Final = logging.getLogger("aos.jobs")
_REGISTER: Final = """
INSERT INTO ops.job_worker (worker_id, host, pid, queue) VALUES (%s, %s, %s, %s)
ON CONFLICT (worker_id) DO NOTHING
"""
_LOOK_SECONDS: Final = 0.5


class AsToldByError(BaseRetryStrategy):
    """Does a job again when its error says so: the decision was made, and written down, before."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002 - the engine's own signature
        """Give it."""
        if isinstance(exception, AgainError):
            return RetryDecision(retry_at=exception.at)
        return None


def run(settings: Settings, queue: Queue, *, stay: bool, halt: threading.Event) -> None:
    """Work on a queue until ``halt`` is set, or, unless it is to stay, until nothing waits.

    Raises:
        Transient: the database does not answer.
    """
    try:
        asyncio.run(_run(settings, queue, stay=stay, halt=halt))
    except (psycopg.Error, psycopg_pool.PoolTimeout, ConnectorException) as error:
        problem = f"the queue of jobs cannot be read: {error.__cause__ or error}"
        raise Transient(problem, mend="see whether the database is up") from error


def engine_of(settings: Settings, performer: Performer) -> App:
    """Make the engine, with a task for each kind of job."""
    app = App(connector=_connector(settings))
    app.job_manager = Acknowledging(app.connector)

    def perform(context: JobContext, run_id: int) -> None:
        _register(settings, context.job.worker_id, Queue(context.job.queue))
        performer.perform(run_id, context.job.worker_id)

    for name in KINDS:
        app.task(name=name, pass_context=True, retry=AsToldByError())(perform)
    return app


async def _run(settings: Settings, queue: Queue, *, stay: bool, halt: threading.Event) -> None:
    quiet_engine()
    app = engine_of(settings, Performer(settings, halt))
    jobs = settings.jobs
    async with app.open_async():
        worker = Worker(
            app,
            queues=[queue.value],
            name=queue.value,
            concurrency=1,
            wait=stay,
            fetch_job_polling_interval=jobs.poll_seconds,
            abort_job_polling_interval=3600.0,  # ours hears of that by its own row
            listen_notify=False,
            install_signal_handlers=False,
            update_heartbeat_interval=jobs.heartbeat_seconds,
            stalled_worker_timeout=jobs.stalled_seconds,
        )
        beside = asyncio.create_task(_beside(settings, queue, worker, halt))
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside


async def _beside(settings: Settings, queue: Queue, worker: Worker, halt: threading.Event) -> None:
    """Say who this worker is; stop it when it is to end, or when nobody looks after it."""
    parent = os.getppid()
    known: int | None = None
    while not halt.is_set():
        if worker.worker_id not in (None, known):
            known = worker.worker_id
            await asyncio.to_thread(_register, settings, known, queue)
        if os.getppid() != parent:
            _LOGGER.warning("the process that started this worker is gone: it goes, too")
            halt.set()
        await asyncio.sleep(_LOOK_SECONDS)
    worker.stop()  # type: ignore[no-untyped-call]


def _register(settings: Settings, worker_id: int | None, queue: Queue) -> None:
    with (
        closing(Database(settings.sink)) as database,
        database.transaction("registering a worker") as connection,
    ):
        connection.execute(_REGISTER, (worker_id, socket.gethostname(), os.getpid(), queue.value))


def _connector(settings: Settings) -> PsycopgConnector:
    sink = settings.sink
    kwargs: dict[str, Any] = {
        "password": sink.password.get_secret_value() or None,
        "connect_timeout": sink.connect_timeout_seconds,
        "application_name": "aos-jobs",
    }
    return PsycopgConnector(
        conninfo=sink.database_url, kwargs=kwargs, min_size=1, max_size=2, configure=_enter
    )


async def _enter(connection: psycopg.AsyncConnection[Any]) -> None:
    """Let the engine find its own tables."""
    await connection.execute(PATH)
    await connection.commit()


def main(arguments: list[str]) -> None:
    """Work on the queue that the command line names."""
    config = os.environ.get("AOS_CONFIG")
    settings = load(Path(config) if config else None)
    queue = Queue(arguments[0])
    logs.configure(settings.log_level, sys.stdout, stage="jobs", queue=queue.value)
    halt = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: halt.set())
    run(settings, queue, stay="--leave" not in arguments, halt=halt)


if __name__ == "__main__":
    main(sys.argv[1:])
