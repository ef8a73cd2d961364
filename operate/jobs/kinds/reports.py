"""Reports and models: written by rooms of their own, and called from here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from operate.jobs.work import Outcome, Work
from operate.reconcile.entries import wall
from runtime.errors import Configuration


def quality(work: Work) -> Outcome:
    """Write the report of the week before the job's, Monday to Sunday, or of the dates given."""
    work.stage("report")
    since, until = week(work)
    return Outcome(_of_room("operate.reports.job", "report")(work, since, until))


def train(work: Work) -> Outcome:
    """Learn from the clean history before the job's moment."""
    work.stage("train")
    return Outcome(_of_room("operate.anomaly.job", "train")(work))


def week(work: Work) -> tuple[date, date]:
    """Give the dates that are reported on: the first, and the one behind the last."""
    if spans := work.config.spans():
        return wall(spans[0].start).date(), wall(spans[0].end).date()
    today = work.due.astimezone(ZoneInfo(work.settings.jobs.zone)).date()
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(days=work.config.days_back or 7), monday


def _of_room(module: str, function: str) -> Callable[..., dict[str, Any]]:
    try:
        found: Callable[..., dict[str, Any]] = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        problem = f"this installation has no {module}"
        raise Configuration(problem, mend="install all of aos-stream") from error
    return found
