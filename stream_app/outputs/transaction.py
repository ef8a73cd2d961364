"""Exactly once: a Kafka transaction for each batch; outputs, state and offsets, or none of them."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from stream_app.outputs.delivery import SECONDS, Outbox, Outputs, asked, producer


class Transactions:
    """The transactions of one partition number, fenced by their transactional id.

    Opening it ends or aborts whatever a dead owner left behind, and fences that owner.
    """

    def __init__(self, kafka: KafkaSettings, group: str, partition: int, timeout: float) -> None:
        self._id = f"{group}-{partition}"
        self._partition = partition
        self._group = group
        self._producer = producer(
            kafka,
            self._id,
            timeout,
            transactional_id=self._id,
            transaction_timeout_ms=round(timeout * 1000),
            # The default of 100 ms is waited in every second transaction (CONCURRENT_TRANSACTIONS).
            retry_backoff_ms=5,
        )
        self._outbox = Outbox(self._producer)
        asked(lambda: self._producer.init_transactions(SECONDS), f"opening {self._id}")

    def commit(self, outputs: Outputs, positions: Mapping[str, int]) -> None:
        """Write the outputs and move the group's positions, in one transaction.

        Raises:
            Transient: nothing was written; the same batch may be tried again.
            Fenced: another worker owns the partition by now.
            System: this producer is of no use any more.
        """
        next_ = {(topic, self._partition): at for topic, at in positions.items()}
        asked(self._producer.begin_transaction, f"{self._id}: beginning")
        try:
            self._outbox.send(outputs)
            if next_:
                self._send_positions(next_)
            self._outbox.check(f"{self._id}: delivering")
            asked(lambda: self._producer.commit_transaction(SECONDS), f"{self._id}: committing")
        except Transient:
            self._abort()
            self._outbox.check(f"{self._id}: delivering")  # it knows more than the commit said
            raise

    def close(self) -> None:
        """Let go of the broker, unasked: what is still open is aborted by the next owner."""
        self._producer.close()

    def _send_positions(self, positions: Mapping[tuple[str, int], int]) -> None:
        send = self._producer.send_offsets
        asked(lambda: send(self._group, positions, SECONDS), f"{self._id}: sending offsets")

    def _abort(self) -> None:
        asked(lambda: self._producer.abort_transaction(SECONDS), f"{self._id}: aborting")
