"""Giving orders: a record on the topic of control, acknowledged before anybody is told so."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from operate.audit import operator
from operate.control.connectors import channel_of
from operate.settings import Settings
from runtime.control.orders import Kind, Order, State
from runtime.control.wire import Channel
from runtime.errors import Transient
from runtime.kafka import check_reachable, translated
from runtime.kafka_read import read_to_end

_LOG: Final = logging.getLogger("aos.api")
_SECONDS: Final = 15.0


def let_all_run(settings: Settings) -> None:
    """Take back whatever was ordered to stand still, of every connector.

    Raises:
        AosError: the brokers do not answer.
    """
    channel = channel_of(settings)
    last: dict[str, str] = {}
    for message in read_to_end(settings.kafka, channel.orders.name):
        order = Order.of_json(value) if (value := message.value()) else None
        if order and order.kind is Kind.STATE:
            last[order.connector] = order.value
    for connector in (name for name, value in last.items() if value != State.RUNNING):
        Sender(channel).tell(connector, State.RUNNING)


class Sender:
    """Gives orders to the stages of a deployment, wherever they run."""

    def __init__(self, channel: Channel, who: str | None = None) -> None:
        self._channel = channel
        self._who = who or operator()

    def tell(self, connector: str, state: str) -> None:
        """Say what state a connector is to be in from now on.

        Raises:
            AosError: the brokers do not answer.
        """
        self._send(Kind.STATE, connector, State(state))

    def restart(self, connector: str, worker: str | None = None) -> None:
        """Have a connector's run ended cleanly and begun again; of one worker, or of all.

        Raises:
            AosError: the brokers do not answer.
        """
        self._send(Kind.RESTART, connector, worker or "")

    def level(self, logger: str, level: str) -> None:
        """Have every stage log from a level on, now and whenever it starts.

        Raises:
            AosError: the brokers do not answer.
        """
        self._send(Kind.LEVEL, "", level, name=logger)

    def _send(self, kind: Kind, connector: str, value: str, name: str = "") -> None:
        now, number = datetime.now(UTC), uuid.uuid4().hex[:12]
        order = Order(kind, connector, value, now, self._who, number, name)
        check_reachable(self._channel.kafka)
        self._channel.ensure()
        failures: list[KafkaError] = []

        def reported(error: KafkaError | None, _message: Message) -> None:
            failures.extend([error] if error else [])

        producer = Producer(self._channel.kafka.client(enable_idempotence=True, linger_ms=0))
        topic = self._channel.orders.name
        producer.produce(topic, order.to_json(), order.key.encode(), on_delivery=reported)
        if producer.flush(_SECONDS):
            problem = f"the order is not acknowledged after {_SECONDS:.0f} s: it may yet arrive"
            raise Transient(problem, mend="see whether the brokers are up, and give it again")
        for failure in failures:
            raise translated(KafkaException(failure), f"ordering {connector}")
        _LOG.info("ordered: %s %s", order.key, value, extra={"by": self._who})
