"""One reading from the row of its source to the row of its table, and whether the right one won."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from operate.dlq.letters import Place
from operate.lineage.records import Verdict, raw_record, verdicts
from operate.lineage.source_row import source_row
from operate.reconcile.reading import published
from operate.settings import Settings
from operate.times import shown
from runtime.errors import AosError, Configuration
from schemas.codec import Record
from schemas.mapping import read_mapping
from schemas.registry import Registry
from schemas.topics import PARAMETERS
from sink.database import Connection, Database

_ROW: Final = SQL("SELECT * FROM {table} WHERE sensor_id = %s AND observed_at = %s")
_NEAR: Final = SQL("""
(SELECT observed_at FROM {table} WHERE sensor_id = %(sensor)s AND observed_at < %(at)s
 ORDER BY observed_at DESC LIMIT 1)
UNION ALL
(SELECT observed_at FROM {table} WHERE sensor_id = %(sensor)s AND observed_at > %(at)s
 ORDER BY observed_at LIMIT 1)
""")
_METADATA: Final = """
SELECT metadata_version, calibration_version, valid_from, valid_to, model, serial,
       calibration_scale, calibration_offset, calibration_due, deleted_at
FROM weather.sensor WHERE sensor_id = %s AND metadata_version = %s
ORDER BY valid_from
"""
_MEANS: Final = {1: "good", 2: "not evaluated", 3: "suspect", 4: "fail", 9: "missing"}
_SAID: Final = (
    "interval_start", "observed_at", "value", "raw_value", "speed", "raw_speed", "direction",
    "raw_direction", "gust", "raw_gust", "unit", "score", "reason", "corrections", "op",
    "ruleset_version", "mapping_version", "metadata_version", "calibration_version",
    "source_version", "revision", "processed_at", "deleted_at",
)  # fmt: skip


@dataclass(slots=True)
class Hop:
    """One station of a reading's way; ``problem`` says why nothing is known of it."""

    name: str
    place: str
    says: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class Trace:
    """The way of a reading, from its source to its table.

    Attributes:
        winner: whether no clean record that was looked at stands above the row; None: none was.
        versions: the clean records of the reading that were looked at.
    """

    sensor: str
    observed_at: datetime
    hops: list[Hop]
    winner: bool | None
    versions: list[dict[str, Any]]


def trace(settings: Settings, sensor: str, at: datetime, *, whole: bool = False) -> Trace:
    """Follow a reading back from its row.

    Clean records are looked for from the time of the row's verdict on, with ``whole`` from the
    beginning of their topic.

    Raises:
        Configuration: there is no such sensor or reading.
        AosError: database or brokers do not answer.
    """
    parameter = parameter_of(sensor)
    with (
        closing(Database(settings.sink)) as database,
        closing(Registry(settings.registry)) as registry,
    ):
        database.check()
        with database.transaction("looking up a reading") as connection:
            row = _row(connection, parameter, sensor, at)
            metadata = _metadata(connection, row)
        said = verdicts(settings, registry, row, since=None if whole else row["processed_at"])
        raw, record = _raw(settings, registry, parameter, row)
        mapping = _hop("mapping", f"{row['source_name']}:{row['mapping_version']}",
                       lambda: _mapping(settings, registry, parameter, row))  # fmt: skip
    hops = [
        _source(settings, row, record), mapping, raw, metadata, _clean(said, row),
        Hop("table", f"weather.{parameter}", _told(row)),
    ]  # fmt: skip
    rank = row["source_version"], row["revision"]
    winner = all(one.rank <= rank for one in said) if said else None
    return Trace(sensor, at, hops, winner, [_version(one) for one in said])


def parameter_of(sensor: str) -> str:
    """Tell the parameter of a sensor by its name.

    >>> parameter_of("JFK:wind:2")
    'wind'

    Raises:
        Configuration: it is no name of a sensor.
    """
    named = next((part for part in sensor.split(":")[1:] if part in PARAMETERS), None)
    if named is None:
        option, problem = "SENSOR", "it is no sensor"
        raise Configuration.of(option, sensor, problem, mend="name one like JFK:temperature")
    return named


def _row(connection: Connection, parameter: str, sensor: str, at: datetime) -> dict[str, Any]:
    table = Identifier("weather", parameter)
    cursor = connection.cursor(row_factory=dict_row)
    found = cursor.execute(_ROW.format(table=table), (sensor, at)).fetchone()
    if found is not None:
        return found
    near = connection.execute(_NEAR.format(table=table), {"sensor": sensor, "at": at}).fetchall()
    told = " and ".join(f"{each:%Y-%m-%dT%H:%M:%SZ}" for (each,) in near)
    problem = f"{sensor} has no reading of {at:%Y-%m-%dT%H:%M:%SZ}"
    raise Configuration(problem, mend=f"next to it are {told}" if told else "name another sensor")


def _metadata(connection: Connection, row: dict[str, Any]) -> Hop:
    version = row["metadata_version"]
    if version is None:
        return Hop("metadata", "", problem="none applied to the reading")
    cursor = connection.cursor(row_factory=dict_row)
    found = cursor.execute(_METADATA, (row["sensor_id"], version)).fetchall()
    held = [one for one in found if _is_valid(one, row["observed_at"])]
    if not held:
        return Hop("metadata", version, problem="the table of sensors does not have it")
    return Hop("metadata", version, held[-1])


def _is_valid(one: dict[str, Any], at: datetime) -> bool:
    return one["valid_from"] <= at and (one["valid_to"] is None or at < one["valid_to"])


def _raw(
    settings: Settings, registry: Registry, parameter: str, row: dict[str, Any]
) -> tuple[Hop, Record]:
    place = Place(row["raw_topic"], row["raw_partition"], row["raw_offset"])
    hop = _hop("raw", str(place), lambda: raw_record(settings, registry, parameter, place))
    record = dict(hop.says)
    hop.says = {name: shown(name, value) for name, value in record.items()}
    return hop, record


def _mapping(
    settings: Settings, registry: Registry, parameter: str, row: dict[str, Any]
) -> dict[str, Any]:
    known = published(settings, registry).get((row["source_name"], row["mapping_version"]))
    reading = known.reading_of(row["source_table"], parameter) if known else None
    return reading.model_dump(mode="json", exclude_none=True) if reading else {}


def _clean(said: list[Verdict], row: dict[str, Any]) -> Hop:
    rank = row["source_version"], row["revision"]
    ours = [one for one in said if one.rank == rank]
    if not ours:
        return Hop("clean", "", problem="the record of the row is not kept any more")
    return Hop("clean", str(ours[-1].place), _told(ours[-1].record))


def _source(settings: Settings, row: dict[str, Any], raw: Record) -> Hop:
    place = f"{row['source_name']}, {row['source_table']}, key {row['source_key']}"
    hop = _hop("source", place, lambda: _source_row(settings, row))
    hop.says |= {"cursor": raw["cursor"]} if "cursor" in raw and hop.says else {}
    return hop


def _source_row(settings: Settings, row: dict[str, Any]) -> dict[str, Any]:
    for source in settings.all_sources():
        if read_mapping(source.mapping).source == row["source_name"]:
            found = source_row(source, row["source_table"], row["source_key"])
            if found is not None:
                return found
    problem = "the row is not there any more"
    raise Configuration(problem, mend="`aos reconcile` tells what else is gone")


def _hop(name: str, place: str, look: Callable[[], dict[str, Any]]) -> Hop:
    """Look at a hop; that nothing can be seen there is what it says, and the others go on."""
    try:
        return Hop(name, place, look())
    except AosError as error:
        return Hop(name, place, problem=error.message)


def _told(record: dict[str, Any]) -> dict[str, Any]:
    """Give what was said of a reading, the flags in words."""
    said = {name: shown(name, record[name]) for name in _SAID if record.get(name) is not None}
    flags = {n: _MEANS.get(v, v) for n, v in record.items() if n.startswith("flag")}
    return said | flags


def _version(one: Verdict) -> dict[str, Any]:
    names = ("op", "source_version", "revision", "flag", "reason", "processed_at")
    return {"place": str(one.place)} | {n: shown(n, one.record[n]) for n in names}
