"""The agent as a process: clean topics in, revisions of what the neighbours contradict out.

Exactly once: what is said and the positions of the group stand in one transaction, and a newer
instance fences the older. Its memory has no changelog. What it said stands on the topics that it
reads; so whoever begins reads some way back, remembers, and says nothing of that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, check_reachable, translated
from runtime.kafka_read import is_end, reader
from runtime.kafka_topics import ensure_topics
from runtime.retry import Backoff, retry
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from stream_app.metadata.opening import reference_now
from stream_app.neighbours.desk import Desk
from stream_app.neighbours.memory import Came
from stream_app.neighbours.rules import Rules
from stream_app.outputs.delivery import SECONDS, Outbox, Outputs, asked, producer
from stream_app.settings import StreamSettings

_LOG: Final = logging.getLogger("aos.stream.neighbours")
_POLL_SECONDS: Final = 0.2
_MOST: Final = 2000
_PATIENT: Final = Backoff(tries=10**9, first=0.3, most=30.0)

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run of the agent did: readings that it looked at."""

    readings: int


def run(
    settings: StreamSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
) -> Summary:
    """Ask neighbours until ``stop`` is set, by the rulesets that readings name.

    Raises:
        Configuration: brokers or registry cannot be reached.
        Fenced: another agent of the group has taken over.
        System: something broke that only a new process can mend.
    """
    check_reachable(kafka)
    schemas = Registry(registry)
    schemas.check()
    with ExitStack() as open_:
        open_.callback(schemas.close)
        specs = [*topics.source_specs(), *topics.stream_specs(), *topics.people_specs()]
        ensure_topics(AdminClient(kafka.client()), specs, topics.replication)
        schemas.register(specs)
        group, readings, strange = topics.named(f"{settings.group}-neighbours"), 0, set[str]()
        way = open_.enter_context(closing(_Way(kafka, group, settings)))
        while not stop.is_set():
            rules = _rules(kafka, topics, schemas, strange)
            desks = {
                topics.clean(name): Desk(name, topics, schemas, settings, rules)
                for name in rules.parameters
            }
            with closing(reader(kafka, group_id=group)) as consumer:
                loop = _Loop(desks, rules, way, consumer, topics.partitions, settings)
                strange |= loop.run(stop)
            readings += loop.readings
    return Summary(readings)


def _rules(kafka: KafkaSettings, topics: Topics, registry: Registry, strange: set[str]) -> Rules:
    """Read the rulesets that were published; versions found by then are strange no more."""
    with closing(reference_now(kafka, topics, registry)) as reference:
        return Rules(reference.rulesets.history, time.time_ns() // 1000, strange)


class _Way:
    """One transaction for all that was read at once."""

    def __init__(self, kafka: KafkaSettings, group: str, settings: StreamSettings) -> None:
        timeout = settings.transaction_timeout_seconds
        self._group = group
        self._producer = producer(
            kafka,
            group,
            timeout,
            transactional_id=group,
            transaction_timeout_ms=round(timeout * 1000),
        )
        self._outbox = Outbox(self._producer)
        asked(lambda: self._producer.init_transactions(SECONDS), f"opening {group}")

    def commit(self, outputs: Outputs, positions: Mapping[Place, int]) -> None:
        """Write what is said, and how far was read."""
        asked(self._producer.begin_transaction, f"{self._group}: beginning")
        try:
            self._outbox.send(outputs)
            send = self._producer.send_offsets
            asked(lambda: send(self._group, positions, SECONDS), f"{self._group}: offsets")
            self._outbox.check(f"{self._group}: delivering")
            asked(lambda: self._producer.commit_transaction(SECONDS), f"{self._group}: committing")
        except Transient:
            asked(lambda: self._producer.abort_transaction(SECONDS), f"{self._group}: aborting")
            raise

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.close()


class _Loop:
    """Reads, asks, says, commits; in the thread that calls it."""

    def __init__(
        self,
        desks: Mapping[str, Desk],
        rules: Rules,
        way: _Way,
        consumer: Consumer,
        partitions: int,
        settings: StreamSettings,
    ) -> None:
        self._desks = desks
        self._rules = rules
        self._way = way
        self._consumer = consumer
        self._places = [(topic, number) for topic in desks for number in range(partitions)]
        self._back = -(-settings.neighbours_readings // max(1, len(self._places)))
        self._committed: dict[Place, int] = {}
        self.readings = 0

    def run(self, stop: threading.Event) -> set[str]:
        """Go on until ``stop`` is set, or readings name rulesets that are not known: give these."""
        self._committed = self._positions()
        starts = {place: self._start(place) for place in self._places}
        self._consumer.assign([TopicPartition(t, n, at) for (t, n), at in starts.items()])
        while not stop.is_set():
            messages = [one for one in self._polled() if not is_end(one)]
            if messages and (news := self._step(messages, stop)):
                return news
        return set()

    def _polled(self) -> list[Message]:
        try:
            first = self._consumer.poll(_POLL_SECONDS)
            more = [] if first is None else self._consumer.consume(_MOST, 0)
        except KafkaException as error:
            raise translated(error, "reading clean topics") from error
        return [] if first is None else [first, *more]

    def _step(self, messages: Sequence[Message], stop: threading.Event) -> set[str]:
        """Take in what was read; what lies before the group's positions was spoken of already.

        Of readings that name rulesets which are not known yet nothing is taken: these are given.
        """
        known, new = dict[str, list[Came]](), dict[str, list[Came]]()
        for topic, desk in self._desks.items():
            mine = [one for one in messages if one.topic() == topic]
            known[topic] = [*desk.read(one for one in mine if not self._is_new(one))]
            new[topic] = [*desk.read(one for one in mine if self._is_new(one))]
        news = self._rules.news(one.ruleset for came in new.values() for one in came)
        if not news:
            self._say(messages, known, new, stop)
        return news

    def _say(
        self,
        messages: Sequence[Message],
        known: Mapping[str, Sequence[Came]],
        new: Mapping[str, Sequence[Came]],
        stop: threading.Event,
    ) -> None:
        outputs, now = Outputs(), time.time_ns() // 1000
        for topic, desk in self._desks.items():
            desk.take(known[topic])
            outputs.bulks.extend(desk.bulks(desk.take(new[topic]), now))
        positions = {_place(one): (one.offset() or 0) + 1 for one in filter(self._is_new, messages)}
        if positions:
            retry(lambda: self._way.commit(outputs, positions), _PATIENT, stop, _said)
            self._committed |= positions
            self.readings += len(messages)

    def _is_new(self, message: Message) -> bool:
        return (message.offset() or 0) >= self._committed[_place(message)]

    def _positions(self) -> dict[Place, int]:
        asked_for = [TopicPartition(*place) for place in self._places]
        try:
            found = self._consumer.committed(asked_for, timeout=SECONDS)
        except KafkaException as error:
            raise translated(error, "asking for positions") from error
        return {(one.topic, one.partition): max(0, one.offset) for one in found}

    def _start(self, place: Place) -> int:
        low, _ = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=SECONDS)
        return max(int(low), self._committed[place] - self._back)


def _place(message: Message) -> Place:
    return message.topic() or "", message.partition() or 0


def _said(error: Transient, wait: float) -> None:
    _LOG.warning("tried again in %.1f s: %s", wait, error)
