"""One worker: takes chunks, reads them page by page, and publishes each page with its record."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from producers.backfill.claims import Claims
from producers.backfill.journal import ChunkState, Job, Names, Records
from producers.backfill.plan import Chunk
from producers.backfill.progress import Progress
from producers.backfill.table import BackfillTable, Page
from producers.backfill.turnstile import Turnstile
from producers.publishing.messages import Messages
from producers.publishing.publisher import Publisher
from producers.reading.times import now_micros
from runtime.errors import AosError, Configuration, Fenced, System, Transient
from runtime.retry import Backoff, retry

_LOGGER: Final = logging.getLogger("aos.backfill")
_BACKOFF: Final = Backoff(tries=5, first=0.5, most=10)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all workers of a job have in common.

    ``halt`` ends them after their page; ``records`` reads the topic of cursors anew.
    """

    names: Names
    jobs: Mapping[str, Job]
    tables: Mapping[str, BackfillTable]
    states: dict[Chunk, ChunkState]
    claims: Claims
    progress: Progress
    turnstile: Turnstile
    halt: threading.Event
    records: Callable[[], Records]


class Worker:
    """Publishes under an identity of its own; ``publisher`` has taken over already."""

    def __init__(
        self,
        number: int,
        shared: Shared,
        messages: Messages,
        publisher: Publisher,
        connect: Callable[[], Publisher],
    ) -> None:
        self._number = number
        self._shared = shared
        self._messages = messages
        self._publisher: Publisher | None = publisher
        self._connect = connect

    def run(self) -> None:
        """Work until nothing is left, or it is told to halt; a chunk that fails is left.

        Raises:
            Fenced: another process has taken up this job.
        """
        claims, halt = self._shared.claims, self._shared.halt
        while not halt.is_set() and (chunk := claims.take()) is not None:
            try:
                retry(partial(self._read, chunk), _BACKOFF, halt, self._log_retry)
            except Fenced:
                raise
            except AosError as error:
                if not halt.is_set():
                    self._leave(chunk, error)
            else:
                claims.succeed(chunk)

    def close(self) -> None:
        """Let go of the producer."""
        if self._publisher is not None:
            self._publisher.close()
        self._publisher = None

    def _read(self, chunk: Chunk) -> None:
        """Read what is left of a chunk."""
        if self._publisher is None:
            self._resume(chunk)
        table, turnstile = self._shared.tables[chunk.table], self._shared.turnstile
        while not (state := self._state(chunk)).done:
            if not turnstile.pass_through(self._shared.halt):
                return
            page = table.page(chunk.span, state.after, turnstile.page_rows)
            turnstile.give_back(turnstile.page_rows - page.rows)
            self._publish(chunk, state, page)
        _LOGGER.info("chunk %d of %s is done", chunk.number, chunk.table, extra=self._about(chunk))

    def _publish(self, chunk: Chunk, state: ChunkState, page: Page) -> None:
        later = state.behind(page.after, page.rows, page.readings.count)
        record = self._shared.names.of_chunk(chunk, later, self._shared.jobs[chunk.table].round)
        batches = self._messages.readings(page.readings.records)
        cursor = self._messages.cursors([record.as_record(now_micros())])
        self._out(lambda publisher: publisher.publish([*batches, cursor]))
        self._shared.states[chunk] = later
        self._shared.progress.add(chunk, page.rows, page.readings.count, done=later.done)

    def _out(self, publish: Callable[[Publisher], None]) -> None:
        """Publish; after an error the publisher is gone, and whether it is out is asked of Kafka.

        Raises:
            Transient: it may be out or not; :meth:`_resume` finds out.
        """
        if self._publisher is None:
            raise AssertionError
        try:
            publish(self._publisher)
        except AosError as error:
            self.close()
            if isinstance(error, System):
                raise Transient(error.message, mend=error.mend) from error
            raise

    def _resume(self, chunk: Chunk) -> None:
        """Take over anew, unless the job is another's by now, and ask how far the chunk is.

        A transaction that lasted too long is refused like one of a fenced instance: whether there
        is a successor, its name on the job's record tells.
        """
        names = self._shared.names
        owner = names.owner(self._shared.records())
        if owner not in (None, names.instance):
            problem = f"{owner} has taken up backfill {names.job} from {names.instance}"
            raise Fenced(problem, mend="nothing, if that was meant; otherwise stop the other one")
        self._publisher = self._connect()
        known = names.chunks(
            self._shared.records(), chunk.table, self._shared.jobs[chunk.table].round
        )
        before, now = self._state(chunk), known.get(chunk.number, ChunkState())
        self._shared.states[chunk] = now
        rows, readings = now.rows - before.rows, now.readings - before.readings
        self._shared.progress.add(chunk, rows, readings, done=now.done)

    def _state(self, chunk: Chunk) -> ChunkState:
        return self._shared.states.get(chunk, ChunkState())

    def _leave(self, chunk: Chunk, error: AosError) -> None:
        alone = self._shared.claims.fail(chunk, for_good=isinstance(error, Configuration))
        rest = "; the rest of the table is left, too" if alone else ""
        self._shared.progress.fail(chunk.table, f"chunk {chunk.number}: {error}")
        _LOGGER.error(
            "chunk %d of %s is left%s: %s", chunk.number, chunk.table, rest, error,
            extra=self._about(chunk),
        )  # fmt: skip

    def _log_retry(self, error: Transient, wait: float) -> None:
        _LOGGER.warning("worker %d tries again in %.1f s: %s", self._number, wait, error)

    def _about(self, chunk: Chunk) -> dict[str, object]:
        return {"table": chunk.table, "chunk": chunk.number, "worker": self._number}
