"""How a backfill is to be done, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from producers.backfill.progress import TableState
from producers.backfill.request import Request
from producers.schedule import Hours


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be done, and how; of the latter nothing changes what is published.

    Attributes:
        request: what to read; None: what the job was asked for when it was begun.
        job: the job's name; without one it follows from the request.
        workers: connections, each with a thread and a transactional id of its own.
        rows_per_second: of all workers together; None: as fast as it goes.
        hours: the part of the day in which it may read; None: all of it.
        chunk_rows: about how many rows a chunk is to have.
        again: do it once more, whether it is done or only begun.
        supersede: a job that was asked for something else is given up, though it is not done.
    """

    request: Request | None = None
    job: str | None = None
    workers: int = 2
    rows_per_second: int | None = None
    hours: Hours | None = None
    chunk_rows: int = 10_000
    again: bool = False
    supersede: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a backfill stands, while it runs and at its end.

    Attributes:
        already: it was done before this start, and nothing was read.
    """

    source: str
    job: str
    tables: tuple[TableState, ...]
    already: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return all(table.finished for table in self.tables)


Watcher = Callable[[Report], None]
