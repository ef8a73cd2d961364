"""Two questions that people ask of such data, with the SQL that answers them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sink.database import Connection


@dataclass(frozen=True, slots=True)
class Query:
    """A question, what to look for in its answer, and the SQL."""

    title: str
    remark: str
    sql: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows that a query gave."""

    query: Query
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {**asdict(self.query), "rows": rows}


HOURLY_MEANS: Final = Query(
    "Hourly mean temperature of each station",
    "In the night of 3 November 2013 New York's clocks showed 01:00 twice: two hours, not one. "
    "Tucson (UAT) reports every minute.",
    """\
SELECT station_id, date_trunc('hour', observed_at) AS hour_utc,
       to_char(min(observed_local), 'HH24:MI') AS local_clock, count(*) AS readings,
       round(avg(value)::numeric, 2) AS mean_degc
FROM weather.temperature
WHERE flag = 1
  AND (observed_at >= '2013-11-03 05:00Z' AND observed_at < '2013-11-03 07:00Z'
    OR observed_at >= '2018-10-18 20:00Z' AND observed_at < '2018-10-18 22:00Z')
GROUP BY station_id, hour_utc ORDER BY hour_utc, station_id""",
)

WORST: Final = Query(
    "The worst-flagged readings",
    "The first stands as 1048.36 mph in the source. Its raw value is kept, its clean one is empty, "
    "so who reads `value` never meets it. The others are a broken thermometer in Tucson.",
    """\
SELECT station_id, measure, observed_at, raw_value, value, unit, flag, reason
FROM weather.reading_all
WHERE flag_range = 4
ORDER BY raw_value DESC
LIMIT 5""",
)


def ask(database: Connection, query: Query) -> Answer:
    """Run a query."""
    cursor = database.execute(query.sql.encode())
    columns = tuple(column.name for column in cursor.description or ())
    return Answer(query, columns, tuple(cursor.fetchall()))
