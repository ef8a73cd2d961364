"""What the stream looks readings up in: sensors and mappings, kept from their compacted topics.

The source commits metadata and mappings before the readings that need them. So a batch is judged
only after these tables have caught up with the end that their topics had when it was fetched: no
reading goes without metadata merely because a thread was late. See docs/decisions/0003.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import closing
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition

from runtime.errors import DataQuality, Transient
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import is_end, reader
from schemas.codec import Decoder
from schemas.mapping import Mapping, published_mapping
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.metadata.sensors import Sensor

_LOG: Final = logging.getLogger("aos.stream.reference")
_ASK_SECONDS: Final = 10.0


class Reference:
    """Sensors by id and mappings by source and version; safe to use from several threads."""

    def __init__(self, kafka: KafkaSettings, topics: Topics, registry: Registry) -> None:
        self.sensors: dict[str, Sensor] = {}
        self.mappings: dict[tuple[str, int], Mapping] = {}
        self._topics = topics
        self._decoders = {
            topics.metadata: Decoder("sensor_metadata", registry.schema_of),
            topics.mapping: Decoder("mapping", registry.schema_of),
        }
        self._turns: dict[str, int] = {}
        self.turn = 0
        """Rises with every change of a sensor."""
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
            ends = {topic: self._end(topic) for topic in self._reached}
            while any(self._reached[topic] < end for topic, end in ends.items()):
                self._take(self._next())
            self._as_of = asked_at

    def changed_since(self, turn: int) -> set[str]:
        """Name the sensors of which a record came after the turn of this number."""
        return {sensor for sensor, at in list(self._turns.items()) if at > turn}

    def close(self) -> None:
        """Let go of the broker."""
        with closing(self._asker), closing(self._consumer):
            self._consumer.unassign()

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
            _LOG.error(
                "metadata record left out: %s", error, extra={"topic": topic, "offset": offset}
            )

    def _keep(self, topic: str, message: Message) -> None:
        value = message.value()
        if topic == self._topics.mapping:
            self._keep_mapping(value)
        elif value is None:
            self._keep_sensor((message.key() or b"").decode(), None)
        else:
            record = self._decoders[topic](value)
            self._keep_sensor(record["sensor_id"], Sensor(record))

    def _keep_sensor(self, name: str, sensor: Sensor | None) -> None:
        if sensor is None:
            self.sensors.pop(name, None)
        else:
            self.sensors[name] = sensor
        # In this order: whoever sees the turn finds the sensor as it is since.
        self._turns[name] = self.turn + 1
        self.turn += 1

    def _keep_mapping(self, value: bytes | None) -> None:
        if value is None:
            return  # a mapping that readings may still name is never forgotten
        record = self._decoders[self._topics.mapping](value)
        self.mappings[record["source"], record["version"]] = published_mapping(record["document"])
