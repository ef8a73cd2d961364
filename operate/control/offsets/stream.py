"""The offsets of the stream: the group's, which only the holder of a partition's identity moves.

They are set back in a transaction under the very id that the worker of the partition uses, so that
one that was not stopped after all is fenced, and cannot commit behind it.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from operate.control.offsets.logs import logs_of, partitions_of
from operate.control.offsets.places import KafkaPlace, Offsets, set_back
from operate.kafka_offsets import committed
from operate.settings import Settings
from runtime.errors import Configuration
from stream_app.outputs.delivery import Outputs
from stream_app.outputs.transaction import Transactions


def offsets_of(admin: AdminClient, settings: Settings) -> Offsets:
    """Give the offset that the group reads next, for each partition of the raw topics.

    Raises:
        AosError: the brokers do not answer.
    """
    places = partitions_of(admin, settings.topics.all_raw())
    group = settings.topics.named(settings.stream.group)
    return committed(admin, group, [TopicPartition(*place) for place in places]) if places else {}


def move(admin: AdminClient, settings: Settings, asked: list[KafkaPlace] | None) -> Offsets:
    """Set offsets back, all to their beginning where nothing is named; give the new ones.

    Raises:
        Configuration: a place is not known, is not kept, or lies ahead; or the stream promises
            less than exactly once, and goes by what its state has seen.
        AosError: the brokers do not answer.
    """
    if settings.stream.processing_guarantee != "exactly_once":
        problem = "at least once, partitions go on behind what their state has seen, not the group"
        raise Configuration(problem, mend="replay the range instead")
    known = offsets_of(admin, settings)
    kept = logs_of(admin, known)
    if asked is None:
        asked = [KafkaPlace(*place, None) for place in known]
    wanted = set_back(asked, known, kept)
    by_number: dict[int, dict[str, int]] = defaultdict(dict)
    for (topic, number), offset in wanted.items():
        by_number[number][topic] = offset
    for number, positions in by_number.items():
        _commit(settings, number, positions)
    return wanted


def _commit(settings: Settings, number: int, positions: dict[str, int]) -> None:
    group = settings.topics.named(settings.stream.group)
    timeout = settings.stream.transaction_timeout_seconds
    with closing(Transactions(settings.kafka, group, number, timeout)) as transactions:
        transactions.commit(Outputs(), positions)
