"""Clean records and rows of the tables as entries: the same columns, so the same hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from sys import intern
from typing import Any, Final

from psycopg.sql import SQL, Identifier

from operate.reconcile.decoding import Fields
from operate.reconcile.entries import Entries, Entry, Key, hashed, keep, rounded, wall
from operate.reconcile.scope import Scope
from schemas.avsc import Schema
from schemas.topics import clean_schema
from sink.columns import table
from sink.database import Connection
from stream_app.judging.versions import VERSION_BITS
from weather.parameters import parameter_of

_NOT_SAID: Final = frozenset({
    "station_id", "sensor_id", "observed_at", "observed_local", "interval_start", "source_name",
    "source_rank", "source_table", "source_key", "source_version", "revision", "mapping_version",
    "raw_topic", "raw_partition", "raw_offset", "extracted_at", "processed_at", "deleted_at",
})  # fmt: skip
"""Columns that tell who a reading is and where it comes from; all others are what was said."""
_KEY: Final = ("source_name", "source_table", "source_key", "sensor_id", "observed_local")
_RAW: Final = ("raw_topic", "raw_partition", "raw_offset")
_ROWS: Final = SQL("""
SELECT {columns} FROM {table}
WHERE observed_at >= {since} AND observed_at < {until}
  AND observed_local >= {first} AND observed_local < {end}
  AND ({any} OR station_id = ANY({stations}))
""")
_FARTHEST: Final = timedelta(hours=16)
"""No clock is further from UTC."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_ROWS_AT_ONCE: Final = 5_000


def measured_columns(parameter: str) -> list[str]:
    """Name the columns of what was measured, in the order of the raw records.

    >>> measured_columns("wind")
    ['raw_speed', 'raw_direction', 'raw_gust']
    """
    return [f"raw_{measure.name}" for measure in parameter_of(parameter).measures]


class Said:
    """Makes entries of what the stream said of readings of one parameter."""

    def __init__(self, parameter: str) -> None:
        self.names = table(parameter).names
        self._measured = measured_columns(parameter)
        self._said = [name for name in self.names if name not in _NOT_SAID]

    def __call__(self, row: Mapping[str, Any], place: tuple[str, int, int]) -> tuple[Key, Entry]:
        """Make one; times in microseconds, ``deleted_at`` anything but None where it is deleted."""
        key = Key.sharing(*(row[name] for name in _KEY))
        raw = intern(row["raw_topic"]), row["raw_partition"], row["raw_offset"]
        live = row["deleted_at"] is None
        return key, Entry(
            station=intern(row["station_id"]),
            measured=hashed(key, rounded(row[name] for name in self._measured)),
            version=row["source_version"] - (row["source_rank"] << VERSION_BITS),
            revision=row["revision"],
            live=live,
            verdict=hashed([row[name] for name in self._said]) if live else 0,
            place=place,
            time=row["processed_at"],
            observed=row["observed_at"],
            raw=raw,
        )


class CleanEntries:
    """Makes entries of clean records of one parameter."""

    def __init__(self, parameter: str, schema_of: Callable[[int], Schema], scope: Scope) -> None:
        self._fields = Fields(clean_schema(parameter), schema_of)
        self._said = Said(parameter)
        self._scope = scope

    def __call__(
        self, messages: Sequence[bytes | None], places: Sequence[tuple[str, int, int]]
    ) -> list[tuple[Key, Entry]]:
        """Give key and entry of those that are meant."""
        rows, of = self._fields(messages)
        of["deleted_at"] = [None if op == "upsert" else op for op in of["op"]]
        found = []
        for n, row in enumerate(rows):
            if self._scope.holds(of["observed_local"][n], of["station_id"][n]):
                record = {name: of[name][n] for name in self._said.names}
                found.append(self._said(record, places[row]))
        return found


def in_table(connection: Connection, parameter: str, scope: Scope) -> Entries:
    """Read the rows of a parameter that are meant."""
    said, found = Said(parameter), Entries()
    first, end = wall(scope.since), wall(scope.until)
    query = _ROWS.format(
        columns=SQL(", ").join(map(Identifier, said.names)),
        table=Identifier("weather", parameter),
        since=(first - _FARTHEST).replace(tzinfo=UTC),
        until=(end + _FARTHEST).replace(tzinfo=UTC),
        first=first,
        end=end,
        any=not scope.stations,
        stations=list(scope.stations),
    )
    with connection.cursor("reconcile") as rows:
        rows.itersize = _ROWS_AT_ONCE
        for values in rows.execute(query):
            row = {name: _micros(v) for name, v in zip(said.names, values, strict=True)}
            key, entry = said(row, (row["raw_topic"], row["raw_partition"], row["raw_offset"]))
            keep(found, key, entry)
    return found


def _micros(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return (value - (_EPOCH if value.tzinfo else wall(0))) // _MICRO
