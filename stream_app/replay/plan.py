"""Where the raw records of a replay lie, how far it may read, and what retention has dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple

from confluent_kafka import KafkaException, TopicPartition

from runtime.errors import Configuration
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import read_to_end, reader
from schemas.codec import Decoder, Record
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.again.index import Range, joined
from stream_app.again.task import Window
from stream_app.replay.request import Request
from stream_app.revisions import revision_of
from stream_app.window.state import PARTITION_KEY

_SECONDS: Final = 20.0

Place = tuple[str, int]
"""Topic and partition number."""


class Stand(NamedTuple):
    """Where the live stream stood in a partition when the replay began.

    Attributes:
        revision: that of its last batch; what it says later stands above that.
        positions: the next offset of each raw topic behind that batch.
    """

    revision: int
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """What there is to do in one partition: ranges of offsets by raw topic, and where each ends."""

    number: int
    ranges: Mapping[str, list[Range]]
    ends: Mapping[str, int]

    @property
    def records(self) -> int:
        """How many offsets are to be read."""
        return sum(one.end - one.first for some in self.ranges.values() for one in some)


@dataclass(frozen=True, slots=True)
class Found:
    """What the index knows of a range of observation times.

    Attributes:
        ranges: where the readings lie that are kept.
        lost: how many records of the asked times retention has dropped.
        kept_since: the observation time from which on none is dropped; None where none is at all.
    """

    ranges: Mapping[Place, list[Range]]
    lost: Mapping[Place, int]
    kept_since: int | None


def stand(kafka: KafkaSettings, topics: Topics, registry: Registry, number: int) -> Stand:
    """Ask where the stream stands: one record that it writes with every batch says all of it.

    Raises:
        Transient: the broker does not answer.
    """
    decode, found = Decoder("partition_state", registry.schema_of), Stand(0, {})
    for message in read_to_end(kafka, topics.state, number):
        if message.key() == PARTITION_KEY.encode() and (value := message.value()):
            record = decode(value)
            revision = revision_of(record["generation"], record["batch"])
            found = Stand(revision, record["positions"])
    return found


def plan(
    kafka: KafkaSettings,
    topics: Topics,
    registry: Registry,
    request: Request,
    stands: Mapping[int, Stand],
) -> tuple[list[Part], Found]:
    """Find the records of a replay; ask for the stands before, so that the index knows all of it.

    Raises:
        Transient: the broker does not answer.
    """
    names = [topics.raw(parameter) for parameter in request.read]
    lows = beginnings(kafka, [(name, number) for name in names for number in stands])
    found = find(_entries(kafka, topics, registry), request.judged, request.asked, lows)
    return [part_of(number, names, found, stands[number]) for number in sorted(stands)], found


def find(
    entries: Iterable[Record], judged: Window, asked: Window, lows: Mapping[Place, int]
) -> Found:
    """Pick from the index what is kept of the times that are judged, and what is lost.

    ``lows`` are the first offsets that the broker keeps, of the places that are meant.

    >>> entry = {"topic": "t", "partition": 0, "first_offset": 4, "last_offset": 9}
    >>> entry |= {"least_observed_at": 10, "greatest_observed_at": 20}
    >>> found = find([entry], Window(0, 30), Window(15, 30), {("t", 0): 6})
    >>> found.ranges, found.lost, found.kept_since
    ({('t', 0): [Range(first=6, end=10)]}, {('t', 0): 2}, 21)
    """
    ranges: dict[Place, list[Range]] = {place: [] for place in lows}
    lost: dict[Place, int] = {}
    kept_since: int | None = None
    for entry in entries:
        place = entry["topic"], entry["partition"]
        if place not in lows or entry["least_observed_at"] is None:
            continue
        first, end = max(entry["first_offset"], lows[place]), entry["last_offset"] + 1
        if _overlaps(entry, judged) and first < end:
            ranges[place].append(Range(first, end))
        if entry["first_offset"] < lows[place]:
            kept_since = max(kept_since or 0, entry["greatest_observed_at"] + 1)
            if _overlaps(entry, asked):
                dropped = min(lows[place], end) - entry["first_offset"]
                lost[place] = lost.get(place, 0) + dropped
    return Found({place: joined(some) for place, some in ranges.items()}, lost, kept_since)


def part_of(number: int, names: Iterable[str], found: Found, stands: Stand) -> Part:
    """Give what is to be read of a partition, nothing beyond what the stream had read."""
    ends = {name: stands.positions.get(name, 0) for name in names}
    ranges = {
        name: [*_before(end, found.ranges.get((name, number), ()))] for name, end in ends.items()
    }
    return Part(number, ranges, ends)


def refuse_lost(found: Found, told: str) -> None:
    """Refuse a range of which records are gone; ``told`` is how ``kept_since`` is written.

    Raises:
        Configuration: some are.
    """
    if found.lost:
        lost = ", ".join(f"{n:,} of {topic} [{p}]" for (topic, p), n in sorted(found.lost.items()))
        problem = f"retention has dropped raw records of these times: {lost}"
        mend = (
            f"begin at {told}, from which on there are all; or read what is missing again with "
            "`aos backfill`, and say --incomplete: readings that are not found stay as they are"
        )
        raise Configuration(problem, mend=mend)


def beginnings(kafka: KafkaSettings, places: Iterable[Place]) -> dict[Place, int]:
    """Ask for the first offset that is kept of each place.

    Raises:
        AosError: the brokers do not answer, or there is no such topic.
    """
    with closing(reader(kafka, client_id="aos-replay")) as consumer:
        found = {}
        for topic, number in places:
            try:
                place = TopicPartition(topic, number)
                low, _ = consumer.get_watermark_offsets(place, timeout=_SECONDS)
            except KafkaException as error:
                raise translated(error, f"asking where {topic} begins") from error
            found[topic, number] = int(low)
    return found


def _entries(kafka: KafkaSettings, topics: Topics, registry: Registry) -> Iterator[Record]:
    decode = Decoder("raw_index", registry.schema_of)
    for message in read_to_end(kafka, topics.index):
        if (value := message.value()) is not None:
            yield decode(value)


def _overlaps(entry: Record, window: Window) -> bool:
    least, greatest = entry["least_observed_at"], entry["greatest_observed_at"]
    return bool(least < window.until and greatest >= window.since)


def _before(end: int, ranges: Iterable[Range]) -> Iterator[Range]:
    for one in ranges:
        if one.first < end:
            yield Range(one.first, min(one.end, end))
