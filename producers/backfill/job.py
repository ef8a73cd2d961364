"""A backfill from its request to its end: take over, plan, work, note what is done."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from functools import partial
from typing import Final

from producers.backfill import crew
from producers.backfill.book import Book, forgotten
from producers.backfill.claims import Claims
from producers.backfill.journal import ChunkState, Job, Names, asked_before
from producers.backfill.opened import World, open_world
from producers.backfill.options import Options, Report, Watcher
from producers.backfill.plan import Chunk
from producers.backfill.planning import check_same, next_job
from producers.backfill.progress import Progress
from producers.backfill.request import Request
from producers.backfill.selection import Part, chosen
from producers.backfill.table import BackfillTable, open_table
from producers.backfill.turnstile import Turnstile
from producers.backfill.worker import Shared
from producers.publishing.outlet import unique
from producers.publishing.publisher import Publisher
from producers.reading.times import now_micros
from producers.sensors.metadata import sensor_records
from producers.sensors.metadata_tables import read_metadata
from producers.settings import SourceSettings
from runtime import logs
from runtime.errors import AosError, Fenced, Transient
from runtime.kafka import KafkaSettings
from runtime.retry import Backoff, retry
from schemas.codec import Record
from schemas.mapping import read_mapping
from schemas.registry import RegistrySettings
from schemas.topics import Topics

_LOGGER: Final = logging.getLogger("aos.backfill")


def run(
    settings: SourceSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    options: Options,
    stop: threading.Event,
    watcher: Watcher = lambda _report: None,
) -> Report:
    """Read history until it is done or ``stop`` is set; pages under way are finished.

    What cannot be read is named in the report, and left to the next run.

    Raises:
        Configuration: the request or a setting is wrong; nothing was published.
        Fenced: another process has taken up the same job.
        Transient: database, broker or registry did not answer while starting.
    """
    opening = partial(open_world, settings, kafka, registry, topics)
    with logs.about(source=read_mapping(settings.mapping).source):
        world = retry(opening, Backoff(), stop, _log_retry)
        try:
            return Backfill(world, options, stop, watcher).run()
        finally:
            world.close()


class Backfill:
    """One run of one job."""

    def __init__(
        self,
        world: World,
        options: Options,
        stop: threading.Event,
        watcher: Watcher,
    ) -> None:
        self._world = world
        self._options = options
        self._stop = stop
        self._watcher = watcher
        mapping = world.mapping
        self._request = options.request or _asked_before(world, options.job or "")
        self._parts = {part.table.table: part for part in chosen(mapping, self._request)}
        job = options.job or self._request.job(mapping.source, mapping.version)
        instance = unique(world.settings.instance)
        self._names = Names(mapping.source, job, world.identity, instance)
        self._book = Book(world, self._names, self._parts)
        self._progress = Progress()
        self._jobs: dict[str, Job] = {}
        self._tables: dict[str, BackfillTable] = {}
        self._states: dict[Chunk, ChunkState] = {}

    def run(self) -> Report:
        """Do it."""
        try:
            retry(self._book.open, Backoff(), self._stop, _log_retry)
            before = {name: self._book.job(name) for name in self._parts}
            if not (self._options.again or self._options.supersede):
                for job in before.values():
                    check_same(self._names.job, job, self._request)
            self._book.publish_beside(self._world.mapping, self._metadata())
            most = max((job.workers for job in before.values() if job), default=0)
            workers = self._options.workers
            publishers = crew.take_over(self._world, self._names.job, workers, most)
            try:
                self._begin()
                self._work(publishers)
            finally:
                for publisher in publishers:
                    publisher.close()
        finally:
            self._book.close()
        return self._report(already=not self._tables)

    def _begin(self) -> None:
        """Plan every table, and see how far it is; one that fails is named, and left."""
        records = self._world.records()
        for name, part in self._parts.items():
            try:
                table = self._plan(name, part)
            except Fenced:
                raise
            except AosError as error:
                _LOGGER.error("table %s is left: %s", name, error)  # noqa: TRY400
                self._progress.fail(name, str(error))
                continue
            job = self._jobs[name]
            if table is None:
                self._progress.skip(job.plan, *self._book.counted(name))
                continue
            known = self._names.chunks(records, name, job.round)
            self._progress.begin(job.plan, known.values(), table.undated())
            chunks = job.plan.chunks()
            self._states |= {c: known[c.number] for c in chunks if c.number in known}
            self._tables[name] = table

    def _plan(self, name: str, part: Part) -> BackfillTable | None:
        """Write down what is to be done in a table; give it, if anything is."""
        before, again = self._book.job(name), self._options.again
        if before and before.done and not again and before.request.same_as(self._request):
            self._jobs[name] = before
            return None
        world, stations = self._world, self._request.stations
        opening = partial(open_table, world.database, world.mapping, part, stations)
        table = retry(opening, Backoff(), self._stop, _log_retry)
        make = partial(table.plan, self._request.spans, self._options.chunk_rows)
        make = partial(retry, make, Backoff(), self._stop, _log_retry)
        job = next_job(before, self._request, self._options.workers, make, again=again)
        self._book.write(job)
        self._jobs[name] = job
        return table

    def _work(self, publishers: list[Publisher]) -> None:
        """Read what is left, and note the tables of which nothing is."""
        if not self._tables:
            return
        shared = self._shared()
        self._progress.start()
        self._watch()
        try:
            crew.work(self._world, self._names.job, shared, publishers, self._stop, self._watch)
        finally:
            self._watch()
        records = self._world.records()
        for state in self._progress.states():
            if state.table in self._tables and state.finished:
                self._book.write(
                    replace(self._jobs[state.table], done=True), state.rows, state.readings
                )
                self._forget(self._names.left(records, state.table))

    def _forget(self, keys: list[str]) -> None:
        """Drop the records of chunks; one that stays after all is of a round that is over."""
        publisher = self._world.publisher(self._names.job, 0)
        try:
            publisher.publish([forgotten(self._world.topics.cursors, keys)])
        finally:
            publisher.close()

    def _shared(self) -> Shared:
        options, page_rows = self._options, self._world.settings.page_rows
        left = [
            [c for c in self._jobs[name].plan.chunks() if not self._is_done(c)]
            for name in self._tables
        ]
        return Shared(
            self._names,
            self._jobs,
            self._tables,
            self._states,
            Claims(left),
            self._progress,
            Turnstile(page_rows, options.rows_per_second, options.hours),
            threading.Event(),
            self._world.records,
        )

    def _is_done(self, chunk: Chunk) -> bool:
        return chunk in self._states and self._states[chunk].done

    def _metadata(self) -> dict[str, Record]:
        """Read stations, sensors and calibrations; if that fails, readings go out all the same."""
        mapping = self._world.mapping
        if mapping.metadata is None:
            return {}
        try:
            read = partial(read_metadata, mapping=mapping)
            rows = self._world.database.ask("reading metadata", read)
        except AosError as error:
            _LOGGER.error("metadata stays as it was: %s", error)  # noqa: TRY400
            return {}
        return sensor_records(rows, mapping.metadata, mapping.source, now_micros()).records

    def _watch(self) -> None:
        self._watcher(self._report(already=False))

    def _report(self, *, already: bool) -> Report:
        tables = tuple(self._progress.states())
        done = already and all(table.finished for table in tables)
        return Report(self._names.source, self._names.job, tables, done)


def _asked_before(world: World, job: str) -> Request:
    return asked_before(world.records(), world.mapping.source, job)


def _log_retry(error: Transient, wait: float) -> None:
    _LOGGER.warning("trying again in %.1f s: %s", wait, error)
