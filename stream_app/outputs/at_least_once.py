"""At least once: readings are delivered, then state, then offsets; a crash may repeat a batch.

What is repeated must find the state that it found before, or it would be judged otherwise and win
by its higher revision. So the state goes out only when the readings are there, with the positions
behind them, and whoever restores it reads on from there, wherever the group's offsets stand. Tables
and compacted topics come out the same; only the clean topics hold some readings twice.
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
        state: str,
    ) -> None:
        self._id = f"{group_id}-{partition}"
        self._partition = partition
        self._commit_offsets = commit_offsets
        self._state = state
        self._producer = producer(kafka, self._id, timeout)
        self._outbox = Outbox(self._producer)

    def commit(self, outputs: Outputs, positions: Mapping[str, int]) -> None:
        """Write readings, then state, each until all is delivered; move the group's positions.

        Raises:
            Transient: some may have been written; the same batch may be tried again.
            Fenced: the partition is another worker's by now.
            System: this producer is of no use any more.
        """
        state = [bulk for bulk in outputs.bulks if bulk.topic == self._state]
        others = [bulk for bulk in outputs.bulks if bulk.topic != self._state]
        self._deliver(Outputs(others, outputs.singles))
        self._deliver(Outputs(state))
        if positions:
            self._commit_offsets(self._partition, positions)

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.close()

    def _deliver(self, outputs: Outputs) -> None:
        self._outbox.send(outputs)
        left = self._producer.flush(SECONDS)
        self._outbox.check(f"{self._id}: delivering")
        if left:
            self._drop()
            problem = f"{self._id}: {left} records were not delivered within {SECONDS:.0f} s"
            raise Transient(problem, mend="see whether the brokers are up")

    def _drop(self) -> None:
        """Take back what is still queued, since the batch that it belongs to comes again."""
        asked(self._producer.purge, f"{self._id}: taking back what was not delivered")
        self._producer.flush(0)
