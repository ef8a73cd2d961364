"""The records of the job itself, one for each table, as the head of the job writes them."""

from __future__ import annotations

from collections.abc import Iterable

from producers.backfill.journal import Job, Names
from producers.backfill.opened import World
from producers.publishing.messages import Batch
from producers.publishing.outlet import Outlet
from producers.reading.rows import Readings
from schemas.codec import Record
from schemas.columnar import Keyed
from schemas.mapping import Mapping


class Book:
    """Opens the job for this instance: whoever had it before is told so by name."""

    def __init__(self, world: World, names: Names, tables: Iterable[str]) -> None:
        self._names = names
        self._outlet: Outlet = world.outlet(names.job, [names.standing(t) for t in tables])

    def open(self) -> None:
        """Write our name into every record; what is written there stays.

        Raises:
            Transient: broker or registry does not answer.
            Configuration: the job was begun in another database.
        """
        self._outlet.open()

    def close(self) -> None:
        """Let go of the producer."""
        self._outlet.close()

    def job(self, table: str) -> Job | None:
        """Read what is written of a table; None: it was never begun."""
        return Job.of_text(self._outlet.standings[self._name(table)].position)

    def counted(self, table: str) -> tuple[int, int]:
        """Read how many rows and readings were published of a table that is done."""
        standing = self._outlet.standings[self._name(table)]
        return standing.rows, standing.readings

    def write(self, job: Job, rows: int = 0, readings: int = 0) -> None:
        """Write how the job is to be done in a table, or that it is done.

        Raises:
            Fenced: another process has taken up the job.
        """
        name = self._name(job.plan.table)
        counted = self._names.standing(job.plan.table).after("", rows, readings)
        self._outlet.standings[name] = counted
        self._outlet.publish_page(name, Readings(), 0, job.as_text())

    def publish_beside(self, mapping: Mapping, metadata: dict[str, Record]) -> None:
        """Publish the mapping and what is new of the metadata: readings come after both."""
        self._outlet.publish_mapping(mapping)
        self._outlet.publish_metadata(metadata)

    def _name(self, table: str) -> str:
        return self._names.standing(table).table


def forgotten(topic: str, keys: Iterable[str]) -> Batch:
    """Make the tombstones that let compaction drop the records of chunks that are done with."""
    return topic, Keyed.of((key.encode(), None) for key in keys)
