"""Running the stream as a process: checks at the start, a clean stop, an honest exit."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from runtime import scratch
from runtime.control.helm import Helm
from runtime.control.orders import Task
from runtime.errors import System
from runtime.kafka import KafkaSettings, check_reachable
from runtime.kafka_topics import ensure_topics
from runtime.memory import work_in_arrays
from runtime.metrics import new_registry, served
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from stream_app.again.desk import Ways
from stream_app.again.index import Index
from stream_app.again.reviser import Reviser
from stream_app.again.scan import Scan
from stream_app.again.wire import Wire as AgainWire
from stream_app.metadata.opening import judge_by, reference_now
from stream_app.metadata.reference import Reference
from stream_app.metrics import StreamMetrics
from stream_app.neighbours import agent
from stream_app.outputs.at_least_once import AtLeastOnce
from stream_app.outputs.delivery import Delivery
from stream_app.outputs.transaction import Transactions
from stream_app.settings import StreamSettings
from stream_app.silence.keeper import Wire, keeper_of
from stream_app.silence.watch import Rule
from stream_app.tools import Tools
from stream_app.transport.app import build_app
from stream_app.transport.consumer import BatchApp, committer
from stream_app.transport.recent import Archive
from stream_app.worker import ROUND_SECONDS, Worker

_LOG: Final = logging.getLogger("aos.stream")
_LOOK_SECONDS: Final = 0.2
_STOP_SECONDS: Final = 20.0
_SCRATCH_BYTES: Final = 48 * 1024 * 1024
"""Room for what a few batches leave behind, until it is committed (docs/decisions/0031)."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run of the stream did."""

    readings: int


def run(
    settings: StreamSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
) -> Summary:
    """Judge raw readings until ``stop`` is set, then finish the running transactions.

    Raises:
        Configuration: brokers or registry cannot be reached, topics do not fit, a port is taken.
        Fenced: another worker with the same identity has taken over.
        System: something broke that only a new process can mend.
    """
    if settings.neighbours:
        return Summary(agent.run(settings, kafka, registry, topics, stop).readings)
    work_in_arrays()
    scratch.hold(_SCRATCH_BYTES)
    check_reachable(kafka)
    settings = settings.model_copy(update={"group": topics.named(settings.group)})
    schemas = Registry(registry)
    schemas.check()
    with ExitStack() as open_:
        open_.callback(schemas.close)
        metrics = new_registry()
        where = settings.metrics_port, "stream.metrics_port", settings.metrics_host
        open_.enter_context(served(metrics, *where))
        tools = _tools(settings, kafka, schemas, topics, StreamMetrics(metrics), open_)
        return asyncio.run(_serve(tools, stop))


def _tools(
    settings: StreamSettings,
    kafka: KafkaSettings,
    registry: Registry,
    topics: Topics,
    metrics: StreamMetrics,
    open_: ExitStack,
) -> Tools:
    admin = AdminClient(kafka.client())
    ours = [*topics.stream_specs(), *topics.people_specs()]
    ensure_topics(admin, [*topics.source_specs(), *ours], topics.replication)
    registry.register(ours)
    reference = open_.enter_context(closing(reference_now(kafka, topics, registry)))
    group = Consumer(kafka.client(group_id=settings.group, isolation_level="read_committed"))
    return Tools(
        settings=settings,
        kafka=kafka,
        topics=topics,
        registry=registry,
        group=open_.enter_context(closing(group)),
        reference=reference,
        archive=open_.enter_context(closing(Archive(kafka))),
        judge=judge_by(reference, settings),
        keeper=partial(
            keeper_of,
            wire=Wire(topics, registry),
            rule=Rule(settings.silence_cadences, settings.silence_floor_seconds),
            sensors=reference.sensors,
        ),
        reviser=_revisers(settings, kafka, topics, registry, reference, open_),
        metrics=metrics,
    )


def _revisers(
    settings: StreamSettings,
    kafka: KafkaSettings,
    topics: Topics,
    registry: Registry,
    reference: Reference,
    open_: ExitStack,
) -> Callable[[int], Reviser]:
    """Make what makes a partition's reviser; the index is read in a thread of its own."""
    index = Index(kafka, topics, registry)
    pool = open_.enter_context(ThreadPoolExecutor(1, thread_name_prefix="index"))
    open_.callback(index.close)
    return partial(
        Reviser,
        wire=AgainWire(topics, registry),
        reference=reference,
        ways=Ways(lambda *asked: pool.submit(index.look, *asked), partial(Scan.over, kafka)),
        most=max(1, round(settings.again_records_per_second * ROUND_SECONDS)),
    )


async def _serve(tools: Tools, stop: threading.Event) -> Summary:
    failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def fail(error: BaseException) -> None:
        if not failure.done():
            failure.set_result(error)

    app = build_app(tools.settings, tools.kafka, tools.topics)
    helm = Helm.of(stop)
    app.owner = worker = Worker(tools, _deliveries(tools, app), fail, helm=helm)
    tools.metrics.work(worker)
    helm.show(tools.settings.group, lambda: [Task("judge", worker.readings)])
    await app.start()
    beside = [asyncio.create_task(one) for one in (worker.watch(), worker.revise())]
    try:
        await _until_stopped(app, stop, failure)
    finally:
        for task in beside:
            task.cancel()
        await _stopped(app, worker)
    if failure.done():
        raise failure.result()
    return Summary(worker.readings)


def _deliveries(tools: Tools, app: BatchApp) -> Callable[[int], Delivery]:
    """Make what gives each partition number its way out, as the settings promise."""
    settings, kafka = tools.settings, tools.kafka
    timeout = settings.transaction_timeout_seconds
    if settings.processing_guarantee == "exactly_once":
        return lambda number: Transactions(kafka, settings.group, number, timeout)
    commit = committer(app, asyncio.get_running_loop())
    state = tools.topics.state
    return lambda number: AtLeastOnce(kafka, settings.group, number, timeout, commit, state)


async def _until_stopped(
    app: BatchApp, stop: threading.Event, failure: asyncio.Future[BaseException]
) -> None:
    while not (stop.is_set() or failure.done()):
        await asyncio.wait([failure], timeout=_LOOK_SECONDS)
        if app.crashed and not failure.done():
            failure.set_result(_given_up(app.crash_reason))


async def _stopped(app: BatchApp, worker: Worker) -> None:
    _LOG.info("stopping: running transactions are finished first")
    try:
        await worker.stop()
    finally:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(app.stop(), _STOP_SECONDS)


def _given_up(reason: BaseException | None) -> System:
    problem = f"Faust gave up: {reason!r}"
    error = System(problem, mend="start the stream again: it goes on where it was")
    error.__cause__ = reason
    return error
