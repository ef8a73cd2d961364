"""Imports: readings by observation time, out of AOS into the raw topics, through to the tables.

Each is a backfill (``producers.backfill``), beside a source that goes on reading: what both publish
is a repeat, which stream and sink know. The job of a backfill has a name, which is that of its run
here: an attempt goes on where the one before was killed, and what is done is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from operate.jobs.config import day_before
from operate.jobs.kinds.through import count_through
from operate.jobs.scheduler import BY_THE_CLOCK
from operate.jobs.work import Outcome, Work
from producers import several
from producers.backfill import job
from producers.backfill.options import Options, Report
from producers.backfill.request import Request, Span
from producers.settings import SourceSettings
from runtime.errors import Configuration, Transient

_DAYS: Final = 7
_HOURS: Final = 3
_SWITCHES: Final = ("validate_data", "clean_data")
_BEGUN: Final = "begun"
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are naive, here as on the wire
_MICROSECOND: Final = timedelta(microseconds=1)
Usual = Callable[[SourceSettings], tuple[Span, ...]]


def daily(work: Work) -> Outcome:
    """Read the last days before the job's again; 7, unless it says otherwise."""

    def span(source: SourceSettings) -> Span:
        local = work.due.astimezone(ZoneInfo(source.schedule_zone))
        return span_of(*day_before(local, work.config.days_back or _DAYS))

    return _import(work, lambda source: (span(source),))


def hourly(work: Work) -> Outcome:
    """Read the last hours before the job's moment, and the one that has begun.

    By the clock it reads increments instead, where none else does (``jobs.import_increments``), and
    nothing where a source runs all the time: each reading would be published again and again.
    """
    if work.who == BY_THE_CLOCK:
        if not work.settings.jobs.import_increments:
            return Outcome({"left_to": "the source, which runs all the time"})
        _increments(work, _as_wanted(work, work.settings.all_sources()))
        return Outcome({"increments": True}, ("stopped",) if work.stop.is_set() else ())

    def span(source: SourceSettings) -> Span:
        local = work.due.astimezone(ZoneInfo(source.schedule_zone)).replace(tzinfo=None)
        begin = local.replace(minute=0, second=0, microsecond=0) - timedelta(hours=_HOURS)
        return span_of(begin, local.replace(microsecond=0))

    return _import(work, lambda source: (span(source),))


def historical(work: Work) -> Outcome:
    """Read the years or dates that were asked for.

    Raises:
        Configuration: none were.
    """
    if not work.config.spans():
        problem = "a historical backfill is asked for years, or for a start and an end"
        raise Configuration(problem, mend="give years like 2013,2014, or start and end")
    return _import(work, lambda _source: ())


def span_of(start: datetime, end: datetime) -> Span:
    """Give a stretch of local time as readings have it.

    >>> span_of(_EPOCH, _EPOCH + timedelta(seconds=1))
    Span(start=0, end=1000000)
    """
    return Span((start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND)


def _import(work: Work, usual: Usual) -> Outcome:
    sources = _as_wanted(work, work.settings.all_sources()[:1])
    if work.settings.jobs.import_increments and not work.stop.is_set():
        _increments(work, _as_wanted(work, work.settings.all_sources()))
    work.stage("extract", 0.0)
    reports = [_backfill(work, source, _request(work, source, usual)) for source in sources]
    work.metrics.failed = sum(len(table.errors) for r in reports for table in r.tables)
    left = tuple(
        f"table {table.table}: {problem}"
        for report in reports
        for table in report.tables
        for problem in table.errors or (() if table.finished else ("not finished",))
    )
    if not left and work.config.validate_data:
        requests = [_request(work, source, usual) for source in sources]
        count_through(work, requests)
    return Outcome({"jobs": [report.job for report in reports]}, left)


def _request(work: Work, source: SourceSettings, usual: Usual) -> Request:
    spans = work.config.spans() or usual(source)
    return Request(spans, work.config.stations, work.config.parameters)


def _as_wanted(work: Work, sources: Sequence[SourceSettings]) -> list[SourceSettings]:
    """Read them as the job wants it: in its pages, and what it switches off is off."""
    config = work.config
    chosen: dict[str, Any] = {} if config.batch_size is None else {"page_rows": config.batch_size}
    chosen |= {name: False for name in _SWITCHES if not getattr(config, name)}
    return [source.model_copy(update=chosen) for source in sources]


def _backfill(work: Work, source: SourceSettings, request: Request) -> Report:
    settings = work.settings
    again = not work.config.skip_existing and _BEGUN not in work.notes
    options = Options(
        request,
        _name(work),
        workers=settings.jobs.import_workers,
        rows_per_second=work.config.rows_per_second,
        again=again,
    )

    def watch(report: Report) -> None:
        if again and _BEGUN not in work.notes:
            work.notes[_BEGUN] = True
            work.note(_BEGUN, True)
        _count(work, report)

    world = settings.kafka, settings.registry, settings.topics
    report = job.run(source, *world, options, work.stop, watch)
    _count(work, report)
    return report


def _name(work: Work) -> str | None:
    """Name the backfill; a historical one by what it asks for: asked for again, it goes on."""
    return None if work.config.spans() else f"run-{work.run_id}"


def _count(work: Work, report: Report) -> None:
    metrics = work.metrics
    metrics.extracted = sum(table.rows for table in report.tables)
    metrics.transformed = sum(table.readings for table in report.tables)
    chunks = sum(table.chunks for table in report.tables)
    done = sum(table.chunks_done for table in report.tables)
    metrics.percent = round(100.0 * done / chunks, 1) if chunks else None


def _increments(work: Work, sources: Sequence[SourceSettings]) -> None:
    """Read what is new, as the source does; the cursor of the source moves on."""
    work.stage("increments")
    quiet = [source.model_copy(update={"metrics_port": None}) for source in sources]
    settings = work.settings
    world = settings.kafka, settings.registry, settings.topics
    found = several.run(quiet, *world, work.stop, once=True).values()
    work.metrics.extracted = sum(summary.rows for summary in found)
    work.metrics.transformed = sum(summary.readings.total() for summary in found)
    left = [problem for summary in found for problem in summary.errors.values()]
    work.metrics.failed = len(left)
    if left:
        problem = f"{len(left)} tables could not be read: {'; '.join(left)}"
        raise Transient(problem, mend="see whether AOS is up; the others were read")
