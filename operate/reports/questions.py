"""What a report asks the tables: counts, not readings, so that a week of a network is little.

Days are those of the stations' own clocks; the reading of 00:00 belongs to the day before.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from psycopg import sql

from schemas import avsc
from schemas.topics import clean_schema
from sink.database import Connection
from weather.parameters import parameter_of

Row = dict[str, Any]

_SPAN: Final = """
    observed_local > %(since)s AND observed_local <= %(until)s AND deleted_at IS NULL
    AND observed_at > %(since)s::timestamp AT TIME ZONE 'UTC' - INTERVAL '1 day'
    AND observed_at < %(until)s::timestamp AT TIME ZONE 'UTC' + INTERVAL '1 day'
"""
_JUDGED: Final = """
    SELECT station_id, sensor_id, flag, {flags}, count(*) AS readings,
           least(greatest(floor(extract(epoch FROM extracted_at - observed_at) / 3600), 0),
                 169)::int AS hours_late
    FROM weather.{table} WHERE {span} GROUP BY station_id, sensor_id, flag, {flags}, hours_late
"""
_DAYS: Final = """
    SELECT day, sensor_id, station_id, readings, good, not_evaluated, suspect, failed, missing,
           expected, {mean} AS mean
    FROM weather.{view} WHERE day >= %(since)s AND day < %(until)s ORDER BY day, sensor_id
"""
_GAPS: Final = """
    SELECT sensor_id, last_before, first_after, absent,
           round(extract(epoch FROM duration) / 3600, 1)::float AS hours
    FROM weather.gaps(%(since)s::timestamp AT TIME ZONE 'UTC',
                      %(until)s::timestamp AT TIME ZONE 'UTC')
    ORDER BY duration DESC, sensor_id
"""
_SILENT: Final = """
    SELECT sensor_id, max(observed_at) AS last_heard
    FROM weather.latest JOIN weather.sensor_cadence AS known USING (sensor_id)
    WHERE observed_at < %(until)s::timestamp AT TIME ZONE 'UTC' - 3 * cadence - INTERVAL '1 day'
      AND observed_at > %(since)s::timestamp AT TIME ZONE 'UTC' - INTERVAL '28 days'
    GROUP BY sensor_id ORDER BY 2, 1
"""
_DUE: Final = """
    SELECT sensor_id, station_id, calibration_due
    FROM weather.sensor
    WHERE deleted_at IS NULL AND calibration_due < %(until)s::timestamptz + INTERVAL '60 days'
      AND valid_from <= %(until)s::timestamptz
      AND coalesce(valid_to, 'infinity') > %(until)s::timestamptz
    ORDER BY calibration_due, sensor_id
"""
_ODD: Final = """
    SELECT sensor_id, observed_at, {measure} AS value, flag, reason, ruleset_version
    FROM weather.{table} WHERE {span} AND flag_anomaly = 3 ORDER BY observed_at DESC LIMIT 20
"""
_NEWEST: Final = "SELECT max(observed_local) FROM weather.latest"


def newest_day(connection: Connection) -> date | None:
    """Give the last day of which there are readings."""
    ((newest,),) = connection.execute(_NEWEST).fetchall()
    return None if newest is None else (newest - timedelta(microseconds=1)).date()


def flag_fields(parameter: str) -> list[str]:
    """Name the flags of all tests of a parameter."""
    fields = avsc.field_names(clean_schema(parameter))
    return [name for name in fields if name.startswith("flag_")]


def judged(connection: Connection, parameter: str, since: date, until: date) -> list[Row]:
    """Count readings by sensor and by what all tests said: few rows, however many readings."""
    flags = sql.SQL(", ").join(map(sql.Identifier, flag_fields(parameter)))
    query = sql.SQL(_JUDGED).format(
        flags=flags, table=sql.Identifier(parameter), span=sql.SQL(_SPAN)
    )
    return _rows(connection, query, _span(since, until))


def days(connection: Connection, parameter: str, since: date, until: date) -> list[Row]:
    """Give each sensor's days: counts by flag, what was expected, the mean."""
    name = parameter_of(parameter).main.name
    names = {"mean": sql.Identifier(f"{name}_mean"), "view": sql.Identifier(f"{parameter}_day")}
    return _rows(connection, sql.SQL(_DAYS).format(**names), {"since": since, "until": until})


def odd(connection: Connection, parameter: str, since: date, until: date) -> list[Row]:
    """Give the newest readings that a model finds unusual."""
    names = {
        "measure": sql.Identifier(parameter_of(parameter).main.name),
        "table": sql.Identifier(parameter),
        "span": sql.SQL(_SPAN),
    }
    return _rows(connection, sql.SQL(_ODD).format(**names), _span(since, until))


def gaps(connection: Connection, since: date, until: date) -> list[Row]:
    """Give gaps between readings, the longest first."""
    return _rows(connection, sql.SQL(_GAPS), _span(since, until))


def silent(connection: Connection, since: date, until: date) -> list[Row]:
    """Give sensors that were heard of within four weeks, and not any more at the end."""
    return _rows(connection, sql.SQL(_SILENT), _span(since, until))


def calibrations(connection: Connection, until: date) -> list[Row]:
    """Give calibrations that are overdue, or due within 60 days of the end."""
    return _rows(connection, sql.SQL(_DUE), {"until": until})


def _span(since: date, until: date) -> dict[str, datetime]:
    """Give the local midnights that a span lies between."""
    given = {"since": since, "until": until}
    return {name: datetime.combine(day, time()) for name, day in given.items()}


def _rows(connection: Connection, query: sql.SQL | sql.Composed, values: Any) -> list[Row]:
    answer = connection.execute(query, values)
    names = [column.name for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer]
