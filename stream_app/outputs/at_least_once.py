"""At least once: every record delivered, then the offsets committed; a crash repeats a batch.

What is repeated has a higher revision than before and the same verdict, so tables and compacted
topics come out the same; only the clean topics hold some readings twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from stream_app.outputs.delivery import SECONDS, Outbox, Outputs, asked, producer

CommitOffsets = Callable[[int, Mapping[str, int]], None]
"""Commits the next offsets of one partition number, by topic, as a member of the group."""


class AtLeastOnce:
    """Delivers what the batches of one partition number leave behind, then commits offsets."""

    def __init__(
        self,
        kafka: KafkaSettings,
        group_id: str,
        partition: int,
        timeout: float,
        commit_offsets: CommitOffsets,
    ) -> None:
        self._id = f"{group_id}-{partition}"
        self._partition = partition
        self._commit_offsets = commit_offsets
        self._producer = producer(kafka, self._id, timeout)
        self._outbox = Outbox(self._producer)

    def commit(self, outputs: Outputs, positions: Mapping[str, int]) -> None:
        """Write the outputs, wait until all are delivered, then move the group's positions.

        Raises:
            Transient: some may have been written; the same batch may be tried again.
            Fenced: the partition is another worker's by now.
            System: this producer is of no use any more.
        """
        self._outbox.send(outputs)
        left = self._producer.flush(SECONDS)
        self._outbox.check(f"{self._id}: delivering")
        if left:
            self._drop()
            problem = f"{self._id}: {left} records were not delivered within {SECONDS:.0f} s"
            raise Transient(problem, mend="see whether the brokers are up")
        if positions:
            self._commit_offsets(self._partition, positions)

    def close(self) -> None:
        """Let go of the broker."""
        del self._producer, self._outbox

    def _drop(self) -> None:
        """Take back what is still queued, since the batch that it belongs to comes again."""
        asked(self._producer.purge, f"{self._id}: taking back what was not delivered")
        self._producer.flush(0)
        self._outbox = Outbox(self._producer)
