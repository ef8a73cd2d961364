"""Opening what the stream judges by, for whoever judges: tables read to their ends, and a judge."""

from __future__ import annotations

import logging
import threading
from typing import Final

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from runtime.retry import Backoff, retry
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.judging.judge import Judge
from stream_app.metadata.reference import Reference
from stream_app.settings import StreamSettings

_LOG: Final = logging.getLogger("aos.stream.reference")
_BEGINNING: Final = Backoff(tries=12, first=0.2, most=2.0)


def reference_now(
    kafka: KafkaSettings, topics: Topics, registry: Registry, backoff: Backoff = _BEGINNING
) -> Reference:
    """Give the tables that readings are judged by, read to their ends; whoever asks closes them.

    The leader of a topic that was just made may not know of it yet. Each try is made by clients of
    its own, since librdkafka may go by what it heard of the topic then for as long as it lives.

    Raises:
        Transient: the broker does not answer.
    """

    def read() -> Reference:
        reference = Reference(kafka, topics, registry)
        try:
            reference.catch_up_with_all()
        except Transient:
            reference.close()
            raise
        return reference

    return retry(read, backoff, threading.Event(), _said)


def judge_by(reference: Reference, settings: StreamSettings) -> Judge:
    """Make the judge that the stream has."""
    return Judge(
        reference.sensors,
        reference.mappings,
        reference.rulesets,
        future_tolerance_seconds=settings.future_tolerance_seconds,
        allowed=settings.corrections,
        validate=settings.validate_data,
        overrides=reference.overrides,
        turns=reference.turns,
    )


def _said(error: Transient, wait: float) -> None:
    _LOG.warning("tried again in %.1f s: %s", wait, error)
