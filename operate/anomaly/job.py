"""The job ``train_anomaly_model``: learn anew; and where models judge already, let the new ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from operate.anomaly import store, tuning
from operate.anomaly.training import ALERT_RATE, train_at
from operate.jobs.work import Work
from sink.database import Connection

_YEAR = 365


class _Tables:
    """The job's own way to the tables."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @contextmanager
    def database(self, doing: str = "asking") -> Iterator[Connection]:
        """Open a transaction."""
        with self._work.database.transaction(doing) as connection:
            yield connection


def train(work: Work) -> dict[str, Any]:
    """Train models that are named by the job's moment, so that a second attempt makes the same.

    Nothing begins to judge by a model of itself. Where the rules that hold carry models, the new
    ones take their place, tuned to the same rate of alerts.

    Raises:
        AosError: database, brokers or registry do not answer.
    """
    tables, config = _Tables(work), work.config
    days = config.days_back or _YEAR
    told: dict[str, Any] = train_at(tables, work.due, config.parameters, days)
    versions = {one["version"] for one in told.values() if "version" in one}
    judging = tuning.holding(work.settings)
    if not judging or versions <= {one.version for one in judging.values()}:
        return {"models": told, "ruleset": None}
    rates = {name: one.rate for name, one in judging.items() if one.rate is not None}
    with tables.database() as connection:
        newest = store.newest(connection)
    models = {name: one.at(rates.get(name, ALERT_RATE)) for name, one in newest.items()}
    why = f"models trained by job {work.run_id}"
    made = tuning.publish(work.settings, models, None, why)
    return {"models": told, "ruleset": made.ruleset.version}
