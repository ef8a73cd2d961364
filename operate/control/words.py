"""What the workers say of themselves, and what they were last ordered: followed as it comes.

A word that was there before we listened is as old as it says; one that comes while we listen is
new, whatever the clock of its host shows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition

from runtime.control.orders import Order, Status
from runtime.control.wire import Channel
from runtime.errors import AosError, Configuration, Transient
from runtime.kafka import check_reachable, translated
from runtime.kafka_read import is_end, reader

_TICK_SECONDS: Final = 0.2
_PAUSE_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 20.0
_SILENT_SECONDS: Final = 5.0
"""When to begin with a fresh client: one that met a topic too young may never hear of it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last word of a worker, and when it was heard."""

    status: Status
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at a moment: the last word of each worker, the last order of each kind."""

    heard: Mapping[str, Heard] = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)


class Words(Protocol):
    """What tells what is known of the workers."""

    def snapshot(self) -> Snapshot:
        """Give what is known by now.

        Raises:
            AosError: the brokers do not answer.
        """

    def close(self) -> None:
        """Listen no more."""


class Followed:
    """Follows both topics in a thread of its own, from the first question on."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._heard: dict[str, Heard] = {}
        self._orders: dict[str, Order] = {}
        self._open: set[str] = set()
        self._caught_up = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem: AosError | None = None

    def snapshot(self) -> Snapshot:
        """Give what is known by now.

        Raises:
            AosError: the brokers do not answer.
        """
        self._start()
        if not self._caught_up.wait(_PATIENCE_SECONDS):
            problem = "nothing comes of the topics of control"
            raise self._problem or Transient(problem, mend="see whether the brokers are up")
        with self._lock:
            if self._problem:
                raise self._problem
            return Snapshot(dict(self._heard), dict(self._orders))

    def close(self) -> None:
        """Listen no more."""
        self._done.set()
        if self._thread:
            self._thread.join(_PAUSE_SECONDS)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="words", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._done.is_set():
            try:
                check_reachable(self._channel.kafka)
                self._channel.ensure()
                self._follow()
            except (AosError, KafkaException) as error:
                problem = error if isinstance(error, AosError) else translated(error, "listening")
                with self._lock:
                    self._problem = problem
                if isinstance(error, Configuration):
                    self._caught_up.set()  # it will not be better in a moment
                self._done.wait(_PAUSE_SECONDS)

    def _follow(self) -> None:
        names = [self._channel.orders.name, self._channel.words.name]
        with closing(reader(self._channel.kafka, client_id="aos-words")) as consumer:
            self._open = {*names}
            consumer.assign([TopicPartition(name, 0, OFFSET_BEGINNING) for name in names])
            began = time.monotonic()
            while not self._done.is_set():
                message = consumer.poll(_TICK_SECONDS)
                if message is not None:
                    self._take(message)
                elif self._open and time.monotonic() > began + _SILENT_SECONDS:
                    problem = "nothing comes of the topics of control"
                    raise Transient(problem, mend="see whether the brokers are up")

    def _take(self, message: Message) -> None:
        topic = message.topic() or ""
        if is_end(message):
            self._open.discard(topic)
            if not self._open:
                with self._lock:
                    self._problem = None
                self._caught_up.set()
            return
        with self._lock:
            key, value = (message.key() or b"").decode(), message.value()
            if topic == self._channel.orders.name:
                self._take_order(key, Order.of_json(value) if value else None)
            else:
                self._take_word(key, Status.of_json(value) if value else None)

    def _take_order(self, key: str, order: Order | None) -> None:
        self._orders.pop(key, None)
        if order:
            self._orders[key] = order

    def _take_word(self, key: str, status: Status | None) -> None:
        self._heard.pop(key, None)
        if status:
            at = status.told_at if self._open else datetime.now(UTC)
            self._heard[key] = Heard(status, at)
