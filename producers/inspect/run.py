"""One inspection from its first query to its documents: bounded, watched, and ended at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from producers.connection.endpoints import Endpoints
from producers.inspect import quality, volume
from producers.inspect.catalogue import Catalogue, Table
from producers.inspect.database import describe, look, sample
from producers.inspect.draft import Proposal, propose
from producers.inspect.layout import Layout
from producers.inspect.table_draft import Hints
from runtime.errors import Configuration

SAMPLED: Final = 50_000
Progress = Callable[[str, int, int], None]
"""Told what is being looked at, how many tables are done, and of how many."""


@dataclass(slots=True)
class Inspection:
    """What was found; where it was ``cancelled``, what had been found by then."""

    catalogue: Catalogue
    layouts: list[Layout] = field(default_factory=list)
    proposal: Proposal = field(default_factory=lambda: propose([], Hints(), ""))
    columns: list[dict[str, Any]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)
    stations: list[dict[str, Any]] = field(default_factory=list)
    volume: list[dict[str, Any]] = field(default_factory=list)
    recommendations: list[dict[str, Any]] = field(default_factory=list)
    in_future: dict[str, int | None] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def unseen(self) -> list[str]:
        """What could not be seen, each with its table."""
        by_table = [f"{t.full_name}: {what}" for t in self.catalogue.tables for what in t.unseen]
        return [*self.catalogue.unseen, *by_table]

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        notes = self.proposal.notes
        return {
            "dialect": self.catalogue.dialect,
            "cancelled": self.cancelled,
            "schema": [asdict(table) for table in self.catalogue.tables],
            "unseen": self.unseen,
            "quality": {
                "columns": self.columns, "measures": self.measures, "stations": self.stations,
                "observed_in_future": self.in_future,
            },
            "volume": {"tables": self.volume, "recommendations": self.recommendations},
            "mapping": self.proposal.document,
            "mapping_problem": self.proposal.problem,
            "guesses": [
                {
                    "about": told.about, "value": told.guess.value,
                    "confidence": told.guess.confidence, "reason": told.guess.reason,
                }
                for told in notes.guesses
            ],
            "not_known": notes.unknown,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is looked at: which tables, how many rows of each, for how long at once."""

    tables: Sequence[str] = ()
    schemas: Sequence[str | None] = ()
    rows: int = SAMPLED
    seconds: float = 60.0


def inspect(database: Endpoints, bounds: Bounds, hints: Hints, progress: Progress) -> Inspection:
    """Look at a source; Ctrl-C ends the looking, and what was seen by then is still told.

    Raises:
        Transient: the database does not answer.
        Configuration: it refuses us, or has none of the tables that were asked for.
    """
    found = Inspection(look(database, bounds.schemas))
    _see_something(found.catalogue)
    tables = _chosen(found.catalogue, bounds.tables)
    found.catalogue.tables = []
    try:
        for done, table in enumerate(tables):
            progress(table.full_name, done, len(tables))
            describe(database, table, bounds.seconds)
            found.catalogue.tables.append(table)
            rows = sample(database, table, bounds.rows, bounds.seconds)
            found.layouts.append(Layout(table, rows))
        progress("drawing conclusions", len(tables), len(tables))
    except KeyboardInterrupt:
        found.cancelled = True
    conclude(found, hints)
    return found


def conclude(found: Inspection, hints: Hints) -> None:
    """Profile what was sampled, and propose a mapping."""
    proposal = propose(found.layouts, hints, found.catalogue.dialect)
    found.proposal = proposal
    found.columns = [row for layout in found.layouts for row in quality.column_rows(layout)]
    found.measures = quality.measure_rows(proposal)
    found.stations = quality.station_rows(proposal)
    found.volume = volume.table_rows(proposal)
    found.recommendations = volume.recommendations(found.volume)
    found.in_future = {
        table["table"]: quality.in_future(table, proposal.layouts[table["table"]])
        for table in proposal.document["tables"]
    }


def _see_something(catalogue: Catalogue) -> None:
    if not catalogue.tables and catalogue.unseen:
        problem = f"nothing of the source can be seen: {'; '.join(catalogue.unseen)}"
        mend = "name a database in source.url or --url whose tables this user may read"
        raise Configuration(problem, mend=mend)


def _chosen(catalogue: Catalogue, wanted: Sequence[str]) -> list[Table]:
    if not wanted:
        return catalogue.tables
    chosen = [t for t in catalogue.tables if t.name in wanted or t.full_name in wanted]
    known = {name for table in chosen for name in (table.name, table.full_name)}
    if missing := [name for name in wanted if name not in known]:
        there = ", ".join(sorted(t.full_name for t in catalogue.tables)) or "none"
        setting, problem = "--tables", "there is no such table"
        mend = f"name some of: {there}"
        raise Configuration.of(setting, ", ".join(missing), problem, mend=mend)
    return chosen
