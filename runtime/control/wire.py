"""The thread that listens to orders and says how its stage is: it never holds up the stage.

Where the topics of control cannot be used (a missing right, brokers that are away) a stage runs as
if nobody ever gave an order, and the log says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.control.orders import Kind, Order, State
from runtime.control.steering import Steering
from runtime.errors import AosError, Configuration, Transient
from runtime.kafka import KafkaSettings, check_reachable, translated
from runtime.kafka_read import is_end, reader
from runtime.kafka_topics import Spec, ensure_topics

_LOG: Final = logging.getLogger("aos.control")
_TICK_SECONDS: Final = 0.2
_PAUSE_SECONDS: Final = 0.5
_REFUSED_SECONDS: Final = 60.0
_SILENT_SECONDS: Final = 5.0
"""When to begin with a fresh client: one that met a topic too young may never hear of it."""
_FLUSH_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Channel:
    """The topics of orders and of word from the workers, and how they are made where missing."""

    kafka: KafkaSettings
    orders: Spec
    words: Spec
    replication: int

    def ensure(self) -> None:
        """Create the topics that are missing.

        Raises:
            AosError: the brokers do not answer, or refuse.
        """
        admin = AdminClient(self.kafka.client())
        try:
            ensure_topics(admin, [self.orders, self.words], self.replication)
        except KafkaException as error:
            raise translated(error, "looking for the topics of control") from error


@contextmanager
def listening(channel: Channel, steering: Steering) -> Iterator[None]:
    """Listen and tell, meanwhile; at the end say that the worker is gone, or why it failed.

    Raises:
        Configuration: no broker answers.
    """
    check_reachable(channel.kafka)
    done = threading.Event()
    thread = threading.Thread(target=_work, args=(channel, steering, done), name="control")
    thread.daemon = True
    thread.start()
    try:
        steering.wait_for_orders(_PATIENCE_SECONDS)
        yield
    finally:
        done.set()
        thread.join(_FLUSH_SECONDS + 1)


def _work(channel: Channel, steering: Steering, done: threading.Event) -> None:
    while not done.is_set():
        try:
            channel.ensure()
            _listen(channel, steering, done)
        except Configuration as error:
            _LOG.warning("this stage runs without orders: %s", error)
            steering.heard_all()
            done.wait(_REFUSED_SECONDS)
        except (AosError, KafkaException) as error:
            _LOG.warning("orders are not heard for the moment: %s", error)
            done.wait(_PAUSE_SECONDS)


def _listen(channel: Channel, steering: Steering, done: threading.Event) -> None:
    teller, ears = _Teller(channel, steering), _Ears(steering)
    with closing(reader(channel.kafka, client_id="aos-control")) as consumer:
        consumer.assign([TopicPartition(channel.orders.name, 0, OFFSET_BEGINNING)])
        began = time.monotonic()
        while not done.is_set():
            message = consumer.poll(_TICK_SECONDS)
            if message is None and ears.is_waiting and time.monotonic() > began + _SILENT_SECONDS:
                problem = f"nothing comes of {channel.orders.name}"
                raise Transient(problem, mend="see whether the brokers are up")
            if message is not None and is_end(message):
                ears.heard_all()
            elif message is not None and (value := message.value()):
                ears.hear(Order.of_json(value))
            teller.tell_if_due()
    teller.tell_the_end()


class _Ears:
    """Hears orders one by one; of those from before it listened, only the last of each kind."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering
        self._earlier: dict[str, Order] | None = {}

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to come that was said before it listened."""
        return self._earlier is not None

    def hear(self, order: Order | None) -> None:
        """Take an order in, unless it is of a kind that this release does not know."""
        if order is None:
            return
        if self._earlier is not None:
            self._earlier[order.key] = order
        else:
            self._heed(order)

    def heard_all(self) -> None:
        """Take note that all is heard that was said before."""
        earlier, self._earlier = self._earlier, None
        for order in (earlier or {}).values():
            self._heed(order)
        self._steering.heard_all()

    def _heed(self, order: Order) -> None:
        try:
            if order.kind is not Kind.LEVEL:
                self._steering.obey(order)
            elif order.connector in {"", self._steering.connector}:
                logging.getLogger(order.name).setLevel(order.value)
        except ValueError as error:
            _LOG.warning("an order that means nothing is passed over: %s", error)


class _Teller:
    """Says how the worker is, when that has changed or it is time."""

    def __init__(self, channel: Channel, steering: Steering) -> None:
        self._topic = channel.words.name
        self._steering = steering
        self._due = 0.0
        self._producer = Producer(channel.kafka.client(enable_idempotence=True, linger_ms=0))

    def tell_if_due(self) -> None:
        """Say how the worker is, if it is time."""
        self._producer.poll(0)
        now = time.monotonic()
        if now >= self._due or self._steering.changed.is_set():
            self._due = now + self._steering.every_seconds
            self._put(self._steering.status().to_json())

    def tell_the_end(self) -> None:
        """Leave why the worker failed, or nothing of it."""
        status = self._steering.status()
        self._put(status.to_json() if status.state is State.FAILED else None)
        self._producer.flush(_FLUSH_SECONDS)

    def _put(self, value: bytes | None) -> None:
        status = f"{self._steering.connector}/{self._steering.worker}"
        try:
            self._producer.produce(self._topic, value, status.encode())
        except BufferError:
            _LOG.warning("brokers take no word of how this stage is")
