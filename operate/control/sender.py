"""Giving orders: a record on the topic of control, acknowledged before anybody is told so."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from operate.audit import operator
from runtime.control.orders import Kind, Order, State
from runtime.control.wire import Channel
from runtime.errors import Transient
from runtime.kafka import check_reachable, translated

_LOG: Final = logging.getLogger("aos.api")
_SECONDS: Final = 15.0


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
