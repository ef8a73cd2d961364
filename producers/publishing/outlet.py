"""What leaves the source: pages, metadata and mapping, each with the cursors that belong to it.

The outlet is the one at work for its source until a newer instance takes over. What it remembers of
cursors and metadata is read from Kafka whenever it opens, so after any error it knows what counts.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from producers.publishing.memories import recall, written
from producers.publishing.messages import Batch, Messages, cursor_key
from producers.publishing.positions import Standing, at_work, remembered
from producers.publishing.publisher import Publisher, Transactions
from producers.reading.overlap import Published
from producers.reading.rows import Readings
from producers.reading.times import now_micros
from producers.sensors import metadata
from runtime.errors import Configuration, Fenced
from runtime.kafka import KafkaSettings
from schemas.codec import Record, SchemaIds
from schemas.mapping import Mapping as SourceMapping
from schemas.mapping import published_mapping
from schemas.topics import Topics

_LOGGER: Final = logging.getLogger("aos.source")
_SUCCESSOR_SECONDS: Final = 10
"""How long a successor may take from shutting us out to writing its name."""


def unique(instance: str) -> str:
    """Make a name that no other run bears, since process ids and host names come back.

    >>> unique("aos-1:7").startswith("aos-1:7#")
    True
    """
    return f"{instance}#{uuid.uuid4().hex[:6]}"


class Outlet:
    """Publishes for one source; ``standings`` says where it stands in every table."""

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Topics,
        ids: SchemaIds,
        beginnings: Iterable[Standing],
        transactions: Callable[[], Transactions],
        memories: Mapping[str, Published] | None = None,
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._ids = ids
        self._messages = Messages(topics, ids)
        self._beginnings = list(beginnings)
        self._transactions = transactions
        self._memories = memories or {}
        self._publisher: Publisher | None = None
        self._metadata: dict[str, Record] = {}
        self.source = self._beginnings[0].source
        self.instance = self._beginnings[0].instance
        self.standings: dict[str, Standing] = {}

    def open(self) -> None:
        """Take over from every earlier instance, and go on where it stood.

        Raises:
            Transient: broker or registry does not answer.
            Configuration: the stored cursors belong to another database.
        """
        self.close()
        self._publisher = Publisher(self._transactions())
        self._publisher.take_over()
        cursors = self._remembered(self._topics.cursors, "source_cursor")
        self._metadata = self._remembered(self._topics.metadata, "sensor_metadata")
        for beginning in self._beginnings:
            stored = cursors.get(cursor_key(beginning.source, beginning.table))
            self.standings[beginning.table] = beginning.taken_up(stored)
        for table, memory in self._memories.items():
            recall(memory, self.standings[table], cursors)
        self._publisher.publish([self._cursors(self.standings.values())])

    def reopen(self, stop: threading.Event, *, fenced: bool) -> None:
        """Open again after an error, unless somebody else is at work by now.

        A transaction that lasted too long is refused like one of a fenced instance, so ``fenced``
        alone does not say that there is a successor: its name on the topic of cursors does.

        Raises:
            Fenced: another instance is at work; the message names it.
        """
        self.close()
        for _ in range(_SUCCESSOR_SECONDS if fenced else 1):
            successor = at_work(
                self._remembered(self._topics.cursors, "source_cursor"), self.source
            )
            if successor not in (None, self.instance):
                problem = f"{successor} has taken over source {self.source} from {self.instance}"
                raise Fenced(
                    problem, mend="nothing, if that was meant; otherwise stop the other one"
                )
            if fenced and stop.wait(1):
                break
        self.open()

    def close(self) -> None:
        """Let go of the producer."""
        if self._publisher is not None:
            self._publisher.close()
        self._publisher = None

    def encode(self, readings: Readings) -> Sequence[Batch]:
        """Encode what a page holds, once; any thread may do so before the page is published.

        Raises:
            DataQuality: a reading does not fit the schema; the message names the field.
        """
        if readings.batches is None:
            readings.batches = self._messages.readings(readings.records)
        return readings.batches

    def publish_page(
        self,
        table: str,
        readings: Readings,
        rows: int,
        position: str,
    ) -> None:
        """Publish a page of a table, and where the source then stands.

        Raises:
            Fenced: a newer instance is at work.
            Transient: it may be out or not; :meth:`reopen` finds out.
        """
        standing = self.standings[table].after(position, rows, readings.count)
        cursors = [self._cursors([standing]), *self._remember(standing)]
        self._publish([*self.encode(readings), *cursors])
        self.standings[table] = standing
        if table in self._memories:
            self._memories[table].settle()

    def publish_metadata(self, records: Mapping[str, Record]) -> int:
        """Publish what is new or changed of the sensors' metadata, and give its count."""
        changed = {
            sensor: record
            for sensor, record in records.items()
            if sensor not in self._metadata or not metadata.same(self._metadata[sensor], record)
        }
        if changed:
            self._publish([self._messages.metadata(changed.values())])
            self._metadata |= changed
        return len(changed)

    def publish_mapping(self, mapping: SourceMapping) -> None:
        """Publish the mapping, once for each version.

        Raises:
            Configuration: another mapping was published under this version.
        """
        document = mapping.as_json()
        known = self._remembered(self._topics.mapping, "mapping").get(mapping.key)
        # By what it means: a later release may write down more of the same mapping.
        if known and published_mapping(known["document"]) != mapping:
            setting, problem = "source.mapping version", "another mapping was published under it"
            mend = "give the changed mapping a higher version"
            raise Configuration.of(setting, mapping.version, problem, mend=mend)
        if not known:
            now = now_micros()
            record = {
                "source": mapping.source,
                "version": mapping.version,
                "document": document,
                "published_at": now,
            }
            self._publish([self._messages.mapping(mapping.key, record)])

    def _publish(self, batches: Iterable[Batch]) -> None:
        if self._publisher is None:
            raise AssertionError
        self._publisher.publish(batches)

    def _cursors(self, standings: Iterable[Standing]) -> Batch:
        now = now_micros()
        return self._messages.cursors(standing.as_record(now) for standing in standings)

    def _remember(self, standing: Standing) -> Iterable[Batch]:
        """Write down what readers are given with this page, where a second look will ask for it."""
        memory = self._memories.get(standing.table)
        if memory is not None:
            kept, dropped = written(memory, standing, now_micros())
            yield self._messages.cursors(kept)
            yield self._messages.no_cursors(standing.source, dropped)

    def _remembered(self, topic: str, name: str) -> dict[str, Any]:
        return remembered(self._kafka, topic, name, self._ids)
