"""How many readings a change touches, told by the columns of the tables.

By sensor and by metadata that is a look into indexes; by ruleset or mapping the readings of
the stretch of time that is named are looked through, so name one where the tables are large.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from psycopg.sql import SQL, Composable, Identifier

from operate.lineage.trace import parameter_of
from operate.settings import Settings
from runtime.errors import Configuration
from schemas.topics import PARAMETERS
from sink.database import Connection, Database

_COUNT: Final = SQL("""
SELECT count(*), count(DISTINCT sensor_id), min(observed_at), max(observed_at)
FROM {table} AS reading
WHERE deleted_at IS NULL AND {condition}
  AND ({since}::timestamptz IS NULL OR observed_at >= {since})
  AND ({until}::timestamptz IS NULL OR observed_at < {until})
""")


class Change(StrEnum):
    """What may change."""

    SENSOR = "sensor"
    STATION = "station"
    METADATA = "metadata"
    CALIBRATION = "calibration"
    MAPPING = "mapping"
    RULESET = "ruleset"


_CONDITIONS: Final[dict[Change, Composable]] = {
    Change.SENSOR: SQL("sensor_id = %(name)s"),
    Change.STATION: SQL("station_id = %(name)s"),
    Change.METADATA: SQL(
        "sensor_id IN (SELECT sensor_id FROM weather.sensor WHERE metadata_version = %(name)s)"
        " AND metadata_version = %(name)s"
    ),
    Change.CALIBRATION: SQL(
        "sensor_id IN (SELECT sensor_id FROM weather.sensor WHERE calibration_version = %(name)s)"
        " AND calibration_version = %(name)s"
    ),
    Change.MAPPING: SQL(
        "source_name = split_part(%(name)s, ':', 1)"
        " AND mapping_version = split_part(%(name)s, ':', 2)::integer"
    ),
    Change.RULESET: SQL("ruleset_version = %(name)s"),
}


@dataclass(frozen=True, slots=True)
class Touched:
    """Readings of one parameter that a change touches."""

    parameter: str
    readings: int
    sensors: int
    first: datetime | None
    last: datetime | None


def impact(
    settings: Settings,
    change: Change,
    name: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Touched]:
    """Count what a change touches, by parameter; a mapping is named ``source:version``.

    Raises:
        Configuration: the name is none of what is to change.
        AosError: the database does not answer.
    """
    if change is Change.MAPPING and not name.partition(":")[2].isdecimal():
        option, problem = "NAME", "it is no source and version"
        raise Configuration.of(option, name, problem, mend="name a mapping like sample:1")
    wanted = [parameter_of(name)] if change is Change.SENSOR else PARAMETERS
    values = {"name": name, "since": since, "until": until}
    with closing(Database(settings.sink)) as database:
        database.check()
        with database.transaction("counting readings") as connection:
            found = [_touched(connection, change, p, values) for p in wanted]
    return [one for one in found if one.readings]


def _touched(
    connection: Connection, change: Change, parameter: str, values: dict[str, Any]
) -> Touched:
    query = _COUNT.format(
        table=Identifier("weather", parameter),
        condition=_CONDITIONS[change],
        since=SQL("%(since)s"),
        until=SQL("%(until)s"),
    )
    return Touched(parameter, *connection.execute(query, values).fetchall()[0])
