"""Jobs that something in the stream starts: a sensor falls silent, a station's score is low.

Each event starts one job at most, of each station no more than one in a while, and of each trigger
no more than so many an hour: a network that falls silent at once starts a handful, not a thousand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from operate.jobs import store
from operate.jobs.catalogue import kind_of
from operate.jobs.config import JobConfig
from operate.jobs.scheduler import utc_now
from operate.jobs.settings import JobsSettings, Trigger
from operate.settings import Settings
from runtime.kafka import translated
from schemas.codec import Decoder
from schemas.registry import Registry
from schemas.topics import PARAMETERS
from sink.database import Connection, Database

_WHO: Final = "event"
_KNOW: Final = """
INSERT INTO ops.job_schedule (name, last_due) VALUES (%s, now()) ON CONFLICT DO NOTHING
"""
_HOLD: Final = "SELECT name FROM ops.job_schedule WHERE name = %s FOR UPDATE"
_BEFORE: Final = """
SELECT count(*) FILTER (WHERE asked_at > now() - INTERVAL '1 hour') < %s
    AND count(*) FILTER (WHERE starts_with(cause_key, %s)
                         AND asked_at > now() - make_interval(secs => %s)) = 0
FROM ops.job_run WHERE cause = 'event' AND starts_with(cause_key, %s)
    AND asked_at > now() - make_interval(secs => greatest(%s, 3600))
"""
_OF_TABLE: Final = """
SELECT station_id, score FROM weather.{} WHERE observed_at > %(since)s AND deleted_at IS NULL
    AND score IS NOT NULL"""
_LOW: Final = f"""
SELECT station_id FROM ({" UNION ALL ".join(map(_OF_TABLE.format, PARAMETERS))}) AS newest
GROUP BY station_id HAVING avg(score) < %(threshold)s AND count(*) >= 3 ORDER BY station_id
"""  # noqa: S608 - of names of ours
_AT_ONCE: Final = 500


def start(
    connection: Connection, name: str, trigger: Trigger, station: str, event: str
) -> int | None:
    """Start the job of an event; None: it has one, or there were enough of late."""
    mine = f"event:{name}:"
    of_station = f"{mine}{station}:"
    connection.execute(_KNOW, (mine,))
    connection.execute(_HOLD, (mine,))
    within = trigger.within_seconds
    asked = trigger.most_per_hour, of_station, within, mine, within
    if connection.execute(_BEFORE, asked).fetchone() != (True,):
        return None
    config = JobConfig.of({**trigger.config, "stations": [station]})
    key = f"{of_station}{event}"
    return store.submit(
        connection, store.Asked(kind_of(trigger.job), config, _WHO, utc_now(), "event", key)
    )


class Silences:
    """Hears of sensors that fall silent, each event once: read on from where it left off."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._jobs = settings.jobs
        self._database = database
        self._close = ExitStack()
        registry = self._close.enter_context(closing(Registry(settings.registry)))
        self._decode = Decoder("sensor_silence", registry.schema_of)
        self._consumer = Consumer(
            settings.kafka.client(
                group_id=settings.topics.named("aos-jobs"),
                auto_offset_reset="latest",
                enable_auto_commit=False,
                isolation_level="read_committed",
            )
        )
        self._close.callback(self._consumer.close)
        self._consumer.subscribe([settings.topics.silence])

    def close(self) -> None:
        """Leave."""
        self._close.close()

    def look(self) -> list[int]:
        """Start jobs for what has fallen silent since the last look; give their numbers.

        Raises:
            AosError: broker, registry or database do not answer; the events come again.
        """
        messages = self._consumer.consume(_AT_ONCE, 0.0)
        heard = [m for m in messages if m.error() is None and m.value()]
        started = [
            number for message in heard for number in self._started(self._decode(message.value()))
        ]
        if heard:
            after = {(m.topic() or "", m.partition() or 0): (m.offset() or 0) + 1 for m in heard}
            self._commit([TopicPartition(*at, offset) for at, offset in after.items()])
        return started

    def _started(self, event: dict[str, Any]) -> Iterator[int]:
        if event["state"] != "silent":
            return
        told = f"{event['sensor_id']}:{event['since']}"
        for name, trigger in self._jobs.triggers.items():
            if trigger.on == "silence":
                with self._database.transaction("starting the job of an event") as connection:
                    number = start(connection, name, trigger, event["station_id"], told)
                if number is not None:
                    yield number

    def _commit(self, after: list[TopicPartition]) -> None:
        try:
            self._consumer.commit(offsets=after, asynchronous=False)
        except KafkaException as error:
            raise translated(error, "noting which silences were heard of") from error


class LowScores:
    """Looks now and then for stations whose readings of the last hour are worth too little."""

    def __init__(
        self,
        database: Database,
        jobs: JobsSettings,
        threshold: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._jobs, self._threshold = database, jobs, threshold
        self._clock = clock
        self._due = clock()

    def look(self, now: Callable[[], datetime] = utc_now) -> list[int]:
        """Start jobs for the stations that are below the threshold; give their numbers."""
        triggers = {n: t for n, t in self._jobs.triggers.items() if t.on == "low_score"}
        if not triggers or self._clock() < self._due:
            return []
        self._due = self._clock() + self._jobs.score_seconds
        hour = now().replace(minute=0, second=0, microsecond=0)
        values = {"since": now() - timedelta(hours=1), "threshold": self._threshold}
        started: list[int] = []
        with self._database.transaction("looking at scores") as connection:
            stations = [name for (name,) in connection.execute(_LOW.encode(), values)]
            for name, trigger in triggers.items():
                found = (start(connection, name, trigger, s, hour.isoformat()) for s in stations)
                started += [number for number in found if number is not None]
        return started
