"""What is kept on the state topic of metadata that was applied, and of a task that is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from schemas.codec import Decoder, Encoder, Record, SchemaIds
from schemas.topics import Topics
from stream_app.again.form import Form, Piece
from stream_app.again.task import Task
from stream_app.outputs.delivery import Bulk, bulk

PREFIX: Final = "meta#"
TASK_KEY: Final = "again#task"
PROGRESS_KEY: Final = "again#progress"
_NAMES: Final = ("sensor_applied", "again_task", "again_progress")


class Known(NamedTuple):
    """By what a sensor's readings were judged, and where the first of them lies."""

    station: str
    parameter: str
    first_offset: int
    form: Form


class Progress(NamedTuple):
    """How far a task has come.

    Attributes:
        next: next offset of each raw topic.
        sent: how many readings have been sent again.
        alone: the batch's number for those of the next round that have no neighbours.
    """

    next: Mapping[str, int]
    sent: int
    alone: int = 0

    def on(self, next_: Mapping[str, int], sent: int) -> Progress:
        """Go on, by so many readings.

        >>> Progress({}, 2, alone=7).on({"t": 5}, 3)
        Progress(next={'t': 5}, sent=5, alone=8)
        """
        return Progress(next_, self.sent + sent, self.alone + 1)


class Wire:
    """Encodes and decodes these records; one for all partitions."""

    def __init__(self, topics: Topics, registry: SchemaIds) -> None:
        self.topics = topics
        # Several kinds of record share the state topic, so each has a subject of its own.
        self._encode = {
            name: Encoder(name, registry.id_of(f"{topics.state}-{name}", name)) for name in _NAMES
        }
        self._decode = {name: Decoder(name, registry.schema_of) for name in _NAMES}

    def bulks(
        self, partition: int, known: Mapping[str, Known], task: Task | None = None
    ) -> list[Bulk]:
        """Give the records of sensors, and of a task that begins."""
        records = [
            (f"{PREFIX}{sensor}", self._encode["sensor_applied"](_known_record(one)))
            for sensor, one in known.items()
        ]
        if task is not None:
            records.append((TASK_KEY, self._encode["again_task"](task.to_record())))
        return self._bulk(partition, records)

    def went_on(self, partition: int, progress: Progress) -> list[Bulk]:
        """Give the record of how far a task has come."""
        record: Record = {
            "topics": list(progress.next),
            "next_offsets": list(progress.next.values()),
            "sent": progress.sent,
            "alone": progress.alone,
        }
        return self._bulk(partition, [(PROGRESS_KEY, self._encode["again_progress"](record))])

    def ended(self, partition: int) -> list[Bulk]:
        """Give what takes a task off the topic."""
        return self._bulk(partition, [(TASK_KEY, None), (PROGRESS_KEY, None)])

    def sensor_of(self, key: str) -> str | None:
        """Give whose record it is, by its key; None where it is no sensor's."""
        return key.removeprefix(PREFIX) if key.startswith(PREFIX) else None

    def known(self, value: bytes) -> Known:
        """Read the record of a sensor."""
        record = self._decode["sensor_applied"](value)
        pieces = zip(record["since"], record["digests"], record["calibrations"], strict=True)
        form = tuple(Piece(*piece) for piece in pieces)
        return Known(record["station"], record["parameter"], record["first_offset"], form)

    def task(self, value: bytes) -> Task | None:
        """Read a task; None where it is done."""
        return Task.of_record(self._decode["again_task"](value)) if value else None

    def progress(self, value: bytes) -> Progress:
        """Read how far a task has come."""
        if not value:
            return Progress({}, 0)
        record = self._decode["again_progress"](value)
        next_ = dict(zip(record["topics"], record["next_offsets"], strict=True))
        return Progress(next_, record["sent"], record["alone"])

    def _bulk(self, partition: int, records: Iterable[tuple[str, bytes | None]]) -> list[Bulk]:
        keyed = [(key.encode(), value) for key, value in records]
        return [bulk(self.topics.state, partition, keyed)] if keyed else []


def _known_record(known: Known) -> Record:
    return {
        "station": known.station,
        "parameter": known.parameter,
        "first_offset": known.first_offset,
        "since": [piece.since for piece in known.form],
        "digests": [piece.digest for piece in known.form],
        "calibrations": [piece.calibration for piece in known.form],
    }
