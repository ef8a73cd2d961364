"""How many readings had which flag on which day, and what was found wrong with them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from psycopg import sql

from operate.given import wrong
from schemas.topics import PARAMETERS
from sink.database import Connection

Document = dict[str, Any]

DEFAULT: Final = timedelta(days=30)
MOST: Final = timedelta(days=800)

COUNTS: Final = ("readings", "good", "not_evaluated", "suspect", "failed", "missing")

# Of the day's aggregates, which stay when readings are dropped.
_DAYS: Final = """
SELECT day, {counts} FROM {table}
WHERE day >= %(since)s AND day <= %(until)s
GROUP BY day ORDER BY day
"""

# By the index that holds suspect and failed readings alone.
_REASONS: Final = """
SELECT split_part(word, ':', 1) AS word, count(*) AS readings
FROM {table} CROSS JOIN LATERAL unnest(string_to_array(coalesce(reason, 'unnamed'), ',')) AS word
WHERE flag IN (3, 4) AND deleted_at IS NULL
  AND observed_at >= %(since)s AND observed_at < %(until)s::date + 1
GROUP BY 1 ORDER BY readings DESC, 1
LIMIT %(limit)s
"""
_REASONS_AT_MOST: Final = 20


def quality(
    connection: Connection,
    since: date | None,
    until: date,
    parameters: tuple[str, ...] = PARAMETERS,
) -> Document:
    """Give counts of readings by parameter and local day, both ends included, and the reasons.

    ``days`` of a parameter are columns; ``reasons`` the most frequent words of suspect and failed
    readings, of which one may have several.

    Raises:
        Configuration: the days do not fit, or there is no such parameter.
    """
    given = {"since": since or until - DEFAULT, "until": until}
    _check(given["since"], until, parameters)
    return {
        "from": given["since"],
        "to": until,
        "parameters": {name: _of(connection, name, given) for name in parameters},
    }


def _of(connection: Connection, parameter: str, given: dict[str, Any]) -> Document:
    table = sql.Identifier("weather", f"{parameter}_day")
    sums = sql.SQL(", ").join(
        sql.SQL("sum({0})::bigint").format(sql.Identifier(name)) for name in COUNTS
    )
    days = connection.execute(sql.SQL(_DAYS).format(counts=sums, table=table), given).fetchall()
    why = sql.SQL(_REASONS).format(table=sql.Identifier("weather", parameter))
    reasons = connection.execute(why, {**given, "limit": _REASONS_AT_MOST}).fetchall()
    columns = {name: [row[at] for row in days] for at, name in enumerate(("day", *COUNTS))}
    return {"days": columns, "reasons": [{"reason": r, "readings": n} for r, n in reasons]}


def _check(since: date, until: date, parameters: tuple[str, ...]) -> None:
    if not timedelta(0) <= until - since <= MOST:
        mend = f"give two days in their order, {MOST.days} days apart at most"
        raise wrong(since.isoformat(), f"it is no day to begin with before {until}", mend, "from")
    for name in parameters:
        if name not in PARAMETERS:
            mend = f"take some of {', '.join(PARAMETERS)}"
            raise wrong(name, "there is no such parameter", mend, "parameter")
