"""Reading the clean topics as a member of a group, from where the database says.

Kafka's own committed offsets are a hint for lag monitors and nothing else. A partition that was
assigned is *unclaimed* until its offset came from the database; until then nothing is read from it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from sink.batch import Partition, Span
from sink.offsets import Claim
from sink.places import Piece, Places
from sink.settings import SinkSettings

_LOGGER: Final = logging.getLogger("aos.sink")

_CHUNK: Final = 5_000
_FETCHING: Final = {
    "queued_min_messages": _CHUNK,  # of each partition, and by default twenty times as many
    "max_partition_fetch_bytes": 256 * 1024,  # compressed: it may be ten times that in memory
    "fetch_max_bytes": 1024 * 1024,
    "fetch_queue_backoff_ms": 5,  # by default a full queue is left alone for a second
}
"""Little is fetched ahead, so that memory is bounded however far behind we are, but at once."""
_HINT_SECONDS: Final = 5.0
_LOST_PLACE: Final = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,  # deleted: it may come back as another
    }
)

Revoked = Callable[[set[Partition]], None]


class Reader:
    """A consumer that reads what is claimed; ``on_revoked`` is told of what is taken away."""

    def __init__(
        self,
        settings: SinkSettings,
        kafka: KafkaSettings,
        group: str,
        topics: list[str],
        on_revoked: Revoked,
    ) -> None:
        self.places = Places()
        self._on_revoked = on_revoked
        self._paused = False
        self.exhausted = True
        """Whether the last read took all that had been fetched."""
        self.consumer = Consumer(_configuration(settings, kafka, group))
        self.consumer.subscribe(
            topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def read(self, most: int, seconds: float) -> list[Piece]:
        """Wait that long for a record, and give up to so many that came of claimed partitions.

        Raises:
            AosError: the group or the broker will not have us any more.
        """
        # Not consume() alone: it waits for a full batch or the whole timeout.
        first = self.consumer.poll(seconds)
        wanted = min(most, _CHUNK)
        # A message is as long as its value: one without any is false, and lost if it is taken so.
        messages = []
        if first is not None:
            messages = [first, *self.consumer.consume(wanted - 1, timeout=0)]
        self.exhausted = len(messages) < wanted
        good = [m for m in messages if m.error() is None or self._heed(m)]
        return list(self.places.pieces(good))

    def pause(self) -> None:
        """Have no more records sent, until :meth:`resume`."""
        if not self._paused:
            self.consumer.pause(self.consumer.assignment())
            self._paused = True

    def resume(self) -> None:
        """Go on where reading was paused.

        Pausing drops what was fetched, and with it the news of an end, which librdkafka would not
        tell again: only a seek makes it.
        """
        if self._paused:
            self._paused = False
            for partition, claim in self.places.claimed.items():
                self._seek(partition, claim.next_offset)
            self.consumer.resume(_kafka(self.places.claimed))

    def place(self, claims: Mapping[Partition, Claim]) -> None:
        """Read what was claimed from where it is to be read, if it is still ours."""
        self._compare(claims)
        placed = [
            partition
            for partition, claim in claims.items()
            if partition in self.places.unclaimed and self._seek(partition, claim.next_offset)
        ]
        for partition in placed:
            self.places.claim(partition, claims[partition])
        if not self._paused:
            self.consumer.resume(_kafka(placed))

    def reclaim(self) -> None:
        """Distrust every place: all that is ours is to be claimed and read again."""
        ours = set(self.places.claimed)
        self.consumer.pause(_kafka(ours))
        self.places.drop(ours)
        self.places.assign(ours)

    def hint(self, spans: Mapping[Partition, Span]) -> None:
        """Tell Kafka how far is loaded; nothing depends on whether it hears."""
        still_ours = [
            TopicPartition(p.topic, p.number, s.next)
            for p, s in spans.items()
            if p in self.places.claimed
        ]
        try:
            if still_ours:
                self.consumer.commit(offsets=still_ours, asynchronous=True)
        except KafkaException as error:
            _LOGGER.info("Kafka does not take the offsets: %s", error)

    def _compare(self, claims: Mapping[Partition, Claim]) -> None:
        """Tell of partitions of which Kafka was told more than the database knows now."""
        try:
            hints = self.consumer.committed(_kafka(claims), timeout=_HINT_SECONDS)
        except KafkaException as error:
            _LOGGER.info("Kafka does not give its offsets: %s", error)
            return
        for hint in hints:
            found = claims[Partition(hint.topic, hint.partition)].next_offset
            if hint.offset > found:
                _LOGGER.warning(
                    "the database was set back: it knows less than was loaded, records %d to %d "
                    "are read again",
                    found,
                    hint.offset,
                    extra={"topic": hint.topic, "partition": hint.partition},
                )

    def lag(self) -> int:
        """Count the records that are on the broker and were not read, as far as is known."""
        return sum(self._behind(p, c.next_offset) for p, c in self.places.claimed.items())

    def close(self) -> None:
        """Leave; a static member keeps its partitions until its session ends."""
        self._on_revoked = lambda _: None
        self.consumer.close()

    def _behind(self, partition: Partition, next_offset: int) -> int:
        if self.places.at_end(partition):
            return 0
        _, high = self.consumer.get_watermark_offsets(
            TopicPartition(partition.topic, partition.number), cached=True
        )
        return max(0, high - next_offset)

    def _heed(self, message: KafkaMessage) -> bool:
        """Act on what is no record: an end, a lost place, trouble."""
        error = message.error()
        if error is None:
            return True
        partition = _partition_of(message)
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
            self.places.end(partition, message.offset() or 0)
        elif error.code() in _LOST_PLACE:
            self.reclaim()  # which names what is lost
        else:
            self._trouble(error)
        return False

    def _trouble(self, error: KafkaError) -> None:
        problem = translated(error, "reading clean topics")
        if not isinstance(problem, Transient):
            raise problem
        _LOGGER.warning("%s", problem)  # librdkafka tries again by itself

    def _seek(self, partition: Partition, offset: int) -> bool:
        """Move a place; False while librdkafka has not begun to fetch the partition."""
        try:
            self.consumer.seek(TopicPartition(partition.topic, partition.number, offset))
        except KafkaException as error:
            if error.args[0].code() == KafkaError._STATE:  # noqa: SLF001
                return False
            raise translated(error, f"seeking in {partition}") from error
        return True

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            partition.offset = OFFSET_BEGINNING  # replaced as soon as it is claimed
        consumer.incremental_assign(partitions)
        consumer.pause(partitions)
        self.places.assign(_ours(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        taken = _ours(partitions)
        self.places.drop(taken)
        self._on_revoked(taken)
        consumer.incremental_unassign(partitions)


def _configuration(settings: SinkSettings, kafka: KafkaSettings, group: str) -> dict[str, object]:
    static = {"group_instance_id": settings.instance_id} if settings.instance_id else {}
    return kafka.client(
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="error",
        enable_partition_eof=True,
        partition_assignment_strategy="cooperative-sticky",
        session_timeout_ms=int(settings.session_timeout_seconds * 1000),
        max_poll_interval_ms=int(settings.poll_interval_seconds * 1000),
        queued_max_messages_kbytes=settings.batch_bytes // 2048,
        **_FETCHING,
        fetch_wait_max_ms=100,
        topic_metadata_refresh_interval_ms=10_000,
        **static,
    )


def _partition_of(message: KafkaMessage) -> Partition:
    number = message.partition()
    return Partition(message.topic() or "", -1 if number is None else number)


def _ours(partitions: Iterable[TopicPartition]) -> set[Partition]:
    return {Partition(p.topic, p.partition) for p in partitions}


def _kafka(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(p.topic, p.number) for p in partitions]
