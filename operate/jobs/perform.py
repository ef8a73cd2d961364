"""Doing a job once: begin the attempt, do the work, and write down how it ended.

The row in ``ops.job_run`` is the truth. It is written first, and only then does the engine hear of
it: a worker that dies in between leaves a job behind that the next one finds done.
"""

from __future__ import annotations

import logging
import threading
import traceback
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from operate.jobs.again import BUG, category, seconds_until_again
from operate.jobs.attempts import Attempt
from operate.jobs.catalogue import kind_of
from operate.jobs.pulse import Pulse
from operate.jobs.settings import Queue
from operate.jobs.work import Metrics, Outcome, Work
from operate.lineage.telling import lineage_of
from operate.settings import Settings
from runtime import logs
from runtime.errors import AosError, Fenced, Transient
from runtime.retry import Backoff, retry
from sink.database import Database

_LOGGER: Final = logging.getLogger("aos.jobs")
_WRITE_DOWN: Final = Backoff(tries=5, first=0.5, most=5.0)
_MOST_ERRORS_NAMED: Final = 20
_UNTIL_THIS_WORKER_IS_GONE: Final = 1.5
"""Seconds: else it would take up again what it has just put back."""


class AgainError(Exception):
    """Tells the engine when to do the job again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.at = datetime.now(UTC) + timedelta(seconds=seconds)


class EndedError(Exception):
    """Tells the engine that a job has failed, or was cancelled."""


@dataclass(frozen=True, slots=True)
class Performer:
    """Does jobs in this process; ``halt`` is set when it is to end."""

    settings: Settings
    halt: threading.Event

    def perform(self, run_id: int, worker_id: int | None) -> None:
        """Do the job of a run; if it is over already, do nothing.

        Raises:
            AgainError: it is to be done again, and when.
            EndedError: it has failed or was cancelled; the row says why.
            Fenced: a later attempt has begun.
        """
        with closing(Database(self.settings.sink)) as database:
            attempt = Attempt.begin(database, run_id, worker_id)
            if attempt is not None:
                with logs.about(job=attempt.begun.job, run=run_id):
                    self._attempt(database, attempt)

    def _attempt(self, database: Database, attempt: Attempt) -> None:
        metrics = Metrics()
        if "cancelled_by" in attempt.begun.notes:
            self._end(attempt, "cancelled", metrics)
        seconds = min(1.0, self.settings.jobs.heartbeat_seconds)
        pulse = Pulse(self.settings.sink, attempt, metrics, self.halt, seconds)
        error: Exception | None = None
        outcome = Outcome()
        with pulse:
            try:
                outcome = self._work(database, attempt, metrics, pulse)
            except Exception as raised:  # noqa: BLE001 - whatever it is, it is written down
                error = raised
        if pulse.lost:
            problem = f"run {attempt.begun.run_id} is done by another worker"
            raise Fenced(problem, mend="nothing: this worker was silent for too long")
        self._conclude(attempt, metrics, pulse, outcome, error)

    def _work(
        self, database: Database, attempt: Attempt, metrics: Metrics, pulse: Pulse
    ) -> Outcome:
        begun = attempt.begun
        _LOGGER.info("attempt %d begins", begun.attempt)
        work = Work(
            self.settings,
            begun.config,
            begun.due,
            begun.who,
            begun.run_id,
            database,
            pulse.stop,
            begun.notes,
            attempt.note,
            metrics,
        )
        with lineage_of(self.settings, f"job.{begun.job}"):
            return kind_of(begun.job).work()(work)

    def _conclude(
        self,
        attempt: Attempt,
        metrics: Metrics,
        pulse: Pulse,
        outcome: Outcome,
        error: Exception | None,
    ) -> None:
        if pulse.cancelled:
            self._end(attempt, "cancelled", metrics)
        if pulse.halted and (error or outcome.left):
            self._write(lambda: attempt.put_back(metrics))
            raise AgainError(_UNTIL_THIS_WORKER_IS_GONE)
        if error is None and outcome.left:
            error = _left(outcome)
        if error is None:
            self._write(lambda: attempt.finish("succeeded", metrics, outcome.result))
            _LOGGER.info("done", extra={"metrics": metrics.as_row()})
            return
        self._fail(attempt, metrics, outcome, error)

    def _fail(self, attempt: Attempt, metrics: Metrics, outcome: Outcome, error: Exception) -> None:
        begun, told = attempt.begun, _told(error)
        queue = self.settings.jobs.queues[Queue(begun.queue)]
        earlier = [known["category"] for known in begun.errors]
        seconds = seconds_until_again(error, earlier, queue)
        if seconds is None or (outcome.left and not begun.config.retry_failed):
            _LOGGER.error("failed: %s", error, exc_info=told["category"] == BUG and error)
            self._end(attempt, "failed", metrics, outcome.result, told)
        else:
            _LOGGER.warning("failed, again in %.0f s: %s", seconds, error)
            self._write(lambda: attempt.put_back(metrics, told))
            raise AgainError(seconds)

    def _end(
        self,
        attempt: Attempt,
        status: str,
        metrics: Metrics,
        result: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        self._write(lambda: attempt.finish(status, metrics, result, error))
        raise EndedError(status)

    def _write(self, how: Any) -> None:
        """Write down how it ended, also where the database is away for a moment."""
        retry(how, _WRITE_DOWN, threading.Event())


def _left(outcome: Outcome) -> Transient:
    named = "; ".join(outcome.left[:_MOST_ERRORS_NAMED])
    return Transient(f"{len(outcome.left)} could not be done: {named}", mend="see the log")


def _told(error: Exception) -> dict[str, Any]:
    found = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "category": category(error),
        "message": str(error) if isinstance(error, AosError) else repr(error),
    }
    if found["category"] == BUG:
        found["trace"] = "".join(traceback.format_exception(error)[-4:])
    return found
