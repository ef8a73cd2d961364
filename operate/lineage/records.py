"""The records of one reading on the topics: its raw record, and every clean one since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from operate.dlq.letters import Place, record_at
from operate.kafka_offsets import beginnings, written
from operate.reconcile.decoding import Fields
from operate.settings import Settings
from runtime.errors import Transient
from runtime.kafka import translated
from runtime.kafka_read import is_end, reader
from schemas.codec import Decoder, Record
from schemas.registry import Registry
from schemas.topics import clean_schema, raw_schema

_AT_ONCE: Final = 5_000
_ASK_SECONDS: Final = 10.0
_TURN_SECONDS: Final = 0.1
_PATIENT_TURNS: Final = 400
_EARLY: Final = timedelta(minutes=1)
"""Clocks of worker and broker may differ; a record is stamped when it is sent."""


class Verdict(NamedTuple):
    """One clean record of a reading."""

    place: Place
    record: Record

    @property
    def rank(self) -> tuple[int, int]:
        """What wins."""
        return self.record["source_version"], self.record["revision"]


def raw_record(settings: Settings, registry: Registry, parameter: str, place: Place) -> Record:
    """Read the raw record of a reading.

    Raises:
        Configuration: retention has dropped it.
        DataQuality: it is no reading.
    """
    value = record_at(settings.kafka, place).value()
    body = value if isinstance(value, bytes) else None
    return Decoder(raw_schema(parameter), registry.schema_of)(body)


def verdicts(
    settings: Settings, registry: Registry, row: dict[str, Any], *, since: datetime | None
) -> list[Verdict]:
    """Give the clean records of the reading of a row, in their order; from the start or a time.

    Raises:
        Transient: the brokers do not answer.
    """
    parameter = row["parameter"]
    place = TopicPartition(settings.topics.clean(parameter), row["raw_partition"])
    at = round(row["observed_at"].timestamp() * 1_000_000)
    fields = Fields(clean_schema(parameter), registry.schema_of)
    found = []
    for messages in _from(settings, place, since - _EARLY if since else None):
        rows, of = fields([m.value() for m in messages])
        for n, message in enumerate(rows):
            if of["observed_at"][n] == at and of["sensor_id"][n] == row["sensor_id"]:
                where = Place(place.topic, place.partition, messages[message].offset() or 0)
                found.append(Verdict(where, {name: of[name][n] for name in of}))
    return sorted(found)


def _from(settings: Settings, place: TopicPartition, since: datetime | None) -> Iterator[list[Any]]:
    """Read a partition from a time of publication to what is written by now."""
    admin, at = AdminClient(settings.kafka.client()), (place.topic, place.partition)
    end = written(admin, [place])[at]
    with closing(reader(settings.kafka)) as consumer:
        start = beginnings(admin, [place])[at]
        if since is not None:
            asked = TopicPartition(*at, round(since.timestamp() * 1000))
            try:
                (told,) = consumer.offsets_for_times([asked], timeout=_ASK_SECONDS)
            except KafkaException as error:
                raise translated(error, f"looking into {place.topic}") from error
            start = told.offset if told.offset >= 0 else end
        consumer.assign([TopicPartition(*at, start)])
        idle = 0
        while start < end:
            come = consumer.consume(_AT_ONCE, timeout=_TURN_SECONDS)
            idle = 0 if come else idle + 1
            if idle > _PATIENT_TURNS:
                problem = f"{place.topic} [{place.partition}] cannot be read to its end"
                raise Transient(problem, mend="see whether the brokers are up")
            start = max([start, *((m.offset() or 0) + (not is_end(m)) for m in come)])
            yield [m for m in come if not is_end(m)]
