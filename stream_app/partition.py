"""One partition number of all raw topics: its positions, its state, its batches."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.retry import Backoff, retry
from schemas.codec import Decoder
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.judging.decoding import DeadLetter, RawDecoder
from stream_app.judging.judge import Judge
from stream_app.metadata.reference import Reference
from stream_app.outputs.delivery import Delivery
from stream_app.outputs.records import STATE_SCHEMAS, Recorder
from stream_app.settings import StreamSettings
from stream_app.transport.batch import Batch
from stream_app.transport.positions import committed_positions
from stream_app.window.state import State, schema_of_key

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
    judge: Judge
    now: Callable[[], int] = lambda: time.time_ns() // 1000


class Partition:
    """A partition number that this worker owns, from :meth:`open` until :meth:`close`."""

    def __init__(self, number: int, tools: Tools, delivery: Delivery) -> None:
        self.number = number
        self.positions = committed_positions(tools.group, tools.topics.all_raw(), number)
        self._tools = tools
        self._delivery = delivery
        self._decoder = RawDecoder(tools.topics, tools.registry)
        ruleset = tools.judge.ruleset.version
        self._recorder = Recorder(number, tools.topics, tools.registry, ruleset)
        self._state = restored(tools, number)
        self._closing = threading.Event()

    @classmethod
    def open(cls, number: int, tools: Tools, delivery: Callable[[int], Delivery]) -> Partition:
        """Fence whoever had the partition, then read positions and state: in this order.

        To make a delivery is to fence; ``delivery`` makes that of a partition number.

        Raises:
            System: a position lies outside the log.
            Transient: the broker does not answer.
        """
        return cls(number, tools, delivery(number))

    def process(self, fetched: Batch) -> int:
        """Judge a batch and commit it; give the number of its readings.

        What fails for the moment is tried again, for as long as the partition is ours. A batch that
        fails for good closes the partition: what comes behind it must not be committed.

        Raises:
            Fenced: it is not ours any more.
            System: its outputs cannot be committed by this process.
        """
        batch = fetched.after(self.positions)
        if self._closing.is_set() or not len(batch):
            return 0
        try:
            retry(lambda: self._attempt(batch), _PATIENT, self._closing, self._tell)
        except BaseException:
            self._closing.set()
            raise
        self.positions.update(batch.next_positions())
        return len(batch)

    def interrupt(self) -> None:
        """Let a batch that waits for a better moment give up now, and begin none any more."""
        self._closing.set()

    def close(self) -> None:
        """Let go of the partition; no batch of it may be running."""
        self._delivery.close()

    def _attempt(self, batch: Batch) -> None:
        tools, dead = self._tools, list[DeadLetter]()
        tools.reference.catch_up(batch.fetched_at)
        overlay = self._state.overlay()
        judged = tools.judge.judged(self._decoder.decoded(batch, dead), overlay, dead)
        outputs = self._recorder.outputs(batch, judged, dead, overlay, tools.now())
        self._delivery.commit(outputs, batch.next_positions())
        overlay.commit()
        self._tell_of_the_dead(dead)

    def _tell_of_the_dead(self, dead: Iterable[DeadLetter]) -> None:
        counted = Counter((letter.raw.topic, letter.error.reason) for letter in dead)
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
