"""What leaves the stream, and the producer that carries it: nothing undelivered goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer

from runtime.kafka import KafkaSettings, translated
from schemas.topics import MOST_DEAD_LETTER_BYTES

Result = TypeVar("Result")
Headers = list[tuple[str, str | bytes | None]]
Message = dict[str, Any]
"""``key`` and ``value``, in the form that ``Producer.produce_batch`` takes."""

SECONDS: Final = 30.0
_QUEUE_FULL: Final = KafkaError._QUEUE_FULL  # noqa: SLF001 - confluent-kafka's only name for it
_BREATH_SECONDS: Final = 0.05


class Bulk(NamedTuple):
    """Records for one partition of a topic; partition -1 leaves the choice to each key."""

    topic: str
    partition: int
    messages: list[Message]


class Single(NamedTuple):
    """A record with headers, its partition chosen by its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a batch leaves behind, in order."""

    bulks: list[Bulk] = field(default_factory=list)
    singles: list[Single] = field(default_factory=list)


class Delivery(Protocol):
    """How the outputs of a partition's batches and its positions come to Kafka."""

    def commit(self, outputs: Outputs, positions: Mapping[str, int]) -> None:
        """Write the outputs, then the next offset of each input topic.

        Raises:
            Transient: the same batch may be tried again.
            Fenced: another worker owns the partition by now.
            System: this process can go on no more.
        """

    def close(self) -> None:
        """Let go of the broker."""


def producer(kafka: KafkaSettings, client_id: str, timeout_seconds: float, **more: Any) -> Producer:
    """Make an idempotent producer that gives up a record after ``timeout_seconds``."""
    return Producer(
        kafka.client(
            client_id=client_id,
            message_timeout_ms=round(timeout_seconds * 1000),
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=5,
            batch_size=1 << 20,
            message_max_bytes=MOST_DEAD_LETTER_BYTES,
            queue_buffering_max_messages=1_000_000,
            delivery_report_only_error=True,
            **more,
        )
    )


class Outbox:
    """Hands outputs to a producer, and remembers the first that could not be delivered."""

    def __init__(self, made: Producer) -> None:
        self._producer = made
        self._failure: KafkaError | None = None

    def send(self, outputs: Outputs) -> None:
        """Queue every output; a full queue is waited for.

        Raises:
            AosError: the producer refuses a record.
        """
        try:
            for bulk in outputs.bulks:
                self._send_bulk(bulk)
            for single in outputs.singles:
                self._send_single(single)
        except KafkaException as error:
            raise translated(error, "sending") from error

    def check(self, doing: str) -> None:
        """Forget the first failure, and raise it.

        Raises:
            AosError: something sent since the last call was not delivered.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise translated(failure, doing)

    def _send_bulk(self, bulk: Bulk) -> None:
        left = bulk.messages
        while left:
            self._producer.produce_batch(
                bulk.topic, left, partition=bulk.partition, on_delivery=self._note
            )
            left = _without_room(left)
            self._producer.poll(_BREATH_SECONDS if left else 0)

    def _send_single(self, single: Single) -> None:
        topic, key, value, headers = single
        while True:
            try:
                self._producer.produce(
                    topic, value=value, key=key, headers=headers, on_delivery=self._note
                )
            except BufferError:
                self._producer.poll(_BREATH_SECONDS)
            else:
                return

    def _note(self, error: KafkaError | None, _message: object) -> None:
        if error is not None and self._failure is None:
            self._failure = error


def _without_room(messages: list[Message]) -> list[Message]:
    """Give those that a full queue left out, in their order, ready to be queued again."""
    left = [message for message in messages if "_error" in message]
    for message in left:
        error = message.pop("_error")
        if error.code() != _QUEUE_FULL:
            raise KafkaException(error)
    return left


def asked(call: Callable[[], Result], doing: str) -> Result:
    """Call librdkafka, again where it says that the same call may be repeated.

    Raises:
        AosError: it failed for good; which branch says whether the batch may be tried again.
    """
    while True:
        try:
            return call()
        except KafkaException as error:
            if not error.args[0].retriable():
                raise translated(error, doing) from error


def bulk(topic: str, partition: int, records: Iterable[tuple[bytes | None, bytes | None]]) -> Bulk:
    """Make a bulk of keys and values.

    >>> bulk("t", 0, [(b"k", b"v")]).messages
    [{'key': b'k', 'value': b'v'}]
    """
    return Bulk(topic, partition, [{"key": key, "value": value} for key, value in records])
