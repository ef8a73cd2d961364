"""One partition number of all raw topics: its positions, its state, its batches."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from runtime.errors import Transient
from runtime.memory import Trim
from runtime.retry import Backoff, retry
from stream_app.again.desk import Desk
from stream_app.again.reviser import Met
from stream_app.judging.decoding import DeadLetter, RawDecoder
from stream_app.judging.worth import Bar
from stream_app.metrics import Counts
from stream_app.outputs.delivery import Delivery, Outputs
from stream_app.outputs.records import Finished, Recorder
from stream_app.restoring import restored
from stream_app.silence.clock import clocks
from stream_app.silence.keeper import Told
from stream_app.step import Step
from stream_app.telling import is_followed, tell_judged
from stream_app.tools import Tools
from stream_app.transport.batch import Batch
from stream_app.transport.positions import committed_positions
from stream_app.transport.recent import Recent
from stream_app.window.state import Overlay

_LOG: Final = logging.getLogger("aos.stream.partition")
_LIVES: Final = 3
"""Timeouts of a transaction after which nobody hopes for its commit any more."""
_MANY_SERIES: Final = 2_000
"""From so many on, what is free between them is worth looking for."""
# A broker or registry that is away comes back: the consumer stays in its group and tries on.
_PATIENT: Final = Backoff(tries=10**9, first=0.3, most=30.0)


class _Made(NamedTuple):
    """What is left of a batch when it is judged: what is to be committed, and told of then."""

    outputs: Outputs
    told: Told
    met: Met
    counts: Counts
    lost: Counter[tuple[str, str]]
    followed: Sequence[Finished]
    """The readings themselves, where somebody follows them."""


class Partition:
    """A partition number that this worker owns, from :meth:`open` until :meth:`close`."""

    def __init__(self, number: int, tools: Tools, delivery: Delivery) -> None:
        self.number = number
        self.positions = committed_positions(tools.group, tools.topics.all_raw(), number)
        self._tools = tools
        self._delivery = delivery
        self._keeper = tools.keeper(number)
        self._reviser = tools.reviser(number)
        self._state = restored(tools, number, self._keeper, self._reviser)
        self._trim = Trim(_MANY_SERIES)
        self._untold: dict[str, int] = {}
        if tools.settings.processing_guarantee == "at_least_once":
            # The state may be ahead of the group: what it has seen must not be judged by it again.
            self._untold = ahead(self._state.positions, self.positions)
            self.positions.update(self._untold)
        self._bar = Bar(tools.settings.quality_policy, tools.settings.quality_threshold)
        self._recorder = Recorder(number, tools.topics, tools.registry, self._state, self._bar)
        self._recent = Recent(tools.settings.recent_bytes, tools.archive)
        decoder = RawDecoder(tools.topics, tools.registry)
        self._step = Step(number, tools.topics, decoder, tools.judge, self._recent)
        self._desk = Desk(
            self._state,
            self._step,
            self._recorder,
            self.positions,
            partial(self._commit, positions={}),
            tools.now,
        )
        self._closing = threading.Event()
        self._committing = math.inf

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
        self._reached(batch.next_positions())
        self._trim.grown(len(self._state.rings))
        return len(batch)

    def look(self) -> None:
        """Tell of the sensors that have fallen silent; no batch may be running.

        The group is told here of what a dead owner had done and could not say any more: where no
        further reading comes, no batch would, and all would look as if the stream were behind.

        Raises:
            Transient: they are told of by the next look.
            Fenced: the partition is not ours any more.
            System: nothing can be committed by this process.
        """
        if self._closing.is_set():
            return
        if self._untold:
            self._commit(Outputs(), self._untold)
            self._untold = {}
        ask = partial(clocks, self._tools.kafka, self.number)
        self._keeper.look(self.positions, ask, self._desk.commit)
        self._tools.metrics.stand(self.number, self._keeper.standing())

    @property
    def stuck(self) -> bool:
        """Whether a commit is under way for longer than any transaction lives.

        A broker that comes back after a while may leave librdkafka waiting without end.
        """
        most = _LIVES * self._tools.settings.transaction_timeout_seconds
        return time.monotonic() - self._committing > most

    @property
    def to_revise(self) -> bool:
        """Whether :meth:`revise` has anything to do."""
        return self._reviser.due

    def revise(self) -> None:
        """Send some readings again that are judged otherwise now; no batch may be running.

        Raises:
            Transient: they are sent by the next round.
            Fenced: the partition is not ours any more.
            System: nothing can be committed by this process.
        """
        if self._closing.is_set():
            return
        sent = self._reviser.round(self._desk)
        tally = [(one.judged.parameter, len(one.newest)) for one in sent]
        self._tools.metrics.revised(self.number, tally, self._reviser.left)

    def interrupt(self) -> None:
        """Let a batch that waits for a better moment give up now, and begin none any more."""
        self._closing.set()

    def close(self) -> None:
        """Let go of the partition; no batch of it may be running."""
        self._reviser.close()
        self._tools.metrics.forget(self.number)
        self._delivery.close()

    def _attempt(self, batch: Batch) -> None:
        """Judge a batch and commit it; what was judged is let go of before the broker is asked."""
        began = time.monotonic()
        self._tools.reference.catch_up(batch.fetched_at)
        overlay = self._state.overlay()
        overlay.positions.update(batch.next_positions())
        with self._tools.judging:
            made = self._made(batch, overlay)
        self._commit(made.outputs, batch.next_positions())
        overlay.commit()
        self._recent.keep(batch)
        self._keeper.told(made.told)
        self._reviser.met(made.met)
        self._tools.metrics.committed(made.counts, time.monotonic() - began)
        tell_judged(made.followed, batch.partition, self._tools.topics)
        self._tell_of_the_dead(made.lost)

    def _made(self, batch: Batch, overlay: Overlay) -> _Made:
        tools, turn, dead = self._tools, self._reviser.turn, list[DeadLetter]()
        taken = self._step.take(batch, overlay, dead)
        now = tools.now()
        finished = [one.weighed(self._bar) for one in taken.finished]
        outputs = self._recorder.outputs(batch, finished, dead, overlay, now)
        told = self._keeper.tell([*taken.cleaned.values()])
        met = self._reviser.meet(told.heard, turn)
        outputs.bulks.extend([*told.bulks, *met.bulks])
        lost = Counter((letter.raw.topic, letter.error.reason) for letter in dead)
        counts = tools.metrics.counted(told.heard, finished, lost, now)
        return _Made(outputs, told, met, counts, lost, finished if is_followed() else ())

    def _reached(self, positions: Mapping[str, int]) -> None:
        self.positions.update(positions)
        self._untold = ahead(self._untold, positions)

    def _commit(self, outputs: Outputs, positions: Mapping[str, int]) -> None:
        self._committing = time.monotonic()
        try:
            self._delivery.commit(outputs, positions)
        finally:
            self._committing = math.inf

    def _tell_of_the_dead(self, lost: Counter[tuple[str, str]]) -> None:
        for (topic, reason), number in lost.items():
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


def ahead(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Give the positions that are further than the others are.

    >>> ahead({"a": 5, "b": 5}, {"a": 4, "b": 5, "c": 9})
    {'a': 5}
    """
    return {topic: at for topic, at in some.items() if at > others.get(topic, 0)}
