"""`make bench-source`: the source beside its two limits, reading alone and writing alone.

Rows of the sample's long table, one connection, exactly once. The limits: ``cursor.fetchmany`` of
the same columns over the same driver and nothing else; an idempotent producer's ``produce_batch``
and flush of the very bytes that the source makes, with the same compression. It is done for SQLite
and, where the ODBC driver is here, for PostgreSQL through pyodbc.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from rich.console import Console

from bench.harness import Bar, Run, at_least, interleaved, report
from bench.source_databases import FETCH, Database, has_driver, in_postgres, in_sqlite
from devstack.stack import Stack
from producers.settings import SourceSettings
from producers.stage import run
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.kafka_topics import ensure_topics
from schemas.registry import RegistrySettings
from schemas.topics import PARAMETERS, Topics

LIMIT: Final = 0.5
ROUNDS: Final = 5
"""Of three, two may lie in a slow minute of the machine."""
_PRODUCE: Final = "produce_batch alone"
Ready = list[tuple[str, list[dict[str, Any]]]]
"""The messages of each parameter and partition."""


class Bench:
    """A broker, and how the contestants use it."""

    def __init__(self, kafka: KafkaSettings, registry: RegistrySettings) -> None:
        self._kafka = kafka
        self._registry = registry

    def ours(self, database: Database) -> float:
        """Run the source from the first page's end to the last one's."""
        moments: list[tuple[float, int]] = []
        self.last = Topics(namespace=f"b{uuid.uuid4().hex[:8]}", partitions=4)
        run(
            SourceSettings(url=database.url, mapping=database.mapping),
            self._kafka,
            self._registry,
            self.last,
            threading.Event(),
            once=True,
            watcher=lambda summary: moments.append((time.perf_counter(), summary.rows)),
        )
        (start, first), (end, last) = moments[0], moments[-1]
        return (last - first) / (end - start)

    def bytes_of(self, topics: Topics) -> Ready:
        """Read back what the source wrote."""
        found = []
        for parameter in PARAMETERS:
            for number in range(topics.partitions):
                messages = read_to_end(self._kafka, topics.raw(parameter), number)
                kept = [{"key": m.key(), "value": m.value()} for m in messages]
                found.append((parameter, kept))
        return found

    def produce(self, ready: Ready) -> float:
        """Only write ready bytes, in pieces of some thousand."""
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
        return sum(len(messages) for _, messages in ready) / (time.perf_counter() - start)


def main() -> int:
    """Measure the rounds and print them."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as opened:
        directory = Path(name)
        stack = Stack.at(directory / "stack")
        stack.up()
        opened.callback(stack.wipe)
        databases = [in_sqlite(directory)]
        if has_driver():
            databases.append(opened.enter_context(in_postgres(directory, databases[0])))
        else:
            Console().print(
                "PostgreSQL through pyodbc is not run: odbc-postgresql is not installed"
            )
        kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
        bench = Bench(kafka, RegistrySettings(url=stack.registry_url))
        return _measure(bench, databases)


def _measure(bench: Bench, databases: Sequence[Database]) -> int:
    for database in databases:
        bench.ours(database)  # warms up, and gives the bytes
    contestants: dict[str, Callable[[], float]] = {
        _PRODUCE: partial(bench.produce, bench.bytes_of(bench.last))
    }
    for database in databases:
        contestants[_fetching(database)] = database.fetch
        contestants[_source(database)] = partial(bench.ours, database)
    runs = interleaved(contestants, "readings/s", ROUNDS)
    return report("source", runs, [_bar(runs, database) for database in databases])


def _bar(runs: Mapping[str, Run], database: Database) -> Bar:
    slower = min(runs[_PRODUCE].rate, runs[_fetching(database)].rate)
    ratio = runs[_source(database)].rate / slower
    return at_least(f"source / slower limit, {database.name}", ratio, LIMIT)


def _fetching(database: Database) -> str:
    return f"fetchmany alone, {database.name}"


def _source(database: Database) -> str:
    return f"aos source, exactly once, {database.name}"


if __name__ == "__main__":
    sys.exit(main())
