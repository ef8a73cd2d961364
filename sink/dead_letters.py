"""Sending what cannot be loaded to the dead-letter topic, with its own key and bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from schemas.dead_letters import headers
from sink.destination import Reject

_PATIENCE_SECONDS: Final = 30.0


class DeadLetters(Protocol):
    """Takes what cannot be loaded."""

    def deliver(self, rejects: Iterable[Reject]) -> None:
        """Return once every one of them is safe.

        Raises:
            AosError: one is not; none may be given up on.
        """


class DeadLetterTopic:
    """Dead letters on Kafka: acknowledged by all replicas before the offsets move on."""

    def __init__(self, kafka: KafkaSettings, topic: str, connector: str) -> None:
        self._topic = topic
        self._connector = connector
        settings = kafka.client(enable_idempotence=True, delivery_timeout_ms=20_000)
        self._producer = Producer(settings)
        self._failure: KafkaError | None = None
        self._lock = threading.Lock()

    def deliver(self, rejects: Iterable[Reject]) -> None:
        """Send and wait; one at a time, for what fails is asked of the producer."""
        with self._lock:
            self._deliver(rejects)

    def _deliver(self, rejects: Iterable[Reject]) -> None:
        self._failure = None
        for reject in rejects:
            self._send(reject)
        left = self._producer.flush(_PATIENCE_SECONDS)
        if self._failure:
            raise translated(self._failure, f"sending dead letters to {self._topic}")
        if left:
            problem = f"{left} dead letters are not acknowledged by {self._topic}"
            raise Transient(problem, mend="see whether the brokers are up")

    def _send(self, reject: Reject) -> None:
        message = reject.message
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        context = headers(
            topic or "",
            -1 if partition is None else partition,
            -1 if offset is None else offset,
            reject.stage,
            reject.error,
            connector=self._connector,
        )
        try:
            self._produce(message.key(), message.value(), context)
        except BufferError:
            self._producer.flush(_PATIENCE_SECONDS)
            self._produce(message.key(), message.value(), context)
        except KafkaException as error:
            raise translated(error, f"sending a dead letter to {self._topic}") from error

    def _produce(
        self, key: bytes | None, value: bytes | None, context: list[tuple[str, bytes]]
    ) -> None:
        self._producer.produce(
            self._topic, value, key, headers=list(context), on_delivery=self._note
        )
        self._producer.poll(0)

    def _note(self, error: KafkaError | None, _message: object) -> None:
        self._failure = self._failure or error
