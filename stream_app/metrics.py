"""What the stream tells Prometheus: how much, how fast, how late, how good, and who is silent.

One batch costs a handful of calls for each parameter, whatever its size. Ages are worked out when
they are asked for, so they grow while nothing comes.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, Final, Protocol

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from runtime.metrics import Distribution
from stream_app.cleaned import CleanedColumns
from stream_app.outputs.records import Finished
from stream_app.silence.watch import Standing
from weather.qc.flags import FAIL, GOOD, SUSPECT, Flag

_BATCH_BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_LATE_BOUNDS: Final = (
    *(1.0, 5.0, 15.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 12 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY),
)
_QUEUE_BOUNDS: Final = (*(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0), _MINUTE, 5 * _MINUTE, _HOUR)
_SCORE_BOUNDS: Final = (0.0, 0.25, 0.5, 0.7, 0.9, 1.0)
_FLAGS: Final = {flag: flag.name.lower() for flag in Flag}
_PREFIX: Final = "flag_"


Count = Callable[[], None]
"""Adds what was counted to the metrics."""
Counts = Sequence[Count]


class Working(Protocol):
    """A worker, as far as its metrics go."""

    @property
    def partitions(self) -> int:
        """How many partitions are its own."""

    @property
    def batches(self) -> int:
        """How many batches it has that are not done yet."""


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
        self._flagged = Counter(
            "aos_stream_flagged_readings_total",
            "Verdicts sent, by aggregate flag; a reading that is sent again counts again.",
            ["parameter", "flag"],
            registry=registry,
        )
        self._issues = Counter(
            "aos_stream_issue_readings_total",
            "Verdicts sent in which a test found the reading suspect or failed, by test.",
            ["parameter", "test"],
            registry=registry,
        )
        self._corrected = Counter(
            "aos_stream_corrected_readings_total",
            "Verdicts sent of readings that cleaning changed.",
            ["parameter"],
            registry=registry,
        )
        self._unrevised = Gauge(
            "aos_stream_unrevised_records",
            "Raw records that are still to be read again for a change of metadata.",
            ["partition"],
            registry=registry,
        )
        self._queued = Distribution(
            "aos_stream_queue_seconds",
            "From the publishing of a raw reading to its processing.",
            ["parameter"],
            _QUEUE_BOUNDS,
        )
        self._scores = Distribution(
            "aos_stream_score_ratio", "Scores of readings, 0 to 1.", ["parameter"], _SCORE_BOUNDS
        )
        self._partitions = Gauge(
            "aos_stream_partitions", "Partitions that this worker owns.", registry=registry
        )
        self._buffered = Gauge(
            "aos_stream_buffered_batches",
            "Batches that are fetched and not done yet, over all partitions.",
            registry=registry,
        )
        self._standings = Standings()
        for own in (self._late, self._queued, self._scores):
            registry.register(own)
        registry.register(self._standings)

    def counted(
        self,
        heard: Iterable[CleanedColumns],
        finished: Iterable[Finished],
        dead: Mapping[tuple[str, str], int],
        now: int,
    ) -> Counts:
        """Count a batch: its readings, its verdicts, its dead letters by raw topic and reason.

        ``now`` (UTC microseconds) is its processing time. It is told of by :meth:`committed`; until
        then the readings themselves need not be held.
        """
        return [
            *chain.from_iterable(self._read(one, now) for one in heard),
            *chain.from_iterable(self._judged(one) for one in finished),
            *(partial(self._dead.labels(topic).inc, n) for (topic, _reason), n in dead.items()),
        ]

    def committed(self, counts: Counts, seconds: float) -> None:
        """Tell of a batch whose transaction is committed, and how long it took."""
        for count in counts:
            count()
        self._batches.observe(seconds)

    def _read(self, read: CleanedColumns, now: int) -> Iterator[Count]:
        yield partial(self._readings.labels(read.parameter).inc, len(read.observed_at))
        yield self._late.observed((now - read.observed_at) / 1e6, read.parameter)
        yield self._queued.observed((now - read.published_at) / 1e6, read.parameter)

    def _judged(self, one: Finished) -> Iterator[Count]:
        """Count verdicts: what they say, why, and what they are worth."""
        if one.worth is None:
            return
        parameter, gone = one.judged.parameter, one.judged.deleted
        rows = ~gone if gone.any() else slice(None)
        for flag, number in enumerate(np.bincount(one.worth.flag[rows])):
            if number:
                yield partial(self._flagged.labels(parameter, _FLAGS[Flag(flag)]).inc, int(number))
        # No test finds fault with a reading that is good, unless a person says that it is.
        odd = ~gone if one.judged.hands else (one.worth.flag != GOOD) & ~gone
        faulty = np.flatnonzero(odd)
        for field, column in {**one.judged.own_flags, **one.flags}.items():
            kept = column[faulty]
            found = int(np.count_nonzero((kept == SUSPECT) | (kept == FAIL)))
            if found:
                test = field.removeprefix(_PREFIX)
                yield partial(self._issues.labels(parameter, test).inc, found)
        changed = int(np.count_nonzero(one.judged.corrections[rows]))
        yield partial(self._corrected.labels(parameter).inc, changed)
        score = one.worth.score[rows]
        yield self._scores.observed(score[~np.isnan(score)], parameter)
        yield partial(self.low, parameter, int(np.count_nonzero(one.worth.alerted)))

    def work(self, worker: Working) -> None:
        """Tell from now on what a worker has to do."""
        self._partitions.set_function(lambda: worker.partitions)
        self._buffered.set_function(lambda: worker.batches)

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
