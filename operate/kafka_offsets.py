"""How far topics reach, and how far a group has come in them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from runtime.kafka import translated
from runtime.retry import Backoff, retry, within

_SECONDS: Final = 10.0
_PATIENCE: Final = Backoff(tries=6, first=0.2, most=2.0)
"""Brokers that have just started are still loading what groups have committed."""
_YOUNG_SECONDS: Final = 5.0
"""A topic is told of before its leader knows that it is one; measured: for some 0.1 s."""

Offsets = dict[tuple[str, int], int]
"""An offset for each topic and partition number."""


def beginnings(admin: AdminClient, places: Sequence[TopicPartition]) -> Offsets:
    """Give the first offset that each partition still keeps.

    Raises:
        AosError: the brokers do not answer.
    """
    return _asked(admin, places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def ends(admin: AdminClient, places: Sequence[TopicPartition]) -> Offsets:
    """Give the end of each partition for readers of what is committed.

    Raises:
        AosError: the brokers do not answer.
    """
    return _asked(admin, places, OffsetSpec.latest())  # type: ignore[no-untyped-call]


def written(admin: AdminClient, places: Sequence[TopicPartition]) -> Offsets:
    """Give the end of each partition, transactions that are still open included.

    Raises:
        AosError: the brokers do not answer.
    """
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    return _asked(admin, places, latest, IsolationLevel.READ_UNCOMMITTED)


def committed(admin: AdminClient, group: str, places: Sequence[TopicPartition]) -> Offsets:
    """Give the offsets that a group has committed; a partition without any is left out.

    Raises:
        AosError: the brokers do not answer.
    """
    return retry(partial(_committed, admin, group, places), _PATIENCE, threading.Event())


def _committed(admin: AdminClient, group: str, places: Sequence[TopicPartition]) -> Offsets:
    wanted = ConsumerGroupTopicPartitions(group, list(places))
    asked = admin.list_consumer_group_offsets([wanted], request_timeout=_SECONDS)
    try:
        found = asked[group].result().topic_partitions
    except KafkaException as error:
        raise translated(error, f"asking for the offsets of {group}") from error
    return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}


def _asked(
    admin: AdminClient,
    places: Sequence[TopicPartition],
    spec: Any,
    isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
) -> Offsets:
    if not places:
        return {}
    ask = partial(_asked_once, admin, places, spec, isolation)
    return retry(ask, _PATIENCE, threading.Event(), within(_YOUNG_SECONDS))


def _asked_once(
    admin: AdminClient, places: Sequence[TopicPartition], spec: Any, isolation: IsolationLevel
) -> Offsets:
    answers = admin.list_offsets(
        dict.fromkeys(places, spec),
        isolation_level=isolation,
        request_timeout=_SECONDS,
    )
    try:
        return {(p.topic, p.partition): f.result().offset for p, f in answers.items()}
    except KafkaException as error:
        raise translated(error, "asking how far the topics reach") from error
