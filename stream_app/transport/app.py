"""The Faust app: one agent over batches of all raw topics."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import faust
from aiokafka.helpers import create_ssl_context
from mode.supervisors import CrashingSupervisor

from runtime.kafka import KafkaSettings
from schemas.topics import Topics
from stream_app.settings import StreamSettings
from stream_app.transport.consumer import BatchApp, BatchSchema
from stream_app.transport.filling import Filling

_EVENTS: Final = 64
"""Batches on their way to their partitions' queues; those hold back the fetching, not this."""


def build_app(settings: StreamSettings, kafka: KafkaSettings, topics: Topics) -> BatchApp:
    """Make the app; its ``owner`` is set before it starts, and gives the agent its work."""
    app = BatchApp(
        settings.group,
        broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 5,
        broker_max_poll_records=1,  # what the fetcher gives is columns of many
        # Faust makes a folder for tables, though we have none; not where the process was started.
        datadir=str(Path(tempfile.gettempdir()) / "aos-faust"),
        consumer_auto_offset_reset="none",
        consumer_max_fetch_size=settings.fetch_bytes,
        consumer_group_instance_id=settings.instance or None,
        stream_buffer_maxsize=_EVENTS,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=topics.partitions,
        web_enabled=False,
    )
    # No acks: offsets are committed by the transactions of the batches and by nothing else.
    source = app.topic(*topics.all_raw(), schema=BatchSchema(), acks=False)

    # An agent that is started anew goes on behind the batch in which it failed: that would be lost.
    @app.agent(source, name="aos.stream.readings", supervisor_strategy=CrashingSupervisor)
    async def readings(stream: Any) -> None:
        async for event in stream.noack().events():
            app.owner.process(event.value)

    app.filling = Filling(settings.batch_records, settings.batch_bytes)
    app.most_fetched_bytes = settings.most_fetched_bytes
    return app


def _credentials(kafka: KafkaSettings) -> Any:
    context = _ssl_context(kafka)
    if kafka.username:
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value(),
            mechanism=kafka.sasl_mechanism or "SCRAM-SHA-512",
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    if "SSL" not in kafka.security_protocol:
        return None
    return create_ssl_context(cafile=str(kafka.ca_file) if kafka.ca_file else None)
