"""Running the sink in a test, and looking at what it made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.kafka_topics import ensure_topics
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from sink.loading import Loaded
from sink.settings import SinkSettings
from sink.stage import Summary, run
from tests.clean_records import Publisher


class Rig:
    """A sink with topics of its own."""

    def __init__(
        self, kafka: KafkaSettings, registry: RegistrySettings, topics: Topics, database_url: str
    ) -> None:
        self.kafka = kafka
        self.registry = registry
        self.topics = topics
        self.database_url = database_url
        self.make_topics()

    @cached_property
    def publisher(self) -> Publisher:
        """Publish to the clean topics."""
        return Publisher(self.kafka, self.registry, self.topics)

    def close(self) -> None:
        """Let go of what publishing needed."""
        if "publisher" in vars(self):
            self.publisher.close()
            del self.publisher

    def make_topics(self) -> None:
        """Create what is missing; whoever published before may take a topic for the one it was."""
        self.close()
        admin = AdminClient(self.kafka.client())
        ensure_topics(admin, [*self.topics.stream_specs(), *self.topics.source_specs()], 1)

    def settings(self, **changes: Any) -> SinkSettings:
        """Give settings for this test's database."""
        given = {"database_url": self.database_url, "retry_seconds": 0.2, **changes}
        return SinkSettings.model_validate(given)

    def load(self, progress: Recorded | None = None, **changes: Any) -> Summary:
        """Load everything there is."""
        stop = threading.Event()
        settings = self.settings(**changes)
        return run(
            settings, self.kafka, self.registry, self.topics, stop, once=True, progress=progress
        )

    def query(self, statement: str | SQL | Any, *values: object) -> list[dict[str, Any]]:
        """Ask the database."""
        with closing(psycopg.connect(self.database_url, autocommit=True)) as connection:
            cursor = connection.cursor(row_factory=dict_row).execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def readings(self, parameter: str) -> list[dict[str, Any]]:
        """Give a reading table by key, for the stations of this test."""
        statement = SQL("SELECT * FROM {} ORDER BY sensor_id, observed_at")
        return self.query(statement.format(Identifier("weather", parameter)))

    def dead_letters(self) -> list[Message]:
        """Give what was dead-lettered."""
        return list(read_to_end(self.kafka, self.topics.sink_dead_letters))

    @contextmanager
    def in_background(self, **changes: Any) -> Iterator[Background]:
        """Run a sink beside the test, and stop it at the end."""
        background = Background(self, self.settings(**changes))
        background.thread.start()
        try:
            yield background
        finally:
            background.stop.set()
            background.thread.join(60)


@dataclass
class Recorded:
    """Progress that remembers."""

    batches: list[Loaded] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def loaded(self, batch: Loaded, lag: int) -> None:
        """Remember a batch."""
        with self.changed:
            self.batches.append(batch)
            self.changed.notify_all()

    def waiting(self, error: Exception) -> None:
        """Remember a problem."""
        with self.changed:
            self.problems.append(str(error))
            self.changed.notify_all()

    @property
    def records(self) -> int:
        """How many records are loaded."""
        return sum(batch.total.records for batch in self.batches)

    def wait_for(self, records: int = 0, problems: int = 0) -> None:
        """Wait until so much has happened."""
        with self.changed:
            done = self.changed.wait_for(
                lambda: self.records >= records and len(self.problems) >= problems, 60
            )
        assert done, f"{self.records} records and {self.problems} are all that came"


class Background:
    """A sink in a thread."""

    def __init__(self, rig: Rig, settings: SinkSettings) -> None:
        self.progress = Recorded()
        self.stop = threading.Event()
        self.error: Exception | None = None
        self.summary: Summary | None = None
        self.thread = threading.Thread(target=self._run, args=(rig, settings), daemon=True)

    def _run(self, rig: Rig, settings: SinkSettings) -> None:
        try:
            self.summary = run(
                settings, rig.kafka, rig.registry, rig.topics, self.stop, progress=self.progress
            )
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error
