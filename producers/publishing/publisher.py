"""One transaction for each page: what was read and where the source then stands, or neither.

The transactional id is the source's name. Whoever initialises it last is at work; the broker
refuses every earlier instance from then on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from producers.publishing.messages import Batch, Message
from runtime.errors import System
from runtime.kafka import KafkaSettings, translated
from schemas.topics import Topics

_LOGGER: Final = logging.getLogger("aos.source")
_TRANSACTION_SECONDS: Final = 20
_WAIT_SECONDS: Final = 30.0
_QUEUE_FULL: Final = KafkaError._QUEUE_FULL  # noqa: SLF001 - confluent-kafka's only name for it
_TIMED_OUT: Final = KafkaError._TIMED_OUT  # noqa: SLF001 - confluent-kafka's only name for it


Delivered = Callable[[KafkaError | None, Any], None]


class Transactions(Protocol):
    """What is needed of confluent-kafka's Producer."""

    def init_transactions(self, timeout: float) -> None:
        """Become the one instance with this identity."""

    def begin_transaction(self) -> None:
        """Open a transaction."""

    def produce_batch(self, topic: str, messages: list[Message], *, on_delivery: Delivered) -> int:
        """Queue messages; give how many found room."""

    def flush(self, timeout: float) -> int:
        """Wait until what is queued is delivered or given up; give how many are left."""

    def commit_transaction(self, timeout: float) -> None:
        """Deliver what is queued and commit."""

    def abort_transaction(self, timeout: float) -> None:
        """Take everything back."""


def transactional_id(topics: Topics, source: str) -> str:
    """Name the identity under which a source writes.

    >>> transactional_id(Topics(), "sample"), transactional_id(Topics(namespace="lab"), "sample")
    ('aos-source-sample', 'lab.aos-source-sample')
    """
    return topics.named(f"aos-source-{source}")


def producer(kafka: KafkaSettings, identity: str, most_messages: int) -> Transactions:
    """Make the producer of a source, with room for a page of ``most_messages`` messages."""
    return Producer(
        kafka.client(
            transactional_id=identity,
            transaction_timeout_ms=_TRANSACTION_SECONDS * 1000,
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=5,
            batch_size=1 << 20,
            retry_backoff_ms=5,
            queue_buffering_max_messages=max(100_000, 2 * most_messages),
            queue_buffering_max_kbytes=1 << 20,
            delivery_report_only_error=True,
        )
    )


class Publisher:
    """Publishes batches, each call in a transaction of its own.

    After an error it is of no further use: whether the transaction was committed may be unknown,
    and only a new publisher with the same identity settles that.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._open = False
        self._undelivered: KafkaError | None = None

    def take_over(self) -> None:
        """Shut out every earlier instance, and settle what it left open.

        Raises:
            Transient: the broker is not ready for it.
        """
        try:
            self._transactions.init_transactions(_WAIT_SECONDS)
        except KafkaException as error:
            raise translated(error, "taking over as the source") from error

    def publish(self, batches: Iterable[Batch], queued: Callable[[], None] = lambda: None) -> None:
        """Publish everything, or nothing; ``queued`` is called before the wait for the commit.

        A page may have more messages than the producer's queue has room for.

        Raises:
            Fenced: a newer instance is at work.
            System: a message is refused, by its size for instance.
            Transient: it may have been published or not; a new publisher will tell.
        """
        try:
            self._transactions.begin_transaction()
            self._open = True
            for topic, messages in batches:
                self._queue(topic, messages)
            queued()
            self._transactions.commit_transaction(_WAIT_SECONDS)
            self._open = False
        except KafkaException as error:
            raise translated(self._undelivered or error, "publishing a page") from error

    def close(self) -> None:
        """Take back what is open, so that no reader has to wait for its end."""
        if not self._open:
            return
        try:
            self._transactions.abort_transaction(_WAIT_SECONDS)
        except KafkaException as error:
            _LOGGER.info("the open transaction is left to the broker: %s", error.args[0].str())

    def _queue(self, topic: str, messages: list[Message]) -> None:
        """Queue messages; what finds no room waits until those before it are delivered."""
        while self._queued(topic, messages) < len(messages):
            messages = _without_room(topic, messages)
            left = self._transactions.flush(_WAIT_SECONDS)
            if left or self._undelivered:
                raise KafkaException(self._undelivered or KafkaError(_TIMED_OUT))

    def _queued(self, topic: str, messages: list[Message]) -> int:
        return self._transactions.produce_batch(topic, messages, on_delivery=self._note)

    def _note(self, error: KafkaError | None, _message: object) -> None:
        if error is not None and self._undelivered is None:
            self._undelivered = error


def _without_room(topic: str, messages: list[Message]) -> list[Message]:
    """Give those that a full queue left out, in their order, ready to be queued again.

    Raises:
        System: one is left out for another reason.
    """
    left = [
        (error, message)
        for message in messages
        if (error := message.pop("_error", None)) is not None
    ]
    for error, _message in left:
        if error.code() != _QUEUE_FULL:
            problem = f"{topic}: a message is not taken: {error.str()}"
            raise System(problem, mend="see what the broker and kafka's settings allow")
    return [message for _error, message in left]
