"""Keeping ``weather.sensor`` as the metadata topic says; ``weather.station`` is a view of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.dead_letters import Stage
from sink.batch import Counts, Message
from sink.columns import moment
from sink.database import Connection
from sink.destination import Reject, guarded
from sink.sqlstate import refuses_data, translated

_OF_SENSOR: Final = (
    "sensor_id",
    "station_id",
    "parameter",
    "station_name",
    "wigos_id",
    "source",
)
_OF_INTERVAL: Final = (
    "metadata_version",
    "calibration_version",
    "x",
    "y",
    "crs",
    "elevation",
    "height",
    "model",
    "serial",
)
_KEY: Final = ("sensor_id", "valid_from", "metadata_version")

_RETIRE: Final = """
UPDATE weather.sensor SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE sensor_id = %s AND deleted_at IS NULL
  AND (valid_from, metadata_version) NOT IN (
      SELECT * FROM unnest(%s::timestamptz[], %s::text[]))
"""

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Publications:
    """What was said of sensors, in that order: for each, a row for every interval."""

    said: Sequence[tuple[Message, Rows]]

    def __len__(self) -> int:
        """Count what was said."""
        return len(self.said)

    def message(self, index: int) -> Message:
        """Give the record that says it."""
        return self.said[index][0]

    def pick(self, indexes: Sequence[int]) -> Self:
        """Keep these alone."""
        return type(self)([self.said[i] for i in indexes])


class SensorTable:
    """The destination of the metadata topic: of each sensor, all its intervals at once."""

    def __init__(self, decode: Callable[[bytes | None], Record]) -> None:
        self._decode = decode

    def prepare(self, messages: Sequence[Message]) -> tuple[Publications, list[Reject]]:
        """Decode and validate; a tombstone says that a sensor has no intervals any more."""
        said: list[tuple[Message, Rows]] = []
        rejects: list[Reject] = []
        for message in messages:
            is_tombstone = message.value() is None and message.key()
            try:
                rows = [] if is_tombstone else rows_of(self._decode(message.value()))
            except DataQuality as error:
                rejects.append(Reject(message, Stage.DECODING, error))
            else:
                said.append((message, rows))
        return Publications(said), rejects

    def load(self, connection: Connection, entries: Publications, *, alone: bool = False) -> Counts:
        """Bring the rows of each sensor to what was said of it last."""
        total = Counts()
        try:
            with guarded(connection, alone=alone):
                for message, rows in entries.said:
                    total += _load(connection, _sensor_of(message, rows), rows)
        except psycopg.Error as error:
            if refuses_data(error):
                raise translated(error, "loading sensor metadata") from error
            raise
        return total


def rows_of(record: Record) -> Rows:
    """Give a row for each interval of a sensor.

    Raises:
        DataQuality: a time is beyond what a calendar holds.
    """
    shared = {name: record[name] for name in _OF_SENSOR}
    try:
        shared["published_at"] = _time(record["published_at"])
        return [{**shared, **_row(interval)} for interval in record["intervals"]]
    except OverflowError as error:
        problem = f"a time of sensor {record['sensor_id']} is beyond the years 1 to 9999"
        raise DataQuality(problem, reason="does_not_fit_column") from error


def _row(interval: Record) -> dict[str, Any]:
    return {
        **{name: interval[name] for name in _OF_INTERVAL},
        "calibration_scale": interval["scale"],
        "calibration_offset": interval["offset"],
        "valid_from": _time(interval["valid_from"]),
        "valid_to": _time(interval["valid_to"]),
        "calibration_due": _time(interval["calibration_due"]),
    }


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)


def _sensor_of(message: Message, rows: Rows) -> str:
    return str(rows[0]["sensor_id"]) if rows else (message.key() or b"").decode("utf-8", "replace")


def _load(connection: Connection, sensor_id: str, rows: Rows) -> Counts:
    new = changed = 0
    for row in rows:
        answer = connection.execute(_upsert(tuple(row)), row).fetchone()
        new += answer == (True,)
        changed += answer == (False,)
    still_named = [r["valid_from"] for r in rows], [r["metadata_version"] for r in rows]
    retired = connection.execute(_RETIRE, (sensor_id, *still_named)).rowcount
    if new and new == len(rows) and not retired:
        return Counts(records=1, inserted=1)
    if new or changed or retired:
        return Counts(records=1, updated=1, deleted=int(not rows))
    return Counts(records=1, skipped=1)


def _upsert(names: tuple[str, ...]) -> Composed:
    query = SQL("""
INSERT INTO weather.sensor AS known ({names}) VALUES ({values})
ON CONFLICT ({key}) DO UPDATE
SET {changes}, deleted_at = NULL, updated_at = clock_timestamp()
WHERE ({old}, known.deleted_at) IS DISTINCT FROM ({new}, NULL)
RETURNING created_at = updated_at""")
    compared = [n for n in names if n not in {*_KEY, "published_at"}]
    return query.format(
        names=SQL(", ").join(map(Identifier, names)),
        values=SQL(", ").join(map(Placeholder, names)),
        key=SQL(", ").join(map(Identifier, _KEY)),
        changes=SQL(", ").join(
            SQL("{0} = excluded.{0}").format(Identifier(n)) for n in names if n not in _KEY
        ),
        old=SQL(", ").join(SQL("known.{}").format(Identifier(n)) for n in compared),
        new=SQL(", ").join(SQL("excluded.{}").format(Identifier(n)) for n in compared),
    )
