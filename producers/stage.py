"""The source stage: metadata first, then every table in turn, page by page, until it is stopped.

A table that cannot be read waits, longer each time, while the others go on. An outlet that fails is
opened again, and everything goes on from what Kafka says was published.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from producers.backfill.daily import look_back
from producers.connection.faults import Busy
from producers.metrics import SourceMetrics
from producers.progress import Summary, TableProgress, tasks_of
from producers.publishing.outlet import Outlet
from producers.reading.ahead import ReadAhead
from producers.reading.feed import Page, TableFeed
from producers.reading.rows import Readings
from producers.reading.times import now_micros
from producers.rhythm import LookBack, Rhythm
from producers.sensors.metadata import sensor_records
from producers.sensors.metadata_tables import read_metadata
from producers.settings import SourceSettings
from producers.start import Source, prepare
from producers.telling import (
    tell_overdue,
    tell_postponed,
    tell_published,
    tell_retry,
    tell_unmapped,
)
from producers.waiting import Waiting
from runtime import logs
from runtime.control.helm import Helm
from runtime.errors import AosError, Fenced, System, Transient
from runtime.kafka import KafkaSettings
from runtime.memory import work_in_arrays
from runtime.metrics import new_registry, served
from runtime.retry import Backoff, retry
from schemas.mapping import read_mapping
from schemas.registry import RegistrySettings
from schemas.topics import Topics

_LOGGER: Final = logging.getLogger("aos.source")
_PAUSE_SECONDS: Final = 0.2
_OUTLET_BACKOFF: Final = Backoff(tries=5, first=0.5, most=10)
Watcher = Callable[[Summary], None]


def run(
    settings: SourceSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
    once: bool = False,
    watcher: Watcher = lambda _summary: None,
) -> Summary:
    """Read a source until ``stop`` is set, or with ``once`` until nothing is left before the bound.

    A page that is being published when ``stop`` comes is finished. ``watcher`` is called after
    every page, with counts since this start. With ``once``, a table that cannot be read after three
    tries is left out; ``errors`` of the summary names it.

    Raises:
        Configuration: a setting is wrong; nothing was published.
        Fenced: another instance has taken over this source.
        System: publishing failed twice in a way that waiting does not mend.
        Transient: database, broker or registry did not answer while starting.
    """
    world = settings, kafka, registry, topics
    with logs.about(source=read_mapping(settings.mapping).source):
        return _run(*world, stop, once, watcher)


def _run(
    settings: SourceSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
    once: bool,
    watcher: Watcher,
) -> Summary:
    work_in_arrays()
    world = settings, kafka, registry, topics
    source = retry(lambda: prepare(*world), Backoff(), stop, tell_retry)
    stage = Stage(source, settings, stop, watcher, partial(look_back, *world, stop))
    Helm.of(stop).show(source.mapping.source, lambda: tasks_of(stage.summary))
    metrics = new_registry()
    metrics.register(SourceMetrics(stage.summary))
    where = settings.metrics_port, "source.metrics_port", settings.metrics_host
    try:
        with served(metrics, *where):
            stage.start()
            stage.read(once=once)
    finally:
        stage.close()
        source.close()
    return stage.summary


class Stage:
    """The loop, with what it knows of each table."""

    def __init__(
        self,
        source: Source,
        settings: SourceSettings,
        stop: threading.Event,
        watcher: Watcher,
        look_back: LookBack = lambda _due: None,
    ) -> None:
        self._helm = Helm.of(stop)
        self._source = source
        self._outlet: Outlet = source.outlet
        self._settings = settings
        self._stop = stop
        self._watcher = watcher
        self._waiting = {feed.table: Waiting() for feed in source.feeds}
        self._reader = ThreadPoolExecutor(1, "read-ahead", logs.carried())
        self._ahead = {feed.table: self._read_ahead(feed) for feed in source.feeds}
        self._metadata_due = 0.0
        self._broken = False
        self._rhythm = Rhythm(settings, stop, look_back)
        tables = {feed.table: TableProgress(feed.table) for feed in source.feeds}
        self.summary = Summary(source.mapping.source, source.outlet.instance, tables)

    def start(self) -> None:
        """Take over, and publish mapping and metadata before any reading."""
        retry(self._outlet.open, _OUTLET_BACKOFF, self._stop, tell_retry)
        self._outlet.publish_mapping(self._source.mapping)
        for feed in self._source.feeds:
            progress = self.summary.tables[feed.table]
            progress.doubtful = feed.warn()
            progress.lag_seconds = feed.cursor.lag_seconds
            progress.position = self._outlet.standings[feed.table].position
        self._refresh_metadata()

    def close(self) -> None:
        """Wait for a page that is being read ahead, and forget it."""
        self._reader.shutdown(cancel_futures=True)

    def read(self, *, once: bool) -> None:
        """Read all tables in turn."""
        while not self._stop.is_set():
            if self._helm.paused:
                self._stop.wait(_PAUSE_SECONDS)
                continue
            if time.monotonic() >= self._metadata_due:
                self._refresh_metadata()
            turns = [self._turn(feed) for feed in self._source.feeds if not self._stop.is_set()]
            if any(turns):
                continue
            done = all(self._is_done(feed) for feed in self._source.feeds)
            if once and done:
                return
            if once:
                self._stop.wait(self._settings.poll_seconds)
            else:
                self._rhythm.rest(rows=self.summary.rows, done=done)

    def _read_ahead(self, feed: TableFeed) -> ReadAhead:
        """Let pages be read and encoded while those before them are committed."""
        pool = None if feed.published is not None else self._reader
        return ReadAhead(feed, pool, lambda page: self._outlet.encode(page.readings))

    def _is_done(self, feed: TableFeed) -> bool:
        return self.summary.tables[feed.table].drained or self._waiting[feed.table].hopeless

    def _turn(self, feed: TableFeed) -> bool:
        """Read and publish the next page of a table; say whether there may be more at once."""
        waiting = self._waiting[feed.table]
        if not waiting.is_over():
            return False
        try:
            with self.summary.timings.reading():
                page = self._ahead[feed.table].next_page(
                    self._outlet.standings[feed.table].position
                )
        except AosError as error:
            self._postpone(feed, error)
            return False
        waiting.forget()
        return self._publish(feed, page)

    def _publish(self, feed: TableFeed, page: Page) -> bool:
        moved = page.rows > 0 or page.position != self._outlet.standings[feed.table].position
        found = feed.table, page.readings, page.rows, page.position
        self._ahead[feed.table].begin()
        if moved and not self._out(lambda: self._publish_page(*found)):
            return True
        self._count(feed.table, page)
        return not page.drained and not page.waiting

    def _publish_page(self, table: str, readings: Readings, rows: int, position: str) -> None:
        with self.summary.timings.publishing():
            self._outlet.publish_page(table, readings, rows, position)
        tell_published(table, readings)

    def _out(self, publish: Callable[[], object]) -> bool:
        """Publish, or bring the outlet back into a state from which to go on; say which."""
        try:
            publish()
        except (Transient, System) as error:
            self._recover(error)
            return False
        self._broken = False
        return True

    def _recover(self, error: AosError) -> None:
        fenced = isinstance(error, Fenced)
        if isinstance(error, System) and not fenced and self._broken:
            raise error
        self._broken = True
        _LOGGER.warning("publishing failed, the outlet is opened again: %s", error)
        while not self._stop.is_set():
            try:
                reopen = partial(self._outlet.reopen, self._stop, fenced=fenced)
                retry(reopen, _OUTLET_BACKOFF, self._stop, tell_retry)
            except Transient as still:
                _LOGGER.error("the outlet stays closed: %s", still)  # noqa: TRY400
            else:
                return

    def _refresh_metadata(self) -> None:
        """Publish what is new of stations, sensors and calibrations; log what is wrong."""
        self._metadata_due = time.monotonic() + self._settings.metadata_seconds
        how = self._source.mapping.metadata
        if how is None:
            return
        try:
            reading = partial(read_metadata, mapping=self._source.mapping)
            rows = self._source.database.ask("reading metadata", reading)
        except AosError as error:
            _LOGGER.error("metadata stays as it was: %s", error)  # noqa: TRY400
            return
        found = sensor_records(rows, how, self._source.mapping.source, now_micros())
        self._log_problems([str(problem) for problem in found.problems])
        self._out(lambda: self._outlet.publish_metadata(found.records))

    def _log_problems(self, problems: list[str]) -> None:
        for problem in set(problems) - set(self.summary.metadata_problems):
            _LOGGER.warning("%s", problem)
        self.summary.metadata_problems = problems

    def _postpone(self, feed: TableFeed, error: AosError) -> None:
        at_least = error.seconds if isinstance(error, Busy) else 0.0
        seconds = self._waiting[feed.table].lengthen(at_least)
        self.summary.tables[feed.table].fail(error)
        tell_postponed(feed.table, seconds, error)
        self._watch()

    def _count(self, table: str, page: Page) -> None:
        progress = self.summary.tables[table]
        if bool(page.held.overdue) != bool(progress.overdue):
            tell_overdue(table, page.held)
        for code in progress.add(page):
            tell_unmapped(table, code)
        self._watch()

    def _watch(self) -> None:
        self.summary.circuits = self._source.database.circuits
        self._watcher(self.summary)
