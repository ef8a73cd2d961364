"""What the stream tells Prometheus: how much, how fast, how late, and who is silent.

One batch costs a handful of calls, whatever its size. Ages are worked out when they are asked for,
so they grow while nothing comes.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from runtime.metrics import Distribution
from stream_app.cleaned import CleanedColumns
from stream_app.silence.watch import Standing

_BATCH_BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_LATE_BOUNDS: Final = (
    *(1.0, 5.0, 15.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 12 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY),
)


class StreamMetrics:
    """The stream's metrics in a registry; safe to use from several threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._readings = Counter(
            "aos_stream_readings_total",
            "Readings judged, their transaction committed.",
            ["parameter"],
            registry=registry,
        )
        self._dead = Counter(
            "aos_stream_dead_letters_total",
            "Raw records that could not be used.",
            ["topic"],
            registry=registry,
        )
        self._batches = Histogram(
            "aos_stream_batch_seconds",
            "From taking up a batch to its committed transaction.",
            buckets=_BATCH_BOUNDS,
            registry=registry,
        )
        self._late = Distribution(
            "aos_stream_lateness_seconds",
            "From the end of a reading's interval to its processing.",
            ["parameter"],
            _LATE_BOUNDS,
        )
        self._revised = Counter(
            "aos_stream_revised_readings_total",
            "Readings sent again since the metadata of their sensors had changed.",
            ["parameter"],
            registry=registry,
        )
        self._low = Counter(
            "aos_stream_low_readings_total",
            "Readings below the quality threshold, counted where the policy is to alert.",
            ["parameter"],
            registry=registry,
        )
        self._unrevised = Gauge(
            "aos_stream_unrevised_records",
            "Raw records that are still to be read again for a change of metadata.",
            ["partition"],
            registry=registry,
        )
        self._standings = Standings()
        registry.register(self._late)
        registry.register(self._standings)

    def committed(
        self,
        columns: Iterable[CleanedColumns],
        dead: Mapping[tuple[str, str], int],
        now: int,
        seconds: float,
    ) -> None:
        """Count a batch: its readings, its dead letters by raw topic and reason, how long it took.

        ``now`` (UTC microseconds) is its processing time.
        """
        for read in columns:
            self._readings.labels(read.parameter).inc(len(read.observed_at))
            self._late.observe((now - read.observed_at) / 1e6, read.parameter)
        for (topic, _reason), number in dead.items():
            self._dead.labels(topic).inc(number)
        self._batches.observe(seconds)

    def revised(self, partition: int, sent: Iterable[tuple[str, int]], left: int) -> None:
        """Count readings that were sent again, by parameter; tell how many records are left."""
        for parameter, number in sent:
            self._revised.labels(parameter).inc(number)
        self._unrevised.labels(partition).set(left)

    def low(self, parameter: str, number: int) -> None:
        """Count readings whose score is below the threshold."""
        self._low.labels(parameter).inc(number)

    def stand(self, partition: int, standings: Iterable[Standing]) -> None:
        """Take how the sensors of a partition are."""
        self._standings.partitions[partition] = tuple(standings)

    def forget(self, partition: int) -> None:
        """Tell no more of a partition that another worker has."""
        self._standings.partitions.pop(partition, None)
        with suppress(KeyError):
            self._unrevised.remove(partition)


class Standings(Collector):
    """Watermark ages and silent sensors by parameter, over the partitions of this worker."""

    def __init__(self, now: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self.partitions: dict[int, tuple[Standing, ...]] = {}
        self._now = now

    def collect(self) -> Iterable[Any]:
        """Give both gauges as they are at this moment."""
        age = GaugeMetricFamily(
            "aos_stream_watermark_age_seconds",
            "Age of the oldest of the newest readings of all sensors that are not silent.",
            labels=["parameter"],
        )
        silent = GaugeMetricFamily(
            "aos_stream_silent_sensors",
            "Sensors of which nothing has come for longer than their limit.",
            labels=["parameter"],
        )
        marks: dict[str, int] = {}
        numbers: Tally[str] = Tally()
        for standing in [each for known in list(self.partitions.values()) for each in known]:
            numbers[standing.parameter] += standing.silent
            if standing.watermark is not None:
                before = marks.get(standing.parameter, standing.watermark)
                marks[standing.parameter] = min(before, standing.watermark)
        for parameter, mark in marks.items():
            age.add_metric([parameter], (self._now() - mark) / 1e6)
        for parameter, number in numbers.items():
            silent.add_metric([parameter], number)
        return [age, silent]
