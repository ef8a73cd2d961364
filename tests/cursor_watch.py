"""Watching a source publish from outside, often, without a wait for transactions under way."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from runtime.kafka import KafkaSettings
from runtime.kafka_read import is_end, reader
from schemas.codec import Decoder, Record
from schemas.registry import Registry
from schemas.topics import Topics

_SECONDS: Final = 10.0


class CursorWatch:
    """Follows the topic of cursors, which is there already; a context manager.

    ``Deployment.rows`` reads it whole and waits for the end of transactions that are open. A look
    here takes milliseconds, and leaves out what is committed behind an open transaction.
    """

    def __init__(self, kafka: KafkaSettings, topics: Topics, ids: Registry) -> None:
        self._place = TopicPartition(topics.cursors, 0, OFFSET_BEGINNING)
        self._consumer = reader(kafka)
        self._consumer.assign([self._place])
        self._decode = Decoder("source_cursor", ids.schema_of)
        self._cursors: dict[bytes, Record] = {}
        self._reached = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def rows(self, source: str) -> int:
        """Give how many rows of a source are published by now; 0 while the topic has no leader."""
        try:
            _, end = self._consumer.get_watermark_offsets(self._place, timeout=_SECONDS)
        except KafkaException:
            return 0
        while self._reached < end:
            self._take()
        return sum(c["rows"] for c in self._cursors.values() if c["source"] == source)

    def _take(self) -> None:
        message = self._consumer.poll(_SECONDS)
        assert message is not None, "the topic of cursors cannot be read"
        ended = is_end(message)
        self._reached = max(self._reached, int(message.offset() or 0) + (not ended))
        if ended:
            return
        key, value = message.key() or b"", message.value()
        if value is None:
            self._cursors.pop(key, None)
        else:
            self._cursors[key] = self._decode(value)
