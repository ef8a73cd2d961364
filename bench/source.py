"""`make bench-source`: the source beside its two limits, reading alone and writing alone.

Rows of the sample's long table, one connection, exactly once. The limits: ``cursor.fetchmany`` of
the same columns and nothing else; an idempotent producer's ``produce_batch`` and flush of the very
bytes that the source makes, with the same compression.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from bench.harness import at_least, interleaved, report
from devstack.sample import MAPPING
from devstack.sample.database import build
from devstack.stack import Stack
from producers.settings import SourceSettings
from producers.stage import run
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.kafka_topics import ensure_topics
from schemas.registry import RegistrySettings
from schemas.topics import PARAMETERS, Topics

COPIES: Final = 50
FETCH: Final = 5000
LIMIT: Final = 0.5
MULTIPLY: Final = """
WITH RECURSIVE days (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM days WHERE n < ?)
INSERT INTO aws_minute (station_id, element, sensor_no, observed_at, value, direction, gust,
                        quality, modified_at)
SELECT station_id, element, sensor_no, datetime(observed_at, '+' || n || ' days') || '.000000',
       value, direction, gust, quality, datetime(modified_at, '+' || n || ' days') || '.000000'
FROM aws_minute, days ORDER BY n, id
"""


class Bench:
    """The long table, many days long, and a broker."""

    def __init__(self, directory: Path, kafka: KafkaSettings, registry: RegistrySettings) -> None:
        self._kafka = kafka
        self._registry = registry
        self._database = directory / "aos.db"
        self.url = f"sqlite:///{self._database}"
        self.mapping = directory / "mapping.yaml"
        build(self._database)
        with closing(sqlite3.connect(self._database)) as database, database:
            database.execute(MULTIPLY, (COPIES - 1,))
            database.execute("DELETE FROM weather_hourly")
            [(self.rows,)] = database.execute("SELECT count(*) FROM aws_minute")
        document = yaml.safe_load(MAPPING.read_text())
        document["tables"] = [t for t in document["tables"] if t["table"] == "aws_minute"]
        self.mapping.write_text(yaml.safe_dump(document))

    def ours(self) -> float:
        """Run the source from the first page's end to the last one's."""
        moments: list[tuple[float, int]] = []
        settings = SourceSettings(url=self.url, mapping=self.mapping)
        self.last = Topics(namespace=f"b{uuid.uuid4().hex[:8]}", partitions=4)
        run(
            settings,
            self._kafka,
            self._registry,
            self.last,
            threading.Event(),
            once=True,
            watcher=lambda summary: moments.append((time.perf_counter(), summary.rows)),
        )
        (start, first), (end, last) = moments[0], moments[-1]
        return (last - first) / (end - start)

    def fetch(self) -> float:
        """Only fetch the rows."""
        columns = (
            "id, station_id, element, sensor_no, observed_at, value, direction, gust, quality,"
            " modified_at"
        )
        with closing(sqlite3.connect(self._database)) as database:
            start = time.perf_counter()
            cursor = database.execute(f"SELECT {columns} FROM aws_minute ORDER BY modified_at, id")  # noqa: S608
            while cursor.fetchmany(FETCH):
                pass
            return self.rows / (time.perf_counter() - start)

    def bytes_of(self, topics: Topics) -> list[tuple[str, list[dict[str, Any]]]]:
        """Read back what the source wrote."""
        found = []
        for parameter in PARAMETERS:
            for number in range(topics.partitions):
                messages = read_to_end(self._kafka, topics.raw(parameter), number)
                kept = [{"key": m.key(), "value": m.value()} for m in messages]
                found.append((parameter, kept))
        return found

    def produce(self, ready: list[tuple[str, list[dict[str, Any]]]]) -> float:
        """Only write ready bytes, in pieces as large as the source's pages."""
        topics = Topics(namespace=f"p{uuid.uuid4().hex[:8]}", partitions=4)
        ensure_topics(AdminClient(self._kafka.client()), topics.source_specs(), 1)
        producer = Producer(
            self._kafka.client(
                enable_idempotence=True,
                acks="all",
                compression_type="lz4",
                linger_ms=5,
                queue_buffering_max_messages=1_000_000,
                queue_buffering_max_kbytes=1 << 20,
            )
        )
        start = time.perf_counter()
        for parameter, messages in ready:
            for first in range(0, len(messages), FETCH):
                producer.produce_batch(topics.raw(parameter), messages[first : first + FETCH])
        producer.flush()
        return self.rows / (time.perf_counter() - start)


def main() -> int:
    """Measure three rounds and print them."""
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack.at(Path(directory) / "stack")
        stack.up()
        try:
            return _measure(Path(directory), stack)
        finally:
            stack.wipe()


def _measure(directory: Path, stack: Stack) -> int:
    kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
    bench = Bench(directory, kafka, RegistrySettings(url=stack.registry_url))
    bench.ours()  # warms up, and gives the bytes
    produce: Callable[[], float] = partial(bench.produce, bench.bytes_of(bench.last))
    contestants = {
        "fetchmany alone": bench.fetch,
        "produce_batch alone": produce,
        "aos source, exactly once": bench.ours,
    }
    runs = interleaved(contestants, "readings/s")
    slower = min(runs["fetchmany alone"].rate, runs["produce_batch alone"].rate)
    ratio = runs["aos source, exactly once"].rate / slower
    return report("source", runs, [at_least("source / slower limit", ratio, LIMIT)])


if __name__ == "__main__":
    sys.exit(main())
