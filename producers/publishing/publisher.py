"""One transaction for each page: what was read and where the source then stands, or neither.

The transactional id is the source's name. Whoever initialises it last is at work; the broker
refuses every earlier instance from then on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, Protocol

from confluent_kafka import KafkaError, KafkaException

from producers.publishing.messages import Batch
from runtime.bulk_producer import BulkProducer
from runtime.kafka import KafkaSettings, translated
from schemas.columnar import Strings
from schemas.topics import Topics

_LOGGER: Final = logging.getLogger("aos.source")
_TRANSACTION_SECONDS: Final = 20
_WAIT_SECONDS: Final = 30.0


class Transactions(Protocol):
    """What is needed of :class:`runtime.bulk_producer.BulkProducer`."""

    @property
    def failure(self) -> KafkaError | None:
        """Why the first message was not delivered that was not."""

    def init_transactions(self, seconds: float) -> None:
        """Become the one instance with this identity."""

    def begin_transaction(self) -> None:
        """Open a transaction."""

    def produce(self, topic: str, keys: Strings, values: Strings) -> None:
        """Queue messages; where there is no room, wait until some are delivered."""

    def commit_transaction(self, seconds: float) -> None:
        """Deliver what is queued and commit."""

    def abort_transaction(self, seconds: float) -> None:
        """Take everything back."""

    def close(self) -> None:
        """Let go of the broker."""


def transactional_id(topics: Topics, source: str) -> str:
    """Name the identity under which a source writes.

    >>> transactional_id(Topics(), "sample"), transactional_id(Topics(namespace="lab"), "sample")
    ('aos-source-sample', 'lab.aos-source-sample')
    """
    return topics.named(f"aos-source-{source}")


def producer(kafka: KafkaSettings, identity: str, most_messages: int) -> Transactions:
    """Make the producer of a source, with room for a page of ``most_messages`` messages."""
    return BulkProducer(
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

    def take_over(self) -> None:
        """Shut out every earlier instance, and settle what it left open.

        Raises:
            Transient: the broker is not ready for it.
        """
        try:
            self._transactions.init_transactions(_WAIT_SECONDS)
        except KafkaException as error:
            raise translated(error, "taking over as the source") from error

    def publish(self, batches: Iterable[Batch]) -> None:
        """Publish everything, or nothing.

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
                self._transactions.produce(topic, messages.keys, messages.values)
            self._transactions.commit_transaction(_WAIT_SECONDS)
            self._open = False
        except KafkaException as error:
            raise translated(self._transactions.failure or error, "publishing a page") from error

    def close(self) -> None:
        """Take back what is open, so that no reader has to wait for its end."""
        if self._open:
            self._abort()
        self._transactions.close()

    def _abort(self) -> None:
        self._open = False
        try:
            self._transactions.abort_transaction(_WAIT_SECONDS)
        except KafkaException as error:
            _LOGGER.info("the open transaction is left to the broker: %s", error.args[0].str())
