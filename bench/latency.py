"""`make bench-latency`: from a commit in AOS to the row that a reader of the database sees.

All three stages run as processes of their own on the embedded Kafka and native PostgreSQL. A
thousand readings are written one at a time, at moments that know nothing of each other or of what
has arrived (else a slow reading would spare those behind it). The mapping's cursor waits for nobody
(``lag_seconds`` 0: SQLite has one writer), and the source looks as often as its default settings
say, or as ``--poll-seconds`` does.

Each row says when it was read, judged and loaded; so the way is told hop by hop.
"""

from __future__ import annotations

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import psycopg
import yaml
from psycopg.sql import SQL, Composed, Identifier

from bench.harness import Bar, Run, at_most, report
from devstack.sample import MAPPING
from devstack.sample.database import build
from devstack.stack import Stack

BARS_MS: Final = {50: 250.0, 99: 600.0}
STAGES: Final = ("source", "stream", "sink")
_TABLES: Final = {"TA": "temperature", "HM": "humidity", "PA": "pressure", "WS": "wind"}
_VALUES: Final = {"TA": 18.0, "HM": 45.0, "PA": 925.0, "WS": 3.0}
_LOOK_SECONDS: Final = 0.004
_MEAN_PAUSE_SECONDS: Final = 0.12
_PATIENCE_SECONDS: Final = 60.0
_WARM_UP: Final = 20

_INSERT: Final = """
INSERT INTO aws_minute
    (station_id, element, sensor_no, observed_at, value, direction, modified_at)
VALUES ('UAT', ?, 1, ?, ?, 180.0, ?)
"""
_FOUND: Final = """
SELECT observed_local, extracted_at, processed_at, created_at
FROM weather.{} WHERE observed_local = ANY(%s)
"""
HOPS: Final = (
    "commit to read by the source",
    "read to judged by the stream",
    "judged to loaded by the sink",
    "loaded to visible",
)


@dataclass(slots=True)
class Watch:
    """What was committed and is not visible yet, and the moments of what is."""

    committed: dict[tuple[str, datetime], float] = field(default_factory=dict)
    moments: list[list[float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, connection: psycopg.Connection[Any]) -> None:
        """Take up what has become visible."""
        with self.lock:
            pending = dict(self.committed)
        for table in {table for table, _ in pending}:
            wanted = [at for name, at in pending if name == table]
            rows = connection.execute(_found(table), (wanted,)).fetchall()
            seen = time.time()
            for at, *stamps in rows:
                with self.lock:
                    begun = self.committed.pop((table, at))
                self.moments.append([begun, *(stamp.timestamp() for stamp in stamps), seen])


def main() -> int:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=1000)
    parser.add_argument("--poll-seconds", type=float)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no server behind
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as open_:
        directory = Path(name)
        stack = Stack.at(directory / "stack", db="postgres")
        stack.up()
        open_.callback(stack.wipe)
        config = _prepare(directory, stack, options.poll_seconds)
        for stage in STAGES:
            open_.enter_context(_running(stage, config, directory / f"{stage}.log"))
        moments = _measure(directory / "aos.db", stack.database_url, options.readings)
    return _report(moments)


def _prepare(directory: Path, stack: Stack, poll_seconds: float | None) -> Path:
    """Make an AOS without readings, and the settings of the stages."""
    build(aos := directory / "aos.db")
    with closing(sqlite3.connect(aos)) as database, database:
        database.execute("DELETE FROM aws_minute")
        database.execute("DELETE FROM weather_hourly")
    mapping = yaml.safe_load(MAPPING.read_text(encoding="utf-8"))
    for table in mapping["tables"]:
        table["cursor"]["lag_seconds"] = 0
    (directory / "mapping.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    document = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "source": {
            "url": f"sqlite:///{aos}",
            "mapping": str(directory / "mapping.yaml"),
            **({"poll_seconds": poll_seconds} if poll_seconds else {}),
        },
        "sink": {"database_url": stack.database_url},
    }
    config = directory / "aos.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


@contextmanager
def _running(stage: str, config: Path, log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "operate", stage, "--config", str(config)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield
        if process.poll() is not None:
            problem = f"the {stage} ended by itself: {log.read_text()[-2000:]}"
            raise RuntimeError(problem)
    finally:
        process.terminate()
        process.wait(60)


def _measure(aos: Path, database_url: str, readings: int) -> list[list[float]]:
    watch, done = Watch(), threading.Event()
    with closing(sqlite3.connect(aos, check_same_thread=False)) as database:
        _insert(database, watch, 0)
        with closing(_connected(database_url)) as connection:
            _until_visible(watch, connection)  # the stages are up
            writer = threading.Thread(target=_write, args=(database, watch, readings, done))
            writer.start()
            while not done.is_set():
                watch.look(connection)
                done.wait(_LOOK_SECONDS)
            writer.join()
            _until_visible(watch, connection)
    return sorted(watch.moments)[1 + _WARM_UP :]


def _write(
    database: sqlite3.Connection, watch: Watch, readings: int, done: threading.Event
) -> None:
    draw = random.Random(1048)  # noqa: S311 - the same pauses in every run
    for number in range(1, readings + _WARM_UP + 1):
        _insert(database, watch, number)
        done.wait(draw.uniform(0.5, 1.5) * _MEAN_PAUSE_SECONDS)
    done.set()


def _insert(database: sqlite3.Connection, watch: Watch, number: int) -> None:
    """Commit a reading of a minute of its own, long enough ago to be no future."""
    element = list(_TABLES)[number % len(_TABLES)]
    start = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) - timedelta(days=2)
    at, value = start + timedelta(minutes=number), _VALUES[element] + number % 7 / 10
    with watch.lock:
        with database:
            modified = datetime.now(UTC).replace(tzinfo=None)
            database.execute(_INSERT, (element, _text(at), value, _text(modified)))
        watch.committed[_TABLES[element], at] = time.time()


def _until_visible(watch: Watch, connection: psycopg.Connection[Any]) -> None:
    deadline, pause = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
    while watch.committed:
        if time.monotonic() > deadline:
            problem = f"{len(watch.committed)} readings did not arrive"
            raise TimeoutError(problem)
        watch.look(connection)
        pause.wait(_LOOK_SECONDS)


def _connected(database_url: str) -> psycopg.Connection[Any]:
    """Connect once the sink has made its tables."""
    connection = psycopg.connect(database_url, autocommit=True)
    pause = threading.Event()
    for _ in range(int(_PATIENCE_SECONDS / 0.1)):
        if connection.execute("SELECT to_regclass('weather.wind')").fetchall() != [(None,)]:
            break
        pause.wait(0.1)
    return connection


def _found(table: str) -> Composed:
    return SQL(_FOUND).format(Identifier(table))


def _text(at: datetime) -> str:
    return at.isoformat(" ", "microseconds")


def _report(moments: list[list[float]]) -> int:
    runs: dict[str, Run] = {}
    bars: list[Bar] = []
    whole = [1000 * (each[-1] - each[0]) for each in moments]
    for percent, limit in BARS_MS.items():
        value = _percentile(whole, percent)
        runs |= _run(f"commit to visible, p{percent}", value, moments)
        bars.append(at_most(f"commit in AOS to visible, p{percent}, ms", value, limit))
        for place, hop in enumerate(HOPS):
            taken = [1000 * (each[place + 1] - each[place]) for each in moments]
            runs |= _run(f"  {hop}, p{percent}", _percentile(taken, percent), moments)
    return report("latency", runs, bars)


def _run(name: str, value: float, moments: list[list[float]]) -> Mapping[str, Run]:
    return {name: Run(name, round(value), f"ms over {len(moments)} readings", [round(value)])}


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    sys.exit(main())
