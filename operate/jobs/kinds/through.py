"""Behind an import: until its readings are judged and loaded, and what they are worth then."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from psycopg.sql import SQL, Identifier

from operate.jobs.work import Work
from operate.kafka_offsets import Offsets, committed, ends
from operate.reconcile.entries import wall
from producers.backfill.request import Request
from schemas.topics import PARAMETERS
from sink.database import Connection
from sink.stage import group_of

_LOG: Final = logging.getLogger("aos.jobs")
_PATIENCE_SECONDS: Final = 900.0
_LOOK_SECONDS: Final = 0.5
_LOADED: Final = (
    "SELECT topic, partition, next_offset FROM ops.sink_offset WHERE consumer_group = %s"
)
_COUNT: Final = """
SELECT count(*), count(*) FILTER (WHERE flag = 4), sum(score), count(score) FROM {}
WHERE deleted_at IS NULL AND (%(all)s OR station_id = ANY(%(stations)s))
    AND observed_at >= %(since)s::timestamp AT TIME ZONE 'UTC' - INTERVAL '1 day'
    AND observed_at < %(until)s::timestamp AT TIME ZONE 'UTC' + INTERVAL '1 day'
    AND observed_local >= %(since)s AND observed_local < %(until)s
"""


def count_through(work: Work, requests: Sequence[Request]) -> None:
    """Wait for stream and sink; then count what stands in the tables of what was asked for.

    Where they are not through in time, what is there by then is counted, and the log says so.
    """
    work.stage("transform", 100.0)
    through = _wait(work, _judged(work))
    work.stage("load", 100.0)
    if not (through and _wait(work, _loaded(work))):
        _LOG.warning("stream or sink are not through yet: what is loaded by now is counted")
    work.stage("validate", 100.0)
    with work.database.transaction("counting what was loaded") as connection:
        found = [_counted(connection, request) for request in requests]
    readings, failed, worth, scored = (sum(column) for column in zip(*found, strict=True))
    work.metrics.loaded = int(readings)
    work.metrics.failed = (work.metrics.failed or 0) + int(failed)
    work.metrics.score = round(worth / scored, 4) if scored else None


def _counted(connection: Connection, request: Request) -> tuple[float, ...]:
    total = [0.0, 0.0, 0.0, 0.0]
    for parameter in request.parameters or PARAMETERS:
        query = SQL(_COUNT).format(Identifier("weather", parameter))
        for span in request.spans:
            values: dict[str, Any] = {
                "all": not request.stations,
                "stations": list(request.stations),
                "since": wall(span.start),
                "until": wall(span.end),
            }
            row = connection.execute(query, values).fetchone() or (0, 0, 0.0, 0)
            total = [a + float(b or 0) for a, b in zip(total, row, strict=True)]
    return tuple(total)


def _wait(work: Work, is_through: Any) -> bool:
    left = _PATIENCE_SECONDS
    while not is_through():
        if work.stop.wait(_LOOK_SECONDS) or left <= 0:
            return False
        left -= _LOOK_SECONDS
    return True


def _judged(work: Work) -> Any:
    topics, admin = work.settings.topics, AdminClient(work.settings.kafka.client())
    places = [TopicPartition(t, n) for t in topics.all_raw() for n in range(topics.partitions)]
    goal = ends(admin, places)
    group = topics.named(work.settings.stream.group)
    return lambda: _has_reached(committed(admin, group, places), goal)


def _loaded(work: Work) -> Any:
    topics, admin = work.settings.topics, AdminClient(work.settings.kafka.client())
    names = [topics.clean(parameter) for parameter in PARAMETERS]
    places = [TopicPartition(name, n) for name in names for n in range(topics.partitions)]
    goal = ends(admin, places)
    group = group_of(work.settings.sink, topics)

    def reached() -> Offsets:
        with work.database.transaction("asking how far the sink is") as connection:
            rows = connection.execute(_LOADED, (group,)).fetchall()
        return {(topic, number): after for topic, number, after in rows}

    return lambda: _has_reached(reached(), goal)


def _has_reached(known: Offsets, goal: Offsets) -> bool:
    """Say whether only the mark of the last transaction is left in every partition."""
    return all(known.get(place, 0) >= end - 1 for place, end in goal.items())
