"""A Kafka transaction for each batch: outputs, state and input offsets, together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated

Result = TypeVar("Result")
Headers = list[tuple[str, str | bytes | None]]
_SECONDS: Final = 30.0


class Output(NamedTuple):
    """A record to be written; ``partition`` -1 leaves the choice to the key."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


class Transactions:
    """The transactions of one partition number, fenced by their transactional id.

    Opening it ends or aborts whatever a dead owner left behind, and fences that owner.
    """

    def __init__(self, kafka: KafkaSettings, transactional_id: str, timeout_seconds: float) -> None:
        timeout_ms = round(timeout_seconds * 1000)
        config = kafka.client(
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=timeout_ms,
            message_timeout_ms=timeout_ms,
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=5,
            # The default of 100 ms is waited in every second transaction (CONCURRENT_TRANSACTIONS).
            retry_backoff_ms=5,
            queue_buffering_max_messages=1_000_000,
        )
        self._id = transactional_id
        self._first_failure: KafkaError | None = None
        self._producer = Producer(config)
        _asked(lambda: self._producer.init_transactions(_SECONDS), f"opening {transactional_id}")

    def commit(
        self, outputs: Iterable[Output], positions: list[TopicPartition], group: Consumer
    ) -> None:
        """Write the outputs and move the group's positions, in one transaction.

        Raises:
            Transient: nothing was written; the same batch may be tried again.
            Fenced: another worker owns the partition by now.
            System: this producer is of no use any more.
        """
        self._producer.begin_transaction()
        try:
            self._write(outputs)
            metadata = group.consumer_group_metadata()
            send = self._producer.send_offsets_to_transaction
            _asked(lambda: send(positions, metadata, _SECONDS), f"{self._id}: sending offsets")
            self._raise_failure()
            _asked(lambda: self._producer.commit_transaction(_SECONDS), f"{self._id}: committing")
        except Transient:
            self._abort()
            raise

    def close(self) -> None:
        """Let go of the broker, unasked: what is still open is aborted by the next owner."""
        del self._producer

    def _write(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self._produce(output)
            self._raise_failure()

    def _produce(self, output: Output) -> None:
        while True:
            try:
                self._producer.produce(
                    output.topic,
                    value=output.value,
                    key=output.key,
                    partition=output.partition,
                    headers=output.headers,
                    on_delivery=self._on_delivery,
                )
            except BufferError:
                self._producer.poll(0.05)  # the queue is full: let some of it go
            else:
                self._producer.poll(0)
                return

    def _on_delivery(self, error: KafkaError | None, _message: object) -> None:
        if error is not None and self._first_failure is None:
            self._first_failure = error

    def _raise_failure(self) -> None:
        failure, self._first_failure = self._first_failure, None
        if failure is not None:
            raise translated(failure, f"{self._id}: delivering")

    def _abort(self) -> None:
        _asked(lambda: self._producer.abort_transaction(_SECONDS), f"{self._id}: aborting")
        self._first_failure = None


def _asked(call: Callable[[], Result], doing: str) -> Result:
    """Call librdkafka, again where it says that the same call may be repeated.

    Raises:
        AosError: it failed for good; which branch says whether the transaction may be tried again.
    """
    while True:
        try:
            return call()
        except KafkaException as error:
            if not error.args[0].retriable():
                raise translated(error, doing) from error
