"""`make bench-source-load`: the load that the source puts on its database, and its bounds.

On a native PostgreSQL, which tells of it: one table and ten, idle and while rows come, with a
second look and without; and a backfill under a limit.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg
import yaml
from sqlalchemy import make_url

from bench.aos_watch import APPLICATION, Watch
from bench.harness import Bar, Run, at_most, report
from devstack.stack import Stack
from producers import stage
from producers.backfill import job
from producers.backfill.options import Options
from producers.backfill.request import Request, spans_of
from producers.progress import Summary
from producers.settings import SourceSettings
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics

ROUNDS: Final = 3
IDLE_SECONDS: Final = 4.0
WRITING_SECONDS: Final = 3.0
LATE_SECONDS: Final = 2.5
"""By when the server has told of rows: with the first answer that is a second after it last did."""
ROWS_A_TICK: Final = 100
TICK_SECONDS: Final = 0.25
OVERLAP: Final = {"every_seconds": 1.0, "back_seconds": 4.0}
RATE: Final = 3000
WORKERS: Final = 2
HISTORY: Final = 12_000
_TABLE: Final = """
CREATE TABLE {0} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, station text NOT NULL,
    at timestamp NOT NULL, ta float8, changed timestamp(6) NOT NULL);
INSERT INTO {0} (station, at, ta, changed)
    SELECT 'S' || n % 50, timestamp '2020-01-01' + n / 50 * interval '1 minute', n % 30,
           timestamp '2020-01-01' + n * interval '1 second' FROM generate_series(1, {1}) AS n;
CREATE INDEX ON {0} (changed, id);
CREATE INDEX ON {0} (at, id);
"""
_INSERT: Final = """
INSERT INTO {0} (station, at, ta, changed) SELECT 'S' || n, timestamp '2021-01-01', n,
    clock_timestamp() AT TIME ZONE 'UTC' - n * interval '5 microseconds'
    FROM generate_series(1, {1}) AS n
"""
_TIES: Final = "what is new and a time's rows a poll"
"""A poll looks once more at the rows of the time at which the last one ended, and at no others."""
Measures = dict[str, tuple[str, list[float]]]


class Aos:
    """A database of so many tables, and the source that reads it."""

    def __init__(self, stack: Stack, directory: Path, tables: int, **cursor: Any) -> None:
        name = f"aos_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(stack.database_url, autocommit=True) as database:
            database.execute(f"CREATE DATABASE {name}".encode())
        self.url = make_url(stack.database_url).set(database=name).render_as_string(False)
        self.tables = [f"obs_{number}" for number in range(tables)]
        with psycopg.connect(self.url, autocommit=True) as database:
            for table in self.tables:
                database.execute(_TABLE.format(table, HISTORY // tables).encode())
            database.execute("VACUUM ANALYZE")
        self.rows = HISTORY // tables * tables
        self.log = stack.directory / "logs" / "postgres.log"
        self._world = (
            KafkaSettings(bootstrap_servers=stack.bootstrap_servers),
            RegistrySettings(url=stack.registry_url),
            Topics(namespace=name.replace("_", "-"), partitions=2),
        )
        self._settings = self._settings_of(directory / f"{name}.yaml", cursor)
        self.published = 0

    def _settings_of(self, mapping: Path, cursor: dict[str, Any]) -> SourceSettings:
        how = {"column": "changed", "id": "id", "lag_seconds": 0.3, **cursor}
        measures = {"value": {"column": "ta", "unit": "degC"}}
        tables = [
            {
                "shape": "wide", "table": table, "key": ["id"], "cursor": how, "station": "station",
                "time": {"column": "at", "zone": "UTC"},
                "readings": [{"parameter": "temperature", "measures": measures}],
            }
            for table in self.tables
        ]  # fmt: skip
        mapping.write_text(yaml.safe_dump({"source": "load", "version": 1, "tables": tables}))
        url = make_url(self.url).set(drivername="postgresql+psycopg")
        url = url.update_query_dict({"application_name": APPLICATION})
        return SourceSettings(
            url=url.render_as_string(hide_password=False),
            mapping=mapping,
        )

    @contextmanager
    def source(self) -> Iterator[None]:
        """Let the source run, as it would for good, from when all is read that is there."""
        stop = threading.Event()
        running = threading.Thread(
            target=stage.run, args=(self._settings, *self._world, stop, False, self._note)
        )
        running.start()
        try:
            self.wait()
            yield
        finally:
            stop.set()
            running.join()

    def backfill(self) -> float:
        """Read all history under a limit; give the rows in relation to what the limit lets through.

        In any stretch of s seconds that is ``RATE + RATE * s``.
        """
        request = Request(spans_of("2020-01-01", "2020-12-31", None))
        options = Options(request, uuid.uuid4().hex[:8], WORKERS, RATE, chunk_rows=2000)
        (table,) = job.run(self._settings, *self._world, options, threading.Event()).tables
        if not table.finished:
            raise SystemExit("; ".join(table.errors))
        return table.rows / (RATE + RATE * table.rows / table.rows_per_second)

    def write(self) -> int:
        """Let rows come into every table for a while, and wait until they are published."""
        end, before = time.monotonic() + WRITING_SECONDS, self.rows
        pause = threading.Event()
        with psycopg.connect(self.url, autocommit=True) as database:
            while time.monotonic() < end:
                for table in self.tables:
                    database.execute(_INSERT.format(table, ROWS_A_TICK).encode())
                    self.rows += ROWS_A_TICK
                pause.wait(TICK_SECONDS)
        self.wait()
        return self.rows - before

    def ties(self) -> int:
        """Give how many rows of a table share one time, at most."""
        asked = "SELECT count(*) FROM {} GROUP BY changed ORDER BY 1 DESC LIMIT 1"
        with psycopg.connect(self.url) as database:
            rows = [database.execute(asked.format(table).encode()) for table in self.tables]
            return max(int(found.fetchone()[0]) for found in rows)  # type: ignore[index]

    def wait(self) -> None:
        """Wait until all rows are published."""
        pause, deadline = threading.Event(), time.monotonic() + 60
        while self.published < self.rows:
            if time.monotonic() > deadline:
                problem = f"only {self.published} of {self.rows} rows came"
                raise SystemExit(problem)
            pause.wait(0.1)

    def _note(self, summary: Summary) -> None:
        self.published = summary.rows


def main() -> int:
    """Measure, print and keep the result."""
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack.at(Path(directory) / "stack", db="postgres")
        stack.up()
        try:
            runs, bars = measure(stack, Path(directory))
        finally:
            stack.wipe()
    return report("source-load", {run.name: run for run in runs}, bars)


def measure(stack: Stack, directory: Path) -> tuple[list[Run], list[Bar]]:
    """Measure all of it."""
    found: Measures = {}

    def note(name: str, unit: str, value: float) -> None:
        found.setdefault(name, (unit, []))[1].append(round(value, 4))

    for tables in (1, 10):
        _watched(Aos(stack, directory, tables), _of(tables), note, looks_again=False)
    again = Aos(stack, directory, 1, overlap=OVERLAP)
    _watched(again, "1 table, second looks", note, looks_again=True)
    _backfilled(Aos(stack, directory, 1), note)
    runs = [Run(name, round(median(v), 4), unit, v) for name, (unit, v) in found.items()]
    return runs, _bars({run.name: run.rate for run in runs}, found)


def _watched(
    aos: Aos,
    called: str,
    note: Callable[[str, str, float], None],
    *,
    looks_again: bool,
) -> None:
    """Watch a source, idle and while rows come."""
    with Watch(aos.url, aos.log) as watch, aos.source():
        watch.forget()
        for _ in range(ROUNDS):
            watch.begin()
            threading.Event().wait(IDLE_SECONDS)
            seen = watch.end()
            polls = max(1, seen.polls)
            asked = round(seen.questions / polls, 1)  # a poll may be cut in two by the window
            note(f"{called}, idle: statements a poll and table", "", asked)
            busy = 1000 * seen.busy_seconds / polls * len(aos.tables)
            note(f"{called}, idle: server busy a poll", "ms", busy)
            watch.begin()
            threading.Event().wait(LATE_SECONDS)
            before = watch.rows_read()
            published = aos.write()
            if looks_again:
                threading.Event().wait(OVERLAP["back_seconds"])
            read = watch.rows_read() - before
            note(f"{called}: rows read a row published", "", read / published)
            most = published + watch.end().polls * aos.ties()
            note(f"{called}: rows read, in relation to {_TIES}", "", read / most)
        note(f"{called}: connections held", "", watch.connections)
        note(f"{called}: longest snapshot", "s", watch.snapshot_seconds)
        note(f"{called}: locks beyond reading", "", watch.locks)


def _backfilled(aos: Aos, note: Callable[[str, str, float], None]) -> None:
    """Watch a backfill under a limit."""
    called = f"backfill, {WORKERS} workers, {RATE} rows/s"
    with Watch(aos.url, aos.log) as watch:
        for _ in range(ROUNDS):
            before = watch.rows_read()
            note(f"{called}: rows in relation to the limit", "", aos.backfill())
            read = watch.rows_read() - before
            note(f"{called}: rows read a row published", "", read / aos.rows)
        note(f"{called}: connections held", "", watch.connections)
        note(f"{called}: longest snapshot", "s", watch.snapshot_seconds)
        note(f"{called}: locks beyond reading", "", watch.locks)


def _bars(medians: dict[str, float], found: Measures) -> list[Bar]:
    """Hold the figures to what the documents promise; of peaks the worst counts."""
    backfill = f"backfill, {WORKERS} workers, {RATE} rows/s"
    again = 1 + OVERLAP["back_seconds"] / OVERLAP["every_seconds"] + 1
    limits: dict[str, float] = {
        f"{backfill}: rows in relation to the limit": 1.0,
        f"{backfill}: connections held": WORKERS + 1,
        "1 table, second looks: rows read a row published": again,
    }
    for called in ("1 table", "10 tables"):
        limits[f"{called}, idle: statements a poll and table"] = 3.0
        limits[f"{called}: rows read, in relation to {_TIES}"] = 1.0
        limits[f"{called}: connections held"] = 2.0
    for called in ("1 table", "10 tables", backfill):
        limits[f"{called}: longest snapshot"] = 1.0
        limits[f"{called}: locks beyond reading"] = 0.0
    bars = [at_most(name, max(found[name][1]), limit) for name, limit in limits.items()]
    busy, asked = medians["10 tables, idle: server busy a poll"] / 1000, SourceSettings.model_fields
    for when, setting in (("idle", "idle_poll_seconds"), ("while rows come", "poll_seconds")):
        share = busy / asked[setting].default
        bars.append(at_most(f"10 tables, {when}: share of a connection's time", share, 0.05))
    return bars


def _of(tables: int) -> str:
    return "1 table" if tables == 1 else f"{tables} tables"


if __name__ == "__main__":
    sys.exit(main())
