"""A new partition count: topics grow while all stages stand still, and a new generation begins.

With another count a station's key leads to another partition, so what a partition remembers does
not fit any more, and its revisions start again. That is why the stream's own topics are made anew
and why its generation is raised: revisions of a later generation win over all of an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from operate.kafka_offsets import committed
from operate.settings import Settings
from runtime.errors import Configuration, System, Transient
from runtime.kafka import KafkaSettings, check_reachable, translated
from runtime.kafka_read import is_end, reader
from schemas.topics import PARAMETERS, Topics

_SECONDS: Final = 30.0


def grow(settings: Settings, count: int) -> list[dict[str, Any]]:
    """Give the topics that share partitions so many; say of each what was done.

    It may be called again when it was interrupted.

    Raises:
        Configuration: there are as many or more.
        System: a worker of the stream is running, or raw readings are unread.
        AosError: the brokers do not answer, or refuse.
    """
    topics = settings.topics
    check_reachable(settings.kafka)
    admin = AdminClient(settings.kafka.client())
    if count <= topics.partitions:
        setting, mend = "topics.partitions", "choose more; a topic cannot shrink"
        raise Configuration.of(setting, topics.partitions, f"not below {count}", mend=mend)
    group = topics.named(settings.stream.group)
    _check_stopped(admin, group)
    _check_drained(admin, settings.kafka, group, topics)
    return [*_grown(admin, topics, count), *_dropped(admin, topics)]


def _check_stopped(admin: AdminClient, group: str) -> None:
    asked = admin.describe_consumer_groups([group], request_timeout=_SECONDS)
    try:
        members = asked[group].result().members
    except KafkaException as error:
        raise translated(error, f"asking who is in the group {group}") from error
    if members:
        names = ", ".join(member.group_instance_id or member.member_id for member in members)
        problem = f"{len(members)} workers of the stream are in the group {group}: {names}"
        raise System(problem, mend="stop them; one that died leaves when its session ends")


def _check_drained(admin: AdminClient, kafka: KafkaSettings, group: str, topics: Topics) -> None:
    places = [TopicPartition(t, n) for t in topics.all_raw() for n in range(topics.partitions)]
    reached = committed(admin, group, places)
    for place in places:
        place.offset = reached.get((place.topic, place.partition), 0)
    left = list(unread(kafka, places))
    if left:
        problem = f"the stream has not read {', '.join(left)} to the end"
        raise System(problem, mend="stop the source, let the stream read on, then stop it")


def unread(kafka: KafkaSettings, places: Sequence[TopicPartition]) -> Iterator[str]:
    """Name the partitions that hold a committed record behind their offset."""
    with closing(reader(kafka)) as consumer:
        consumer.assign(list(places))
        left = {(place.topic, place.partition) for place in places}
        while left:
            message = consumer.poll(_SECONDS)
            if message is None:
                problem = "the raw topics cannot be read"
                raise Transient(problem, mend="see whether the brokers are up")
            place = (str(message.topic()), int(message.partition() or 0))
            if place in left and not is_end(message):
                yield f"{place[0]} [{place[1]}]"
            left.discard(place)


def _grown(admin: AdminClient, topics: Topics, count: int) -> Iterator[dict[str, Any]]:
    present = admin.list_topics(timeout=_SECONDS).topics
    wanted = [*topics.all_raw(), *map(topics.clean, PARAMETERS)]
    fewer = [name for name in wanted if len(present[name].partitions) < count]
    asked = [NewPartitions(name, count) for name in fewer]
    for name, future in admin.create_partitions(asked).items() if asked else ():
        try:
            future.result()
        except KafkaException as error:
            raise translated(error, f"growing {name}") from error
    for name in wanted:
        yield {"topic": name, "partitions": count, "done": "grown" if name in fewer else "was so"}


def _dropped(admin: AdminClient, topics: Topics) -> Iterator[dict[str, Any]]:
    """Delete what is kept by key in the old partitions; the stream makes it anew."""
    own = [topics.state, topics.silence, *map(topics.latest, PARAMETERS)]
    present = admin.list_topics(timeout=_SECONDS).topics
    there = [name for name in own if name in present]
    for name, future in admin.delete_topics(there).items() if there else ():
        try:
            future.result()
        except KafkaException as error:
            raise translated(error, f"deleting {name}") from error
        yield {"topic": name, "partitions": 0, "done": "deleted; the stream makes it anew"}
