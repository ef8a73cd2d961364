"""Beside the work of a job: tells how far it is, and hears whether it is to stop."""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from types import TracebackType
from typing import Final, Self

from operate.jobs.attempts import Attempt
from operate.jobs.work import Metrics
from runtime import logs
from runtime.errors import AosError, Fenced
from sink.database import Database
from sink.settings import SinkSettings

_LOGGER: Final = logging.getLogger("aos.jobs")


class Pulse:
    """Writes the metrics down once in ``seconds``, on a connection of its own.

    ``stop`` is set when the run is cancelled, when a later attempt has begun (``lost``), or when
    ``halt`` is, because this process is to end.
    """

    def __init__(
        self,
        settings: SinkSettings,
        attempt: Attempt,
        metrics: Metrics,
        halt: threading.Event,
        seconds: float,
    ) -> None:
        self.stop = threading.Event()
        self.cancelled = False
        self.lost = False
        self._settings, self._attempt, self._metrics = settings, attempt, metrics
        self._halt, self._seconds = halt, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(logs.carried(),), name="pulse")

    def __enter__(self) -> Self:
        """Begin to tell."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Tell nothing more."""
        self._over.set()
        self._thread.join()

    @property
    def halted(self) -> bool:
        """Whether the work is to stop only because this process ends."""
        return self._halt.is_set() and not (self.cancelled or self.lost)

    def _run(self, begin: object) -> None:
        if callable(begin):
            begin()
        with closing(Database(self._settings)) as database:
            while not self._over.is_set():
                self._beat(database)
                if self._halt.is_set() or self.cancelled or self.lost:
                    self.stop.set()
                self._over.wait(self._seconds)

    def _beat(self, database: Database) -> None:
        try:
            self.cancelled = self._attempt.tell(database, self._metrics) or self.cancelled
        except Fenced:
            # It may just have ended; else somebody else is at it.
            self.lost = not self._over.is_set()
        except AosError as error:
            _LOGGER.warning("how far the job is cannot be written down: %s", error)
