"""What a backfill would do: its plan, from the database alone."""

from __future__ import annotations

from dataclasses import dataclass

from producers.backfill.connection import Quiet, open_quiet, quietly
from producers.backfill.options import Options
from producers.backfill.request import Request
from producers.backfill.selection import Part, chosen
from producers.backfill.table import open_table
from producers.settings import SourceSettings
from runtime.errors import AosError, Configuration
from schemas.mapping import Mapping


@dataclass(frozen=True, slots=True)
class Planned:
    """One table; ``problem`` says why it cannot be read, and is empty when it can."""

    table: str
    rows: int = 0
    chunks: int = 0
    undated: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """The plan of all tables, and the name of the job."""

    job: str
    tables: tuple[Planned, ...]


def plan(settings: SourceSettings, options: Options) -> DryRun:
    """Survey the tables.

    Raises:
        Configuration: the request or a setting is wrong.
        Transient: the database does not answer.
    """
    if options.request is None:
        problem = "a dry run needs to know what is asked for"
        raise Configuration(problem, mend="give --from and --to, or --years")
    request, mapping = options.request, settings.read_mapping()
    database = open_quiet(settings)
    try:
        database.settle(lambda: None)
        quiet = quietly(database)
        parts = chosen(mapping, request)
        tables = [_planned(quiet, mapping, part, request, options.chunk_rows) for part in parts]
    finally:
        database.dispose()
    return DryRun(options.job or request.job(mapping.source, mapping.version), tuple(tables))


def _planned(
    database: Quiet, mapping: Mapping, part: Part, request: Request, chunk_rows: int
) -> Planned:
    name = part.table.table
    try:
        table = open_table(database, mapping, part, request.stations)
        made = table.plan(request.spans, chunk_rows)
        return Planned(name, made.rows, len(made.chunks()), table.undated())
    except AosError as error:
        return Planned(name, problem=str(error))
