"""The sink as a stage: checks what it needs, loads until it is told to stop, drains."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from runtime.control.helm import Helm
from runtime.control.orders import Task
from runtime.errors import Transient
from runtime.kafka import KafkaSettings, check_reachable
from runtime.kafka_topics import ensure_topics
from runtime.memory import give_back_from
from runtime.metrics import new_registry, served
from schemas.codec import Decoder
from schemas.registry import Registry, RegistrySettings
from schemas.topics import PARAMETERS, Topics, TopicSpec
from sink.batch import Counts
from sink.broker import Broker
from sink.consumer import Progress, Silent, SinkConsumer
from sink.database import Database
from sink.dead_letters import DeadLetterTopic
from sink.destination import Destination, Destinations
from sink.loading import Loaded, Loader
from sink.metadata import SensorTable
from sink.metrics import SinkMetrics
from sink.migrate import check_migrated
from sink.pipeline import Pipeline
from sink.readings import ReadingTable
from sink.roles import Roles
from sink.settings import SinkSettings
from sink.turns import Turns
from sink.upkeep import bring_up_to_date

_LOGGER: Final = logging.getLogger("aos.sink")
_LOOK_SECONDS: Final = 1.0
_OBJECTS: Final = 100_000
_OBJECTS_A_ROW: Final = 10
"""More than the records of the batches under way."""
_LARGE_BYTES: Final = 1024 * 1024
_TURN_SECONDS: Final = 0.0002


@dataclass(slots=True)
class Summary:
    """What a run of the sink did."""

    batches: int
    counts: Counts


def run(
    settings: SinkSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
    *,
    once: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Load the clean topics and the metadata until ``stop`` is set; with ``once``, to their end.

    Setting ``stop`` drains: the batches under way are committed, what was only read is not.

    Raises:
        Configuration: no broker, no database, a wrong password, a missing right, a port in use.
        Fenced: another sink has taken over.
        System: records are lost that should have been loaded, or the database is broken.
    """
    give_back_from(_LARGE_BYTES)
    group = group_of(settings, topics)
    measured = new_registry()
    with (
        served(measured, settings.metrics_port, "sink.metrics_port", settings.metrics_host),
        _threads_in_turn(settings.batch_rows),
        ExitStack() as open_,
        closing(Registry(registry)) as schemas,
    ):
        databases = [
            open_.enter_context(closing(Database(settings))) for _ in range(settings.connections)
        ]
        database = databases[0]
        _check(settings, kafka, topics, database)
        schemas.check()
        dead_letters = DeadLetterTopic(kafka, topics.sink_dead_letters, group)
        turns = Turns()
        targets = destinations(settings, schemas, topics, turns)
        loaders = [Loader(each, group, targets, dead_letters) for each in databases]
        metrics = SinkMetrics(measured, database.breaker, settings.connections)
        tally = _Tally(progress or Silent(), metrics)
        pipeline = Pipeline(
            loaders[0].prepare,
            [loader.write for loader in loaders],
            turns,
            settings.retry_seconds,
            database.breaker,
            tally.waiting,
        )
        consumer = SinkConsumer(settings, kafka, group, list(targets), database, pipeline, tally)
        Helm.of(stop).show(group, lambda: [Task("load", tally.summary.counts.records)])
        _load(consumer, stop, once, tally)
    return tally.summary


def group_of(settings: SinkSettings, topics: Topics) -> str:
    """Name the consumer group, in the deployment's namespace.

    >>> group_of(SinkSettings(), Topics(namespace="lab"))
    'lab.aos-sink'
    """
    return topics.named(settings.group)


def destinations(
    settings: SinkSettings, schemas: Registry, topics: Topics, turns: Turns
) -> Destinations:
    """Say where the records of each topic go."""
    readings: dict[str, Destination[Any]] = {
        topics.clean(p): ReadingTable(p, schemas.schema_of, settings.conflict, turns=turns)
        for p in PARAMETERS
    }
    return {**readings, topics.metadata: SensorTable(Decoder("sensor_metadata", schemas.schema_of))}


@contextmanager
def _threads_in_turn(batch_rows: int) -> Iterator[None]:
    """Let whoever feeds the database not wait for whoever makes the next batch ready.

    Looking for cycles among the records of a batch, of which none is part of one, took a quarter of
    the sink's CPU. A thread that wants to go on while another one computes waits 5 ms by default, a
    few times for each MiB, and the database with it.
    """
    before, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(max(_OBJECTS, _OBJECTS_A_ROW * batch_rows), *before[1:])
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(turn)


def _check(
    settings: SinkSettings, kafka: KafkaSettings, topics: Topics, database: Database
) -> None:
    check_reachable(kafka)
    database.check()
    if settings.migrate_at_start:
        bring_up_to_date(database, settings, Roles.of(settings, topics))
    else:
        check_migrated(database)
    ensure_topics(Broker(kafka).admin, _needed(topics), topics.replication)


def _needed(topics: Topics) -> list[TopicSpec]:
    """Give the topics that we read or write: whichever stage starts first creates them."""
    ours = {*map(topics.clean, PARAMETERS), topics.metadata, topics.sink_dead_letters}
    return [spec for spec in topics.specs() if spec.name in ours]


def _load(consumer: SinkConsumer, stop: threading.Event, once: bool, tally: _Tally) -> None:
    helm = Helm.of(stop)
    try:
        while not stop.is_set() and not (once and consumer.drained):
            consumer.step(paused=helm.paused)
            tally.look(consumer)
        consumer.finish()
    except Transient as error:
        if not stop.is_set():
            raise
        _LOGGER.warning("stopped before the last batch was loaded, it is read again: %s", error)
    finally:
        consumer.close()


class _Tally:
    """Counts, measures, and passes on."""

    def __init__(self, progress: Progress, metrics: SinkMetrics) -> None:
        self.summary = Summary(0, Counts())
        self._progress = progress
        self._metrics = metrics
        self._look_at = 0.0

    def loaded(self, batch: Loaded, lag: int) -> None:
        """Count a batch."""
        self.summary.batches += 1
        self.summary.counts += batch.total
        self._metrics.loaded(batch.counts, batch.seconds, batch.waited)
        self._progress.loaded(batch, lag)

    def look(self, consumer: SinkConsumer) -> None:
        """Measure the lag now and then."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_SECONDS
            self._metrics.behind(consumer.lag, consumer.partitions)

    def waiting(self, error: Transient) -> None:
        """Count it, and pass it on."""
        self._metrics.retried()
        self._progress.waiting(error)
