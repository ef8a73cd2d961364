"""Checks: what readings of the last days are worth, and whether all of them are there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from operate.jobs.config import day_before
from operate.jobs.kinds.imports import span_of
from operate.jobs.work import Outcome, Work
from operate.reconcile.entries import wall
from operate.reconcile.run import reconcile
from operate.reconcile.scope import Scope
from runtime.errors import Configuration
from schemas.topics import PARAMETERS
from sink.database import Connection
from weather.score import Scores

_DAYS_BACK: Final = 30
_DAYS_COMPARED: Final = 7
_DAY_SECONDS: Final = 86_400.0
_COUNTS: Final = """
SELECT day.station_id, day.sensor_id, {parameter} AS parameter, sum(readings)::bigint AS readings,
       sum(good)::bigint AS good, sum(suspect)::bigint AS suspect, sum(failed)::bigint AS failed,
       sum(missing)::bigint AS missing, extract(epoch FROM min(cadence))::float8 AS cadence
FROM {rollup} AS day
LEFT JOIN weather.sensor_cadence AS known ON known.sensor_id = day.sensor_id
WHERE bucket >= %(since)s AND bucket < %(until)s AND (%(all)s OR station_id = ANY(%(stations)s))
GROUP BY 1, 2
"""


def quality(work: Work) -> Outcome:
    """Score each sensor over the last 30 days, or over the dates that were asked for.

    What the tests of the stream said is counted from the daily aggregates: completeness (what came
    with a value, of what its cadence promises) and validity (good 1, suspect a half, failed 0).
    """
    since, until = _times(work, _DAYS_BACK)
    found: list[dict[str, Any]] = []
    for number, parameter in enumerate(work.config.parameters or PARAMETERS):
        if work.stop.is_set():
            return Outcome(left=("stopped",))
        work.stage(f"judge {parameter}", 100.0 * number / len(PARAMETERS))
        with work.database.transaction("counting flags") as connection:
            found += _counts(connection, work, parameter, since, until)
    days = (until - since).total_seconds() / _DAY_SECONDS
    sensors = [scored(row, days) for row in found]
    metrics, threshold = work.metrics, work.config.quality_threshold
    metrics.extracted = sum(row["readings"] for row in sensors)
    metrics.transformed = metrics.loaded = metrics.extracted
    metrics.failed = sum(row["failed"] for row in sensors)
    known = [row["score"] for row in sensors if row["score"] is not None]
    metrics.score = round(float(np.mean(known)), 4) if known else None
    below = [row for row in sensors if row["score"] is not None and row["score"] < threshold]
    return Outcome(
        {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "threshold": threshold,
            "below": sorted(row["sensor"] for row in below),
            "sensors": sensors,
        }
    )


def scored(row: dict[str, Any], days: float) -> dict[str, Any]:
    """Score a sensor by its counts, over so many days.

    >>> counts = dict(station_id="A", sensor_id="A:wind", parameter="wind", readings=24, good=20,
    ...               suspect=2, failed=2, missing=0, cadence=3600.0)
    >>> scored(counts, 1.0)["score"]
    0.875
    """
    judged = row["good"] + row["suspect"] + row["failed"]
    there = row["readings"] - row["missing"]
    expected = days * _DAY_SECONDS / row["cadence"] if row["cadence"] else row["readings"]
    nothing = np.array([np.nan])
    scores = Scores(
        completeness=np.array([min(1.0, there / max(expected, there, 1))]),
        validity=np.array([(row["good"] + row["suspect"] / 2) / judged]) if judged else nothing,
        timeliness=nothing,
        consistency=nothing,
        uniqueness=nothing,
    )
    score = float(scores.score[0])
    return {
        "station": row["station_id"],
        "sensor": row["sensor_id"],
        "readings": row["readings"],
        "expected": round(expected),
        "suspect": row["suspect"],
        "failed": row["failed"],
        "missing": row["missing"],
        "completeness": round(float(scores.completeness[0]), 4),
        "validity": round(float(scores.validity[0]), 4) if judged else None,
        "score": None if np.isnan(score) else round(score, 4),
    }


def compare(work: Work) -> Outcome:
    """Compare source, topics and tables over the last 7 days, or the dates that were asked for."""
    work.stage("compare")
    since, until = _times(work, _DAYS_COMPARED)
    span = (work.config.spans() or (span_of(since.replace(tzinfo=None),
                                            until.replace(tzinfo=None)),))[0]  # fmt: skip
    scope = Scope(*span, work.config.parameters or PARAMETERS, work.config.stations)

    def tell(what: str) -> None:
        work.stage(f"read {what}")

    report = reconcile(work.settings, scope, mend=work.config.repair, who=work.who, tell=tell)
    totals = report.totals()
    metrics = work.metrics
    metrics.extracted, metrics.transformed, metrics.loaded = (
        sum(row[hop] for row in totals) for hop in ("source", "clean", "table")
    )
    wrong = [one for one in report.differences if one.is_wrong]
    metrics.failed = len(wrong)
    causes = {f"{p}, {hop}: {cause}": n for (p, hop, cause), n in sorted(report.causes().items())}
    result = {
        "from": wall(scope.since).isoformat(),
        "to": wall(scope.until).isoformat(),
        "totals": totals,
        "causes": causes,
        "sound": report.is_sound,
    }
    return Outcome(result)


def _times(work: Work, days: int) -> tuple[datetime, datetime]:
    """Give the days that were asked for, or so many before the job's, by the zone of the jobs."""
    zone = ZoneInfo(work.settings.jobs.zone)
    spans = work.config.spans()
    if len(spans) > 1:
        problem = "years that do not touch are more than one stretch of time"
        raise Configuration(problem, mend="ask for each of them")
    local = work.due.astimezone(zone)
    since, until = day_before(local + timedelta(days=1), work.config.days_back or days)
    if spans:
        since, until = wall(spans[0].start), wall(spans[0].end)
    return since.replace(tzinfo=zone), until.replace(tzinfo=zone)


def _counts(
    connection: Connection, work: Work, parameter: str, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    query = SQL(_COUNTS).format(
        parameter=parameter, rollup=Identifier("rollup", f"{parameter}_day")
    )
    values = {
        "since": since,
        "until": until,
        "all": not work.config.stations,
        "stations": list(work.config.stations),
    }
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
