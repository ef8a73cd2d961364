"""One partition number of all raw topics: its positions, its state, its transactions."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.retry import Backoff, retry
from schemas.codec import Decoder
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.judging.decoding import RawDecoder
from stream_app.judging.judge import DeadLetter, Judge, Verdicts
from stream_app.metadata.reference import Reference
from stream_app.outputs.records import STATE_SCHEMAS, Outputs
from stream_app.outputs.transaction import Transactions
from stream_app.settings import StreamSettings
from stream_app.transport.batch import Batch
from stream_app.transport.positions import committed_positions
from stream_app.window.state import Overlay, State, schema_of_key

_LOG: Final = logging.getLogger("aos.stream.partition")
# A broker or registry that is away comes back: the consumer stays in its group and tries on.
_PATIENT: Final = Backoff(tries=10**9, first=0.3, most=30.0)


@dataclass(frozen=True, slots=True)
class Tools:
    """What all partitions of a worker share."""

    settings: StreamSettings
    kafka: KafkaSettings
    topics: Topics
    registry: Registry
    group: Consumer
    """An idle member of nothing, asked for committed offsets and the group's metadata."""
    reference: Reference
    decoder: RawDecoder
    outputs: Outputs
    judge: Judge
    now: Callable[[], int] = lambda: time.time_ns() // 1000


class Partition:
    """A partition number that this worker owns, from :meth:`open` until :meth:`close`."""

    def __init__(self, number: int, tools: Tools, transactions: Transactions) -> None:
        self.number = number
        self.positions = committed_positions(tools.group, tools.decoder.topics, number)
        self._tools = tools
        self._transactions = transactions
        self._state = restored(tools, number)
        self._closing = threading.Event()

    @classmethod
    def open(cls, number: int, tools: Tools) -> Partition:
        """Fence whoever had the partition, then read positions and state: in this order.

        Raises:
            System: a position lies outside the log.
            Transient: the broker does not answer.
        """
        transactional_id = f"{tools.settings.group}-{number}"
        timeout = tools.settings.transaction_timeout_seconds
        return cls(number, tools, Transactions(tools.kafka, transactional_id, timeout))

    def process(self, fetched: Batch) -> int:
        """Judge a batch and commit it; give the number of its readings.

        What fails for the moment is tried again, for as long as the partition is ours.

        Raises:
            Fenced: it is not ours any more.
            System: its transaction cannot go on in this process.
        """
        batch = fetched.after(self.positions)
        if not len(batch):
            return 0
        retry(lambda: self._attempt(batch), _PATIENT, self._closing, self._tell)
        self.positions.update(batch.next_positions())
        return len(batch)

    def interrupt(self) -> None:
        """Let a batch that waits for a better moment give up now."""
        self._closing.set()

    def close(self) -> None:
        """Let go of the partition; no batch of it may be running."""
        self._transactions.close()

    def _attempt(self, batch: Batch) -> None:
        overlay = self._state.overlay()
        verdicts = self._judged(batch, overlay)
        outputs = self._tools.outputs.of(batch, verdicts, overlay)
        positions = [
            TopicPartition(topic, self.number, offset)
            for topic, offset in batch.next_positions().items()
        ]
        self._transactions.commit(outputs, positions, self._tools.group)
        overlay.commit()
        self._tell_of_the_dead(verdicts)

    def _judged(self, batch: Batch, overlay: Overlay) -> Verdicts:
        tools = self._tools
        tools.reference.catch_up()
        dead: list[DeadLetter] = []
        verdicts = Verdicts([], dead)
        for parameter, rows in tools.decoder.rows(batch, dead).items():
            judged = tools.judge.judge(parameter, rows, overlay, tools.now())
            verdicts.clean.extend(judged.clean)
            verdicts.dead.extend(judged.dead)
        return verdicts

    def _tell_of_the_dead(self, verdicts: Verdicts) -> None:
        counted = Counter((dead.raw.topic, dead.error.reason) for dead in verdicts.dead)
        for (topic, reason), number in counted.items():
            _LOG.warning(
                "%d records of %s could not be used: %s",
                number,
                topic,
                reason,
                extra={"topic": topic, "partition": self.number, "reason": reason},
            )

    def _tell(self, error: Transient, wait: float) -> None:
        context = {"partition": self.number, "wait_seconds": round(wait, 3)}
        _LOG.warning("batch will be tried again: %s", error, extra=context)


def restored(tools: Tools, number: int) -> State:
    """Read a partition's state back from its topic."""
    state = State(tools.settings.generation)
    decoders = {name: Decoder(name, tools.registry.schema_of) for name in STATE_SCHEMAS}
    for message in read_to_end(tools.kafka, tools.topics.state, number):
        key = (message.key() or b"").decode()
        state.restore(key, decoders[schema_of_key(key)](message.value()))
    return state
