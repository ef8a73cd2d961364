"""Where in the raw topics readings of certain times lie, by the index that batches leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Event
from typing import Final, NamedTuple

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from schemas.codec import Decoder, Record
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.again.task import Window

_NEAR: Final = 2000
"""Offsets that are rather read over than sought."""


class Range(NamedTuple):
    """Offsets from ``first`` until before ``end``."""

    first: int
    end: int


class Index:
    """The index of the raw topics, read from its beginning each time: changes are rare."""

    def __init__(self, kafka: KafkaSettings, topics: Topics, registry: Registry) -> None:
        self._kafka = kafka
        self._topic = topics.index
        self._decode = Decoder("raw_index", registry.schema_of)
        self._closing = Event()

    def look(self, partition: int, times: Mapping[str, Window]) -> dict[str, list[Range]]:
        """Give where the readings lie.

        Raises:
            Transient: the broker does not answer, or :meth:`close` was called meanwhile.
        """
        return ranges(self._records(), partition, times)

    def close(self) -> None:
        """Let whoever reads stop."""
        self._closing.set()

    def _records(self) -> Iterable[Record]:
        for message in read_to_end(self._kafka, self._topic):
            if self._closing.is_set():
                problem = "the stream stops"
                raise Transient(problem)
            value = message.value()
            if value is not None:
                yield self._decode(value)


def ranges(
    records: Iterable[Record], partition: int, times: Mapping[str, Window]
) -> dict[str, list[Range]]:
    """Pick from the index what holds readings of certain times; near ranges become one.

    >>> entry = {"topic": "t", "partition": 0, "first_offset": 4, "last_offset": 9}
    >>> entry |= {"least_observed_at": 10, "greatest_observed_at": 20}
    >>> ranges([entry], 0, {"t": Window(20, 30)})
    {'t': [Range(first=4, end=10)]}
    >>> ranges([entry], 0, {"t": Window(21, 30)})
    {'t': []}
    """
    found: dict[str, list[Range]] = {topic: [] for topic in times}
    for record in records:
        window = times.get(record["topic"])
        if window is None or record["partition"] != partition or not _holds(record, window):
            continue
        found[record["topic"]].append(Range(record["first_offset"], record["last_offset"] + 1))
    return {topic: joined(some) for topic, some in found.items()}


def joined(some: Iterable[Range], near: int = _NEAR) -> list[Range]:
    """Join ranges that overlap or lie near each other.

    >>> joined([Range(5, 9), Range(0, 3), Range(20, 30)], near=2)
    [Range(first=0, end=9), Range(first=20, end=30)]
    """
    found: list[Range] = []
    for one in sorted(some):
        if found and one.first <= found[-1].end + near:
            found[-1] = Range(found[-1].first, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def _holds(record: Record, window: Window) -> bool:
    least, greatest = record["least_observed_at"], record["greatest_observed_at"]
    return least is not None and least < window.until and greatest >= window.since
