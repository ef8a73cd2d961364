"""Running the source in tests, and reading what it published."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from producers.connection.database import open_engine
from producers.count import count_readings
from producers.progress import Summary
from producers.publishing.messages import cursor_key
from producers.publishing.positions import remembered
from producers.settings import SourceSettings
from producers.stage import Watcher, run
from runtime.errors import AosError
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from schemas.codec import Decoder, Record
from schemas.mapping import read_mapping
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics, raw_schema
from tests.cursor_watch import CursorWatch
from tests.waiting import eventually


class Deployment:
    """One namespace on the stack, and one source in it."""

    def __init__(self, kafka: KafkaSettings, registry: RegistrySettings, topics: Topics) -> None:
        self.kafka = kafka
        self.registry = registry
        self.topics = topics
        self._ids = Registry(registry)

    def close(self) -> None:
        """Let go of the registry."""
        self._ids.close()

    def run(
        self,
        database: Path,
        mapping: Path,
        *,
        once: bool = True,
        stop: threading.Event | None = None,
        watcher: Watcher = lambda _summary: None,
        **settings: Any,
    ) -> Summary:
        """Run the source in this thread."""
        chosen = SourceSettings.model_validate(
            {"url": f"sqlite:///{database}", "mapping": mapping, "poll_seconds": 0.05, **settings}
        )
        stop = stop or threading.Event()
        return run(chosen, self.kafka, self.registry, self.topics, stop, once, watcher)

    def run_with(self, settings: SourceSettings, **changes: Any) -> Summary:
        """Run the source by these settings, in this thread, until nothing is left to read."""
        chosen = settings.model_copy(update={"poll_seconds": 0.05, **changes})
        world = (self.kafka, self.registry, self.topics)
        return run(chosen, *world, threading.Event(), once=True)

    def raw(self, parameter: str) -> list[Record]:
        """Read the committed readings of a parameter, each with its ``key`` and ``partition``."""
        decode = Decoder(raw_schema(parameter), self._ids.schema_of)
        topic = self.topics.raw(parameter)
        return [
            {**decode(message.value()), "key": message.key(), "partition": message.partition()}
            for partition in range(self.topics.partitions)
            for message in read_to_end(self.kafka, topic, partition)
        ]

    def metadata(self) -> dict[str, Record]:
        """Read the metadata of every sensor."""
        return remembered(self.kafka, self.topics.metadata, "sensor_metadata", self._ids)

    def rows(self, source: str) -> int:
        """Read how many rows of a source are published by now; 0 before its topics are there."""
        try:
            topic = self.topics.cursors
            cursors = remembered(self.kafka, topic, "source_cursor", self._ids).values()
        except AosError:
            return 0
        return sum(c["rows"] for c in cursors if c["source"] == source)

    def rows_by_now(self, source: str) -> int:
        """Read how many rows are published for certain, though transactions may be left open."""
        with CursorWatch(self.kafka, self.topics, self._ids) as watch:
            return watch.rows(source)

    def wait_for_more(self, source: str) -> None:
        """Wait until more rows of a source are published than when this was called."""
        before = self.rows(source)
        admin = AdminClient(self.kafka.client())
        eventually(lambda: self.topics.cursors in admin.list_topics(timeout=10).topics)
        with CursorWatch(self.kafka, self.topics, self._ids) as watch:
            eventually(lambda: watch.rows(source) > before, every=0.01)

    def cursor(self, source: str, table: str) -> Record:
        """Read where a source stands in a table."""
        cursors = remembered(self.kafka, self.topics.cursors, "source_cursor", self._ids)
        return cursors[cursor_key(source, table)]

    def tables(self, source: str) -> list[str]:
        """Name the tables under which anything is kept of a source on the topic of cursors."""
        cursors = remembered(self.kafka, self.topics.cursors, "source_cursor", self._ids)
        return [record["table"] for record in cursors.values() if record["source"] == source]

    def mappings(self) -> dict[str, Record]:
        """Read the mappings that ran."""
        return remembered(self.kafka, self.topics.mapping, "mapping", self._ids)


class InThread:
    """Runs the source in a thread of its own until it is stopped; keeps how it ended."""

    def __init__(
        self, deployment: Deployment, database: Path, mapping: Path, **settings: Any
    ) -> None:
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.summary: Summary | None = None
        self._drained = threading.Event()
        self._run = (deployment, database, mapping, settings)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def wait_until_drained(self) -> None:
        """Wait until every table was read to its bound once."""
        assert self._drained.wait(60), self.error

    def finish(self) -> None:
        """Stop it as SIGTERM would, and wait for its end."""
        self.stop.set()
        self.join()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _watch(self, summary: Summary) -> None:
        if all(table.drained for table in summary.tables.values()):
            self._drained.set()

    def _work(self) -> None:
        deployment, database, mapping, settings = self._run
        try:
            self.summary = deployment.run(
                database, mapping, once=False, stop=self.stop, watcher=self._watch, **settings
            )
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error


def keys_held(sample: Path, mapping: Path) -> dict[str, int]:
    """Count the distinct keys of each parameter that a sample database holds."""
    settings = SourceSettings.model_validate({"url": f"sqlite:///{sample}", "mapping": mapping})
    engine = open_engine(settings)
    held = count_readings(engine, read_mapping(mapping))
    engine.dispose()
    return {parameter: count.keys for parameter, count in held.items()}
