"""The job ``quality_report``: a week's report, made and kept."""

from __future__ import annotations

from datetime import date
from typing import Any

from operate.jobs.work import Work
from operate.reports import store
from operate.reports.weekly import build


def report(work: Work, since: date, until: date) -> dict[str, Any]:
    """Make the report of some local days and keep it; made again, it takes its own place.

    Raises:
        AosError: the database does not answer.
    """
    with work.database.transaction("making a report") as connection:
        made = build(connection, since, until)
        number = store.put(connection, made)
    attention = made.document["attention"]
    return {"report": number, "score": made.document["score"], "attention": attention[:20]}
