"""How far the source has come, by table and parameter, for whoever watches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from producers.reading.feed import Page
from producers.timings import Timings
from runtime.breaker import Circuit
from runtime.control.orders import Task
from runtime.errors import AosError


@dataclass(slots=True)
class TableProgress:
    """One table, since this process started.

    Attributes:
        rows: rows read.
        readings: readings published, by parameter.
        unmapped: rows that were not published, by the code that the mapping does not name.
        doubtful: rows that the cursor reads late or never, as counted at start.
        position: where the source stands, as in the cursor's record.
        behind_seconds: how far that lies before what may be read.
        lag_seconds: how far what may be read lies before the database's now, by the mapping.
        held_seconds: by how much it is held back besides: by an open transaction, or at a replica.
        oldest_seconds: age of the oldest open transaction that has written; None: there is none,
            or it cannot be seen.
        blind: why it cannot be seen; empty when it can.
        overdue: what it means that it is open for longer than the cursor waits; empty when it is
            not.
        overdue_total: how many times that has begun.
        drained: nothing was left to read at the last look.
        error: why the last look failed; empty when it did not.
    """

    table: str
    rows: int = 0
    readings: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    doubtful: int = 0
    position: str = ""
    behind_seconds: float = 0.0
    lag_seconds: float = 0.0
    held_seconds: float = 0.0
    oldest_seconds: float | None = None
    blind: str = ""
    overdue: str = ""
    overdue_total: int = 0
    drained: bool = False
    error: str = ""

    def add(self, page: Page) -> list[str]:
        """Count a page that was published; give the codes that were never met before."""
        met_first = sorted(page.readings.unmapped.keys() - self.unmapped.keys())
        self.rows += page.rows
        self.readings.update({p: len(found) for p, found in page.readings.records.items()})
        self.unmapped.update(page.readings.unmapped)
        self.position = page.position
        self.behind_seconds = page.behind_seconds
        self.held_seconds = page.held.seconds
        self.oldest_seconds = page.held.oldest
        self.blind = page.held.blind
        self.overdue_total += bool(page.held.overdue and not self.overdue)
        self.overdue = page.held.overdue
        self.drained = page.drained
        self.error = ""
        return met_first

    def fail(self, error: AosError) -> None:
        """Note why the table could not be read."""
        self.error = str(error)
        self.drained = False


@dataclass(slots=True)
class Summary:
    """The whole source, since this process started."""

    source: str
    instance: str
    tables: dict[str, TableProgress]
    metadata_problems: list[str] = field(default_factory=list)
    circuits: dict[str, Circuit] = field(default_factory=dict)
    """What the circuit breaker of each endpoint does, by its address."""
    timings: Timings = field(default_factory=Timings, compare=False)

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(table.rows for table in self.tables.values())

    @property
    def readings(self) -> Counter[str]:
        """Readings published, by parameter."""
        return sum((table.readings for table in self.tables.values()), Counter())

    @property
    def errors(self) -> dict[str, str]:
        """Why tables could not be read at the last look, by table."""
        return {name: table.error for name, table in self.tables.items() if table.error}


def tasks_of(summary: Summary) -> list[Task]:
    """Give each table as a task, for whoever asks how the source is."""
    return [
        Task(f"{summary.source}/{one.table}", one.rows, one.position, one.error, one.behind_seconds)
        for one in list(summary.tables.values())
    ]
