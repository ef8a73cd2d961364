"""What the sink tells Prometheus: how much, how fast, how far behind, and whether it is waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from runtime.breaker import Breaker, Circuit
from sink.batch import Counts

_BATCH_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_STATES: Final = {Circuit.CLOSED: 0, Circuit.HALF_OPEN: 1, Circuit.OPEN: 2}


class SinkMetrics:
    """The sink's metrics in a registry; ``breaker`` is that of the database."""

    def __init__(self, registry: CollectorRegistry, breaker: Breaker, connections: int = 1) -> None:
        def counter(name: str, told: str) -> Counter:
            return Counter(f"aos_sink_{name}_total", told, ["topic"], registry=registry)

        self._inserted = counter("inserted_rows", "Rows that were not there before.")
        self._updated = counter("updated_rows", "Rows that gave way to a newer reading.")
        self._skipped = counter("skipped_rows", "Readings that were there, or older than the row.")
        self._dead = counter("dead_letters", "Records that could not be loaded.")
        self._batches = Histogram(
            "aos_sink_batch_seconds",
            "From beginning to write a batch to its committed transaction.",
            buckets=_BATCH_BOUNDS,
            registry=registry,
        )
        self._queued = Histogram(
            "aos_sink_queue_seconds",
            "From reading the first record of a batch to beginning to write it.",
            buckets=_BATCH_BOUNDS,
            registry=registry,
        )
        self._retried = Counter(
            "aos_sink_retried_batches_total",
            "Times that a batch could not be written and was tried again.",
            registry=registry,
        )
        pool = Gauge(
            "aos_sink_connections", "Connections to the database that load.", registry=registry
        )
        pool.set(connections)
        self._partitions = Gauge(
            "aos_sink_partitions", "Partitions that this sink is assigned.", registry=registry
        )
        self._lag = Gauge(
            "aos_sink_lag_records",
            "Records of this sink's partitions that are on the broker and were not read.",
            registry=registry,
        )
        state = Gauge(
            "aos_sink_database_circuit",
            "Breaker around the database: 0 closed, 1 half open (one trial), 2 open (it is away).",
            registry=registry,
        )
        state.set_function(lambda: _STATES[breaker.state])

    def loaded(self, counts: Mapping[str, Counts], seconds: float, waited: float) -> None:
        """Count a committed batch, by topic; its records waited before its transaction."""
        for topic, count in counts.items():
            self._inserted.labels(topic).inc(count.inserted)
            self._updated.labels(topic).inc(count.updated)
            self._skipped.labels(topic).inc(count.skipped)
            self._dead.labels(topic).inc(count.dead_lettered)
        self._batches.observe(seconds)
        self._queued.observe(waited)

    def retried(self) -> None:
        """Count a batch that waits for a better moment."""
        self._retried.inc()

    def behind(self, records: int, partitions: int) -> None:
        """Take how many records are still to be read, and of how many partitions."""
        self._lag.set(records)
        self._partitions.set(partitions)
