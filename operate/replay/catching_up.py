"""Waiting until the tables hold what the clean topics held a moment ago."""

from __future__ import annotations

import threading
import time
from typing import Final

from confluent_kafka import TopicPartition

from operate.growth import unread
from operate.settings import Settings
from runtime.errors import Transient
from schemas.topics import PARAMETERS
from sink.database import Database

_LOADED: Final = """
SELECT topic, partition, next_offset FROM ops.sink_offset WHERE consumer_group = %s
"""
_PATIENCE_SECONDS: Final = 60.0
_TURN_SECONDS: Final = 0.3


def wait_for_sink(settings: Settings, database: Database, stop: threading.Event) -> None:
    """Wait until the sink has loaded every clean reading there is; new ones may come meanwhile.

    Raises:
        Transient: it does not get on, or ``stop`` is set.
    """
    before, since = _loaded(settings, database), time.monotonic()
    while late := list(unread(settings.kafka, _places(settings, before))):
        if stop.wait(_TURN_SECONDS) or time.monotonic() - since > _PATIENCE_SECONDS:
            problem = f"the sink has not loaded {', '.join(late)}: what stands is not known"
            raise Transient(problem, mend="let the sink run, then say it again")
        now = _loaded(settings, database)
        if now != before:
            before, since = now, time.monotonic()


def _places(settings: Settings, loaded: dict[tuple[str, int], int]) -> list[TopicPartition]:
    return [
        TopicPartition(topic, number, loaded.get((topic, number), 0))
        for topic in map(settings.topics.clean, PARAMETERS)
        for number in range(settings.topics.partitions)
    ]


def _loaded(settings: Settings, database: Database) -> dict[tuple[str, int], int]:
    group = settings.topics.named(settings.sink.group)
    with database.transaction("asking how far the sink is") as connection:
        rows = connection.execute(_LOADED, (group,)).fetchall()
    return {(topic, number): next_ for topic, number, next_ in rows}
