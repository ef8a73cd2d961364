"""Where the source stands in each table, as it is remembered on the topic of cursors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from producers.publishing.messages import cursor_key
from runtime.errors import Configuration
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from schemas.codec import Decoder, Record, SchemaIds

BACKFILL: Final = "backfill"
"""Mode of the records of a backfill, which stand beside those of the incremental reader."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the source stands in one table; ``position`` is empty before its first row."""

    source: str
    table: str
    mode: str
    identity: str
    instance: str
    position: str = ""
    rows: int = 0
    readings: int = 0

    def after(self, position: str, rows: int, readings: int) -> Self:
        """Give where it stands once a page is published."""
        return replace(
            self, position=position, rows=self.rows + rows, readings=self.readings + readings
        )

    def as_record(self, updated_at: int) -> Record:
        """Give the record that remembers it; ``updated_at`` in UTC microseconds."""
        return {name: getattr(self, name) for name in self.__slots__} | {"updated_at": updated_at}

    def taken_up(self, stored: Mapping[str, Any] | None) -> Self:
        """Go on where ``stored`` says that an earlier instance stood.

        Raises:
            Configuration: that was in another database, or with another kind of cursor.
        """
        if stored is None:
            return self
        for name in ("identity", "mode"):
            self._check(name, stored[name])
        return replace(
            self, position=stored["position"], rows=stored["rows"], readings=stored["readings"]
        )

    def _check(self, name: str, before: str) -> None:
        now = getattr(self, name)
        if before != now:
            whose = f"{name} of {cursor_key(self.source, self.table)}"
            problem = f"the stored cursor does not fit: {whose} was {before}, and is {now}"
            mend = (
                "name this source otherwise in its mapping, or connect to where it was read before"
            )
            raise Configuration(problem, mend=mend)


def remembered(kafka: KafkaSettings, topic: str, name: str, ids: SchemaIds) -> dict[str, Record]:
    """Read the last record of every key of a compacted topic of one partition, oldest first.

    Raises:
        Transient: broker or registry fell silent.
        DataQuality: a record is not what belongs there.
    """
    decode = Decoder(name, ids.schema_of)
    last: dict[str, Record] = {}
    for message in read_to_end(kafka, topic):
        key = (message.key() or b"").decode()
        last.pop(key, None)
        if message.value() is not None:
            last[key] = decode(message.value())
    return last


def at_work(cursors: Mapping[str, Mapping[str, Any]], source: str) -> str | None:
    """Say which instance wrote the newest cursor of a source; ``cursors`` are oldest first.

    A backfill writes beside the instance at work; it does not take over from it.
    """
    writers = [
        record["instance"]
        for record in cursors.values()
        if record["source"] == source and record["mode"] != BACKFILL
    ]
    return writers[-1] if writers else None


def stored_identity(kafka: KafkaSettings, topic: str, source: str, ids: SchemaIds) -> str | None:
    """Give the identity of the database that a source's newest cursor belongs to, if it has one.

    Raises:
        Transient: broker or registry fell silent.
    """
    cursors = remembered(kafka, topic, "source_cursor", ids).values()
    identities = [
        str(record["identity"])
        for record in cursors
        if record["source"] == source and record["mode"] != BACKFILL
    ]
    return identities[-1] if identities else None
