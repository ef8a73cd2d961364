"""What the broker keeps of each partition, and under which id."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from runtime.kafka import KafkaSettings, translated
from sink.batch import Partition
from sink.offsets import Log

_PATIENCE_SECONDS: Final = 10.0


class Broker:
    """Answers questions about topics."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.admin = AdminClient(kafka.client())

    def logs(self, partitions: Collection[Partition]) -> dict[Partition, Log]:
        """Say how far each partition reaches, for readers of what is committed.

        Raises:
            AosError: the brokers do not answer, or a topic is gone.
        """
        if not partitions:
            return {}
        try:
            ids = self._ids({p.topic for p in partitions})
            lows = self._offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            highs = self._offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        except KafkaException as error:
            raise translated(error, "asking how far the clean topics reach") from error
        return {p: Log(ids[p.topic], lows[p], highs[p]) for p in partitions}

    def ask_ids(self, topics: Collection[str]) -> dict[str, Future[Any]]:
        """Ask for the ids of topics, and wait for nothing; an answer has a ``topic_id``."""
        asked: dict[str, Future[Any]] = self.admin.describe_topics(
            TopicCollection(list(topics)), request_timeout=_PATIENCE_SECONDS
        )
        return asked

    def _ids(self, topics: Collection[str]) -> dict[str, str]:
        asked = self.ask_ids(topics)
        return {topic: str(future.result().topic_id) for topic, future in asked.items()}

    def _offsets(self, partitions: Iterable[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        wanted: dict[TopicPartition, Any] = {
            TopicPartition(p.topic, p.number): spec for p in partitions
        }
        answers = self.admin.list_offsets(
            wanted,
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_PATIENCE_SECONDS,
        )
        return {Partition(p.topic, p.partition): f.result().offset for p, f in answers.items()}
