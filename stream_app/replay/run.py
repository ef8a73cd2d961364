"""A replay at work: raw records are judged by the stream's own code, verdicts go to the shadow.

It stands beside the live worker and shares nothing with it: partitions are read at offsets of its
own, its memory begins empty two weeks before the readings that are asked for, its transactions
have ids of their own. A transaction holds what was found and how far the replay has come, as
offsets of a group that nobody is a member of. So one that was killed goes on where it was: what had
been read is read once more, since the neighbours are needed, and is not sent again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from runtime.retry import Backoff, retry
from schemas.columnar import Keyed
from schemas.registry import Registry, subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema
from stream_app.again.rehearsal import Rehearsal
from stream_app.again.scan import Scan
from stream_app.judging.decoding import RawDecoder
from stream_app.judging.encoding import CleanEncoder
from stream_app.judging.judge import Judge
from stream_app.judging.worth import Bar
from stream_app.metadata.opening import judge_by, reference_now
from stream_app.outputs.delivery import Bulk, Outputs
from stream_app.outputs.records import Finished
from stream_app.outputs.transaction import Transactions
from stream_app.replay.course import Course, Helping
from stream_app.replay.pace import Pace
from stream_app.replay.plan import Part
from stream_app.replay.request import Request
from stream_app.replay.shadow import shadow_group, shadow_topic
from stream_app.revisions import revision_of
from stream_app.settings import StreamSettings
from stream_app.step import Step
from stream_app.transport.recent import Archive, Recent

_LOG: Final = logging.getLogger("aos.stream.replay")
_PATIENCE: Final = Backoff(tries=8, first=0.3, most=10.0)
_SECONDS: Final = 20.0
_NOTHING_NEWER: Final = 2**62
"""No raw offset is as high: nothing is to be sent merely because it came late."""

Tell = Callable[[int, int], None]
"""Is told how many records lie behind, and how many readings were sent since it was told last."""


@dataclass(frozen=True, slots=True)
class World:
    """What the partitions of a replay share."""

    name: str
    request: Request
    settings: StreamSettings
    kafka: KafkaSettings
    topics: Topics
    registry: Registry
    judge: Judge
    archive: Archive


@contextmanager
def world(
    name: str,
    request: Request,
    settings: StreamSettings,
    kafka: KafkaSettings,
    topics: Topics,
    registry: Registry,
) -> Iterator[World]:
    """Open what a replay needs; it judges by what holds now, and by its own ruleset where it has.

    Raises:
        Transient: the broker does not answer.
    """
    with ExitStack() as open_:
        opened = reference_now(kafka, topics, registry, _PATIENCE)
        reference = open_.enter_context(closing(opened))
        if (held := request.held) is not None:
            reference.rulesets.put(held)
        archive = open_.enter_context(closing(Archive(kafka)))
        judge = judge_by(reference, settings)
        yield World(name, request, settings, kafka, topics, registry, judge, archive)


def replay(
    world: World, parts: Iterable[Part], pace: Pace, stop: threading.Event, tell: Tell
) -> None:
    """Judge the partitions one after the other, until all is done or ``stop`` is set.

    Raises:
        Fenced: the same replay was begun elsewhere.
        AosError: it cannot go on; begun again, it goes on where it was.
    """
    behind = 0
    for part in parts:
        play = partial(_played, world, part, pace, stop, partial(_told, tell, behind))
        retry(play, _PATIENCE, stop, _complain)
        behind += part.records
        if stop.is_set():
            return


def _told(tell: Tell, behind: int, records: int, sent: int) -> None:
    tell(behind + records, sent)


def _complain(error: Transient, wait: float) -> None:
    _LOG.warning("the replay is tried again: %s", error, extra={"wait_seconds": round(wait, 3)})


def _played(world: World, part: Part, pace: Pace, stop: threading.Event, tell: Tell) -> None:
    most = world.settings.batch_records
    with closing(_Play(world, part)) as play:
        while not stop.is_set():
            helping = play.go_on(min(most, pace.helping or most))
            if helping is None:
                tell(part.records, 0)
                return
            tell(part.records - play.course.left, sum(len(one.newest) for one in helping.found))
            pace.passed(helping.read)


class _Play:
    """One partition at work."""

    def __init__(self, world: World, part: Part) -> None:
        group, number = shadow_group(world.topics, world.name), part.number
        timeout = world.settings.transaction_timeout_seconds
        self._sender = Sender(world, number)
        self._delivery = Transactions(world.kafka, group, number, timeout)
        # Read behind the fence: whoever had it before can move it no more.
        resumed = progress(world.kafka, group, part)
        self._recent = Recent(world.settings.recent_bytes, world.archive)
        decoder = RawDecoder(world.topics, world.registry)
        step = Step(number, world.topics, decoder, world.judge, self._recent)
        rehearsal = rehearsal_of(step, world.request)
        keys = world.request.keys
        self._scan = Scan.over(world.kafka, number, keys, part.ranges, part.ends)
        self.course = Course(self._scan, rehearsal, part.ends, resumed)

    def go_on(self, most: int) -> Helping | None:
        """Read, judge and send a helping; None at the end."""
        helping = self.course.go_on(most)
        if helping is not None:
            self._recent.keep(helping.batch)
            if helping.next is not None:
                outputs = self._sender.outputs(helping.found, sum(helping.next.values()))
                self._delivery.commit(outputs, helping.next)
        return helping

    def close(self) -> None:
        """Let go of the broker."""
        with closing(self._scan), closing(self._delivery):
            pass


def rehearsal_of(step: Step, request: Request) -> Rehearsal:
    """Make what judges the records of a request, with a memory of its own."""
    return Rehearsal(step, request.wanted(), dict.fromkeys(PARAMETERS, _NOTHING_NEWER))


class Sender:
    """Encodes what a partition's replay finds, for the shadow topics."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._number = number
        settings, topics = world.settings, world.topics
        bar = Bar(settings.quality_policy, settings.quality_threshold)
        # Under the ids of the clean topics: whoever reads those can read these.
        self._encoders = {
            name: CleanEncoder(
                name,
                world.registry.id_of(subject_of(topics.clean(name)), clean_schema(name)),
                topics.raw(name),
                number,
                bar,
            )
            for name in PARAMETERS
        }

    def outputs(self, found: Iterable[Finished], batch: int) -> Outputs:
        """Give the records of readings; ``batch`` rises from transaction to transaction."""
        revision, now = revision_of(0, batch), time.time_ns() // 1000
        return Outputs([self._bulk(one, revision, now) for one in found])

    def _bulk(self, one: Finished, revision: int, now: int) -> Bulk:
        parameter = one.judged.parameter
        values = self._encoders[parameter](one.judged, one.flags, revision, now)
        topic = shadow_topic(self._world.topics, self._world.name, parameter)
        return Bulk(topic, self._number, Keyed(one.judged.keys, values))


def progress(kafka: KafkaSettings, group: str, part: Part) -> Mapping[str, int]:
    """Ask up to where a partition was replayed before; nothing where it was not begun.

    Raises:
        Transient: the broker does not answer.
    """
    places = [TopicPartition(topic, part.number) for topic in part.ends]
    consumer = Consumer(kafka.client(group_id=group, isolation_level="read_committed"))
    with closing(consumer):
        try:
            told = consumer.committed(places, timeout=_SECONDS)
        except KafkaException as error:
            raise translated(error, f"asking how far {group} has come") from error
    found = {place.topic: place.offset for place in told if place.offset >= 0}
    return found if len(found) == len(places) else {}
