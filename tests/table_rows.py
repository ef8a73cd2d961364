"""Readings put straight into the tables, where a test is about the tables alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.sql import SQL, Identifier, Placeholder

from schemas.codec import Record
from schemas.topics import Topics
from sink.columns import table
from sink.database import Connection, Database
from sink.roles import Roles
from sink.settings import SinkSettings
from sink.upkeep import bring_up_to_date
from tests.clean_records import clean

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Undone(Exception):
    """Ends a transaction that leaves nothing behind."""


@contextmanager
def scratch(database_url: str, **changes: Any) -> Iterator[Connection]:
    """Give a migrated database in a transaction that is undone: others use it, too."""
    settings = SinkSettings(database_url=database_url, **changes)
    with closing(Database(settings)) as database:
        bring_up_to_date(database, settings, Roles.of(settings, Topics()))
        try:
            with database.transaction("testing") as connection:
                yield connection
                raise Undone
        except Undone:
            pass


def reading(
    parameter: str, station: str, at: str, zone: str = "UTC", minutes: float = 1, **changes: Any
) -> Record:
    """Make a clean record of a UTC time such as ``2020-01-01 00:10``, at a station of that zone."""
    aware = datetime.fromisoformat(at).replace(tzinfo=UTC)
    local = aware.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    times = {
        "observed_at": micros(aware),
        "interval_start": micros(aware - timedelta(minutes=minutes)),
        "observed_local": micros(local),
    }
    return clean(parameter, 0, station, **times, **changes)


def micros(aware: datetime) -> int:
    """Count microseconds since 1970."""
    return (aware - EPOCH) // timedelta(microseconds=1)


def put(connection: Connection, *records: Record) -> None:
    """Insert clean records as the sink would."""
    for parameter in {record["parameter"] for record in records}:
        rows = [_row(record) for record in records if record["parameter"] == parameter]
        statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(
            Identifier("weather", parameter),
            SQL(", ").join(map(Identifier, rows[0])),
            SQL(", ").join(map(Placeholder, rows[0])),
        )
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def fill(connection: Connection, parameter: str, sensors: int, since: str, hours: int) -> None:
    """Insert a reading a minute of sensors ``T0:…``, ``T1:…``, every hundredth one suspect."""
    put(connection, reading(parameter, "T", since))
    columns = [c.name for c in table(parameter).columns]
    varied = {
        "station_id": SQL("'T' || number"),
        "sensor_id": SQL("'T' || number || ':' || parameter"),
        "observed_at": SQL("observed_at + make_interval(mins => minute)"),
        "interval_start": SQL("interval_start + make_interval(mins => minute)"),
        "observed_local": SQL("observed_local + make_interval(mins => minute)"),
        "flag": SQL("CASE minute % 100 WHEN 0 THEN 3 ELSE 1 END"),
    }
    name = Identifier("weather", parameter)
    connection.execute(
        SQL(
            "INSERT INTO {} ({}) SELECT {} FROM {} AS one, generate_series(0, {}) AS number,"
            " generate_series(1, {}) AS minute"
            " WHERE one.sensor_id = {} ORDER BY minute, number"
        ).format(
            name,
            SQL(", ").join(map(Identifier, columns)),
            SQL(", ").join(varied.get(c, Identifier(c)) for c in columns),
            name,
            sensors - 1,
            hours * 60,
            f"T:{parameter}",
        )
    )
    connection.execute(SQL("DELETE FROM {} WHERE station_id = 'T'").format(name))
    connection.execute(SQL("ANALYZE {}").format(name))


def ask(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the tables."""
    return connection.execute(query.encode(), values or None).fetchall()


def _row(record: Record) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table(record["parameter"]).columns:
        value = record.get(column.name)
        if column.is_time and value is not None:
            value = EPOCH + timedelta(microseconds=value)
            value = value.replace(tzinfo=None) if column.name.endswith("_local") else value
        row[column.name] = value
    row["deleted_at"] = row["processed_at"] if record["op"] == "delete" else None
    return row
