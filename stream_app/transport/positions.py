"""Where reading goes on for a partition: at the group's committed offset, or where the log begins.

No consumer of ours ever lets the broker choose: ``earliest`` and ``latest`` would jump over a range
that retention has dropped, and nobody would know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from runtime.errors import System
from runtime.kafka import translated

_SECONDS: Final = 10.0


def committed_positions(group: Consumer, topics: Sequence[str], partition: int) -> dict[str, int]:
    """Give the next offset of each topic; ask only after the dead owner's transaction has ended.

    Raises:
        System: a committed offset lies outside the log: readings were lost, or the topic made anew.
        Transient: the broker does not answer.
    """
    asked = [TopicPartition(topic, partition) for topic in topics]
    try:
        committed = group.committed(asked, timeout=_SECONDS)
        bounds = [group.get_watermark_offsets(tp, timeout=_SECONDS) for tp in asked]
    except KafkaException as error:
        raise translated(error, f"asking for the positions of partition {partition}") from error
    return {
        tp.topic: _checked(tp, low, high) for tp, (low, high) in zip(committed, bounds, strict=True)
    }


def _checked(committed: TopicPartition, low: int, high: int) -> int:
    at = committed.offset
    if at < 0:  # nothing is committed: this group has never read the partition
        return low
    where = f"{committed.topic} [{committed.partition}]"
    if at < low:
        problem = f"{where}: offsets {at} to {low - 1} were dropped before they were read"
        mend = "backfill that range from AOS, then set the group's offset to where the log begins"
        raise System(problem, mend=mend)
    if at > high:
        problem = f"{where}: the log ends at {high}, before the committed offset {at}"
        raise System(
            problem, mend="the topic was made anew: delete the group's offsets, then start"
        )
    return at
