"""What leaves the stream, and the producer that carries it: nothing undelivered goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException

from runtime.bulk_producer import BulkProducer, Header
from runtime.kafka import KafkaSettings, translated
from schemas.columnar import Keyed, Strings
from schemas.topics import MOST_DEAD_LETTER_BYTES

Result = TypeVar("Result")
SECONDS: Final = 30.0


class Bulk(NamedTuple):
    """Records for one partition of a topic; partition -1 leaves the choice to each key."""

    topic: str
    partition: int
    messages: Keyed


class Sending(Protocol):
    """What is needed of :class:`runtime.bulk_producer.BulkProducer`."""

    failure: KafkaError | None

    def produce(self, topic: str, keys: Strings, values: Strings, partition: int) -> None:
        """Queue messages; where there is no room, wait until some are delivered."""

    def produce_one(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> None:
        """Queue one message with headers."""


class Single(NamedTuple):
    """A record with headers, its partition chosen by its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header]


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


def producer(
    kafka: KafkaSettings, client_id: str, timeout_seconds: float, **more: Any
) -> BulkProducer:
    """Make an idempotent producer that gives up a record after ``timeout_seconds``."""
    return BulkProducer(
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
    """Hands outputs to a producer; what could not be delivered is told once."""

    def __init__(self, made: Sending) -> None:
        self._producer = made

    def send(self, outputs: Outputs) -> None:
        """Queue every output; a full queue is waited for.

        Raises:
            AosError: the producer refuses a record.
        """
        self._producer.failure = None
        try:
            for topic, partition, messages in outputs.bulks:
                self._producer.produce(topic, messages.keys, messages.values, partition)
            for single in outputs.singles:
                self._producer.produce_one(*single)
        except KafkaException as error:
            raise translated(error, "sending") from error

    def check(self, doing: str) -> None:
        """Forget the first failure, and raise it.

        Raises:
            AosError: something that was sent was not delivered.
        """
        failure, self._producer.failure = self._producer.failure, None
        if failure is not None:
            raise translated(failure, doing)


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

    >>> bulk("t", 0, [(b"k", b"v")]).messages.pairs()
    [(b'k', b'v')]
    """
    return Bulk(topic, partition, Keyed.of(records))
