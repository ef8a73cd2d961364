"""What the stream judges readings by, kept from compacted topics.

The source commits metadata and mappings before the readings that need them. So a batch is judged
only after these tables have caught up with the end that their topics had when it was fetched: no
reading goes without metadata merely because a thread was late. See docs/decisions/0003. Rulesets
and what people say come whenever they come; no batch waits for them, since what is judged before is
judged again.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition

from runtime.errors import DataQuality, Transient
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import is_end, reader
from schemas.codec import Decoder, Record
from schemas.mapping import Mapping, published_mapping
from schemas.overrides import Override
from schemas.registry import Registry
from schemas.rulesets import PublishedRuleset
from schemas.topics import Topics
from stream_app.metadata.sensors import Sensor
from stream_app.metadata.turns import EVERYONE, Turns
from stream_app.overrides.table import Overrides, about_of
from stream_app.rulesets.table import Rulesets

_LOG: Final = logging.getLogger("aos.stream.reference")
_ASK_SECONDS: Final = 10.0


class Reference:
    """Sensors, mappings, rulesets and what people say; safe to use from several threads."""

    def __init__(self, kafka: KafkaSettings, topics: Topics, registry: Registry) -> None:
        self.sensors: dict[str, Sensor] = {}
        self.mappings: dict[tuple[str, int], Mapping] = {}
        self.rulesets = Rulesets()
        self.overrides = Overrides()
        self.turns = Turns()
        self._topics = topics
        self._decoders = {
            topics.metadata: Decoder("sensor_metadata", registry.schema_of),
            topics.mapping: Decoder("mapping", registry.schema_of),
            topics.rulesets: Decoder("ruleset", registry.schema_of),
            topics.overrides: Decoder("override", registry.schema_of),
        }
        self._awaited = (topics.metadata, topics.mapping)
        self._reached = dict.fromkeys(self._decoders, 0)
        self._consumer = reader(kafka, client_id="aos-stream-reference")
        self._consumer.assign(
            [TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._decoders]
        )
        # Asked over connections of its own: behind a waiting fetch, the answer would wait with it.
        self._asker = reader(kafka, client_id="aos-stream-reference-ends")
        self._lock = threading.Lock()
        self._as_of = -math.inf

    def catch_up(self, since: float = math.inf) -> None:
        """Take in everything that was committed by ``since`` (of the monotonic clock), or by now.

        The end of the topics is asked for once for all who wait: an answer to a question that was
        put later than ``since`` will do.

        Raises:
            Transient: the broker does not answer.
        """
        since = min(since, time.monotonic())
        with self._lock:
            if self._as_of >= since:
                return
            asked_at = time.monotonic()
            self._reach(self._awaited)
            self._as_of = asked_at

    def catch_up_with_all(self) -> None:
        """Take in everything that was committed by now, also what no batch waits for.

        Raises:
            Transient: the broker does not answer.
        """
        with self._lock:
            asked_at = time.monotonic()
            self._reach(self._reached)
            self._as_of = asked_at

    def close(self) -> None:
        """Let go of the broker."""
        with closing(self._asker), closing(self._consumer):
            self._consumer.unassign()

    def _reach(self, topics: Iterable[str]) -> None:
        ends = {topic: self._end(topic) for topic in topics}
        while any(self._reached[topic] < end for topic, end in ends.items()):
            self._take(self._next())

    def _next(self) -> Message:
        message = self._consumer.poll(_ASK_SECONDS)
        if message is None:
            problem = f"{' or '.join(self._reached)} cannot be read to its end"
            raise Transient(problem)
        return message

    def _end(self, topic: str) -> int:
        partition = TopicPartition(topic, 0)
        try:
            low, high = self._asker.get_watermark_offsets(partition, timeout=_ASK_SECONDS)
        except KafkaException as error:
            raise translated(error, f"asking for the end of {topic}") from error
        return 0 if low == high else int(high)

    def _take(self, message: Message) -> None:
        topic, offset = str(message.topic()), int(message.offset() or 0)
        if is_end(message):
            self._reached[topic] = max(self._reached[topic], offset)
            return
        self._reached[topic] = max(self._reached[topic], offset + 1)
        try:
            self._keep(topic, message)
        except DataQuality as error:
            # One bad description must not stop the readings of all other sensors.
            _LOG.error("a record is left out: %s", error, extra={"topic": topic, "offset": offset})

    def _keep(self, topic: str, message: Message) -> None:
        key, value = (message.key() or b"").decode(errors="replace"), message.value()
        record = None if value is None else self._decoders[topic](value)
        if topic == self._topics.metadata:
            self._keep_sensor(key if record is None else record["sensor_id"], record)
        elif topic == self._topics.rulesets:
            self._keep_ruleset(key, record)
        elif record is None:
            return  # a mapping that readings may still name is never forgotten; nor is what is said
        elif topic == self._topics.mapping:
            mapping = published_mapping(record["document"])
            self.mappings[record["source"], record["version"]] = mapping
        else:
            override = Override.of_record(record)
            self.overrides.put(override)
            self.turns.changed(about_of(override))

    def _keep_sensor(self, name: str, record: Record | None) -> None:
        name = sys.intern(name)
        if record is None:
            self.sensors.pop(name, None)
        else:
            self.sensors[name] = Sensor(record)
        self.turns.changed(name)

    def _keep_ruleset(self, version: str, record: Record | None) -> None:
        if record is None:
            self.rulesets.drop(version)
        else:
            self.rulesets.put(PublishedRuleset.of_record(record).ruleset)
        self.turns.changed(EVERYONE)
