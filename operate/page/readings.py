"""Readings of a sensor between two times, raw against clean; aggregates where they are many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import sql

from operate.given import wrong
from operate.page.ranges import MOST_POINTS, Resolution, Span, bounded, resolution
from schemas.topics import PARAMETERS
from sink.database import Connection

Document = dict[str, Any]

DEFAULT: Final = timedelta(days=7)
MOST: Final = timedelta(days=MOST_POINTS)


class Measure(NamedTuple):
    """Where the values of a measure stand: columns of readings and of aggregates; None: nowhere."""

    parameter: str
    unit: str | None
    value: str
    raw: str
    mean: str
    least: str | None
    greatest: str | None


def _scalar(parameter: str) -> Measure:
    names = "value", "raw_value", "value_mean", "value_min", "value_max"
    return Measure(parameter, None, *names)


MEASURES: Final[dict[str, Measure]] = {
    **{name: _scalar(name) for name in PARAMETERS if name != "wind"},
    "wind_speed": Measure(
        "wind", None, "speed", "raw_speed", "speed_mean", "speed_min", "speed_max"
    ),
    "wind_direction": Measure(
        "wind", "degree", "direction", "raw_direction", "vector_direction", None, None
    ),
    "wind_gust": Measure("wind", None, "gust", "raw_gust", "gust_max", None, None),
}

_ABOUT: Final = """
SELECT (SELECT cadence FROM weather.sensor_cadence WHERE sensor_id = %(sensor)s),
       newest.observed_at, newest.unit
FROM (
    SELECT observed_at, unit FROM {table}
    WHERE sensor_id = %(sensor)s AND deleted_at IS NULL
    ORDER BY observed_at DESC LIMIT 1
) AS newest
"""

# By the primary key: a plain range of one sensor.
_READINGS: Final = """
SELECT (extract(epoch FROM observed_at) * 1000)::bigint, {value}, {raw}, flag, reason
FROM {table}
WHERE sensor_id = %(sensor)s AND observed_at > %(since)s AND observed_at <= %(until)s
  AND deleted_at IS NULL
ORDER BY observed_at
LIMIT %(limit)s
"""

_AGGREGATES: Final = """
SELECT (extract(epoch FROM interval_end) * 1000)::bigint, {mean}, {least}, {greatest},
       readings, suspect, failed, missing
FROM {table}
WHERE sensor_id = %(sensor)s AND {key} >= %(since)s AND {key} <= %(until)s
ORDER BY {key}
LIMIT %(limit)s
"""

_READING_COLUMNS: Final = ("time", "value", "raw", "flag", "reason")
_AGGREGATE_COLUMNS: Final = (
    *("time", "value", "least", "greatest", "readings", "suspect", "failed", "missing"),
)


def series(
    connection: Connection,
    sensor: str,
    measure: str,
    since: datetime | None,
    until: datetime | None,
    limit: int = MOST_POINTS,
) -> Document:
    """Give columns of points; times are milliseconds since 1970 in UTC.

    Without ``until`` it ends with the newest reading. ``next`` is the ``from`` of what did not fit.

    Raises:
        Configuration: there is no such measure, or the times do not fit.
    """
    columns = measure_of(measure)
    asked = sql.SQL(_ABOUT).format(table=sql.Identifier("weather", columns.parameter))
    known = connection.execute(asked, {"sensor": sensor}).fetchone()
    cadence, newest, unit = known or (None, None, None)
    span = bounded(since, until or newest or datetime.now(UTC), DEFAULT, MOST)
    fine = resolution(span.length, cadence)
    rows = _asked(connection, columns, fine, sensor, span, limit)
    names = _READING_COLUMNS if fine is Resolution.READINGS else _AGGREGATE_COLUMNS
    return {
        "sensor_id": sensor,
        "measure": measure,
        "unit": columns.unit or unit,
        "resolution": fine.value,
        "cadence_seconds": cadence.total_seconds() if cadence else None,
        "newest": newest,
        "from": span.since,
        "to": span.until,
        "points": {name: [row[at] for row in rows[:limit]] for at, name in enumerate(names)},
        "next": _time_of(rows[limit - 1][0]) if len(rows) > limit else None,
    }


def measure_of(name: str) -> Measure:
    """Find a measure.

    Raises:
        Configuration: there is none of this name.
    """
    if name not in MEASURES:
        raise wrong(
            name, "there is no such measure", f"take one of {', '.join(MEASURES)}", "measure"
        )
    return MEASURES[name]


def _asked(
    connection: Connection,
    columns: Measure,
    fine: Resolution,
    sensor: str,
    span: Span,
    limit: int,
) -> list[tuple[Any, ...]]:
    given = {"sensor": sensor, "since": span.since, "until": span.until, "limit": limit + 1}
    return connection.execute(question(columns, fine), given).fetchall()


def question(columns: Measure, fine: Resolution) -> sql.Composed:
    """Compose the question; every name in it is one of ours."""
    if fine is Resolution.READINGS:
        return sql.SQL(_READINGS).format(
            table=sql.Identifier("weather", columns.parameter),
            value=sql.Identifier(columns.value),
            raw=sql.Identifier(columns.raw),
        )
    return sql.SQL(_AGGREGATES).format(
        table=sql.Identifier("weather", f"{columns.parameter}_{fine.value}"),
        key=sql.Identifier("day" if fine is Resolution.DAY else "bucket"),
        mean=sql.Identifier(columns.mean),
        least=_column(columns.least),
        greatest=_column(columns.greatest),
    )


def _column(name: str | None) -> sql.Composable:
    return sql.Identifier(name) if name else sql.SQL("NULL::float8")


def _time_of(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
