"""Workers of jobs that die when they are told to: each is forked from a process that is warm.

``python -m tests.job_killer`` reads lines of JSON: the file of settings, the queue to work on, and
where to die. It answers each with the worker's pid and how it ended, once it has.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from operate.anomaly import job
from operate.jobs import worker
from operate.jobs.attempts import Attempt
from operate.jobs.engine import Acknowledging
from operate.jobs.kinds import checks, imports, reports, retention
from operate.jobs.settings import Queue
from operate.jobs.work import Work
from operate.settings import load
from runtime import logs
from schemas.columnar_kernels import put
from sink.database import Connection, Database

IN_THE_MIDDLE: Final = "in the middle"
BEFORE_IT_IS_WRITTEN_DOWN: Final = "before it is written down"
BEFORE_THE_ENGINE_KNOWS: Final = "before the engine knows"
NOWHERE: Final = "nowhere"
_OF_THE_FRAME: Final = frozenset({"noting how far a job is", "finishing a job"})
_WARM: Final = (job, checks, reports, retention)
"""What would else be imported by each worker anew."""


class Killer:
    """Starts workers, one after the other, in a test."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.job_killer"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def work(self, config: Path, queue: Queue, die: str) -> tuple[int, int]:
        """Work on a queue until nothing waits in it, or it dies; give pid and exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(config), queue.value, die]) + "\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline()
        assert told, self._log.read_text()
        pid, status = json.loads(told)
        return int(pid), int(status)


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _die_async(*_: object, **__: object) -> None:
    _die()


def _die_in_the_middle() -> None:
    """Die behind the first chunk that an import has published.

    Another job dies within its first transaction, before the commit, or at its second stage.
    """
    told: Callable[..., None] = imports._count
    stages: list[str] = []

    def count_and_die(work: Work, report: Any) -> None:
        told(work, report)
        if any(table.chunks_done for table in report.tables):
            _die()

    def stage(work: Work, name: str, _percent: float | None = None) -> None:
        if stages and name != "extract":
            _die()
        stages.append(name)
        work.metrics.stage = name

    transaction = Database.transaction

    @contextmanager
    def transact(database: Database, doing: str) -> Iterator[Connection]:
        with transaction(database, doing) as connection:
            yield connection
            if stages and doing not in _OF_THE_FRAME:
                _die()

    Database.transaction = transact  # type: ignore[method-assign]
    imports._count = count_and_die
    Work.stage = stage  # type: ignore[method-assign]


def _set_trap(die: str) -> None:
    if die == IN_THE_MIDDLE:
        _die_in_the_middle()
    elif die == BEFORE_IT_IS_WRITTEN_DOWN:
        Attempt.finish = _die  # type: ignore[method-assign]
    elif die == BEFORE_THE_ENGINE_KNOWS:
        Acknowledging.finish_job = _die_async  # type: ignore[method-assign]


def _worker(config: Path, queue: Queue, die: str) -> None:
    logs.configure("WARNING", sys.stderr)
    _set_trap(die)
    worker.run(load(config), queue, stay=False, halt=threading.Event())


def _compile() -> None:
    """Load what is compiled, which takes a second; whoever is forked has it then."""
    nothing = np.empty(0, np.int64)
    put(np.empty(0, np.uint8), nothing, nothing, np.empty(0, np.uint8), nothing)


def main() -> None:
    """Do as each line says."""
    _compile()
    for line in sys.stdin:
        config, queue, die = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _worker(Path(config), Queue(queue), die)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(json.dumps([pid, os.waitstatus_to_exitcode(status)]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
