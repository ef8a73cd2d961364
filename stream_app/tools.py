"""What all partitions of a worker share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer

from runtime.kafka import KafkaSettings
from schemas.registry import Registry
from schemas.topics import Topics
from stream_app.again.reviser import Reviser
from stream_app.judging.judge import Judge
from stream_app.metadata.reference import Reference
from stream_app.metrics import StreamMetrics
from stream_app.settings import StreamSettings
from stream_app.silence.keeper import Keeper
from stream_app.transport.recent import Archive


@dataclass(frozen=True, slots=True)
class Tools:
    """What all partitions of a worker share."""

    settings: StreamSettings
    kafka: KafkaSettings
    topics: Topics
    registry: Registry
    group: Consumer
    """An idle member of nothing, asked for committed offsets and the group's metadata."""
    reference: Reference
    archive: Archive
    judge: Judge
    keeper: Callable[[int], Keeper]
    """Makes what watches over the sensors of a partition number."""
    reviser: Callable[[int], Reviser]
    """Makes what sends its readings again when they are to be judged otherwise."""
    metrics: StreamMetrics
    judging: threading.Lock = field(default_factory=threading.Lock)
    """Held by the partition that judges; meanwhile others commit, and share no arrays' memory.

    The interpreter would not let two of them judge faster than one.
    """
    now: Callable[[], int] = lambda: time.time_ns() // 1000
