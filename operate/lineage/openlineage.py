"""Runs of jobs and stages as OpenLineage events: that they begin, go on, are done or have failed.

What is told is told beside the work: a server of
lineage that is away costs a line in the log, and never a reading.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from confluent_kafka.admin import AdminClient
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import RunFacet, error_message_run
from openlineage.client.transport import Transport
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport
from openlineage.client.transport.kafka import KafkaConfig, KafkaTransport
from openlineage.client.uuid import generate_new_uuid

from operate.lineage.datasets import Flow
from operate.settings import Settings
from runtime.kafka_topics import ensure_topics
from schemas.topics import TopicSpec

_LOG: Final = logging.getLogger("aos.lineage")
_PRODUCER: Final = f"urn:aos-stream:{version('aos-stream')}"
_TIMEOUT_SECONDS: Final = 3.0
_KEPT: Final = {"cleanup.policy": "delete", "retention.ms": str(30 * 24 * 3600 * 1000)}

Emit = Callable[[RunEvent], None]


class Teller:
    """Tells of one run; ``emit`` sends an event, and may fail at it."""

    def __init__(self, emit: Emit, namespace: str, job: str, flow: Flow) -> None:
        self._emit = emit
        self._job = Job(namespace, job)
        self._flow = flow
        self._run = str(generate_new_uuid())

    def tell(self, state: RunState, error: BaseException | None = None) -> None:
        """Say how the run is; of failure to say so only the log hears."""
        facets: dict[str, RunFacet] = {} if error is None else {"errorMessage": _message(error)}
        event = RunEvent(
            eventTime=datetime.now(UTC).isoformat(),
            producer=_PRODUCER,
            run=Run(self._run, facets),
            job=self._job,
            eventType=state,
            inputs=[InputDataset(*one) for one in self._flow.inputs],
            outputs=[OutputDataset(*one) for one in self._flow.outputs],
        )
        try:
            self._emit(event)
        except Exception as failed:  # noqa: BLE001 - whatever a transport raises, work goes on
            _LOG.warning("lineage was not told of %s: %s", self._job.name, failed)

    @contextmanager
    def telling(self, beat_seconds: float | None = None) -> Iterator[None]:
        """Tell of what is done within: its beginning, its end, and that it goes on meanwhile."""
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(over, beat_seconds), daemon=True)
        self.tell(RunState.START)
        if beat_seconds is not None:
            beating.start()
        try:
            yield
        except BaseException as error:
            self.tell(RunState.FAIL, error)
            raise
        else:
            self.tell(RunState.COMPLETE)
        finally:
            over.set()

    def _beat(self, over: threading.Event, seconds: float | None) -> None:
        while not over.wait(seconds):
            self.tell(RunState.RUNNING)


@contextmanager
def told(settings: Settings, job: str, flow: Flow, *, beats: bool) -> Iterator[None]:
    """Tell of what is done within as a run of ``job``.

    Raises:
        AosError: the topic for events cannot be made.
    """
    client = OpenLineageClient(transport=transport_of(settings))
    lineage = settings.lineage
    teller = Teller(client.emit, lineage.namespace, settings.topics.named(job), flow)
    try:
        with teller.telling(lineage.heartbeat_seconds if beats else None):
            yield
    finally:
        client.close(_TIMEOUT_SECONDS)


def transport_of(settings: Settings) -> Transport:
    """Make the way that the settings name."""
    lineage = settings.lineage
    if lineage.transport == "file":
        return FileTransport(FileConfig(lineage.file, append=True))
    if lineage.transport == "http":
        token = lineage.token.get_secret_value()
        given: dict[str, Any] = {"auth": ApiKeyTokenProvider({"apiKey": token})} if token else {}
        once = {"total": 1}
        config = HttpConfig(lineage.url, timeout=_TIMEOUT_SECONDS, retry=once, **given)
        return HttpTransport(config)
    topic = settings.topics.named(lineage.topic)
    client = settings.kafka.client(client_id="aos-lineage")
    spec = TopicSpec(topic, 1, None, dict(_KEPT))
    ensure_topics(AdminClient(settings.kafka.client()), [spec], settings.topics.replication)
    return KafkaTransport(KafkaConfig(client, topic))


def _message(error: BaseException) -> error_message_run.ErrorMessageRunFacet:
    return error_message_run.ErrorMessageRunFacet(str(error), "PYTHON")
