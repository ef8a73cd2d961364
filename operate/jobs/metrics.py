"""What the jobs tell Prometheus: what failed and when it last went well, what waits and works."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from operate.alerts.ledger import Ledger
from operate.jobs.fleet import depths
from operate.jobs.scheduler import utc_now
from operate.jobs.settings import JobsSettings
from runtime.errors import AosError
from sink.database import Connection, Database
from sink.settings import SinkSettings

_LOGGER: Final = logging.getLogger("aos.jobs")
_SUCCEEDED: Final = """
SELECT job, max(finished_at) FROM ops.job_run WHERE status = 'succeeded' GROUP BY job
"""


class JobGauges(Collector):
    """Asks the database when it is asked; while that is away, it tells nothing."""

    def __init__(self, sink: SinkSettings, jobs: JobsSettings) -> None:
        self._sink, self._jobs = sink, jobs

    def collect(self) -> Iterable[Any]:
        """Give the gauges as they are at this moment."""
        try:
            with closing(Database(self._sink)) as database:
                return self._collected(database)
        except AosError as error:
            _LOGGER.warning("the metrics of jobs cannot be told: %s", error)
            return []

    def _collected(self, database: Database) -> list[GaugeMetricFamily]:
        failed = Ledger(database).failed_jobs()
        with database.transaction("asking how jobs stand") as connection:
            succeeded: dict[str, datetime] = dict(connection.execute(_SUCCEEDED).fetchall())
            queues = _queues(connection)
        names = {schedule.job for schedule in self._jobs.schedules.values()}
        return [
            _gauge("failed_runs", "Runs of the last day that failed, none behind them going well.",
                   "name", {name: float(failed.get(name, 0)) for name in names | failed.keys()}),
            _gauge("success_timestamp_seconds", "When the last run that succeeded was over.",
                   "name", {name: at.timestamp() for name, at in succeeded.items()}),
            _gauge("period_seconds", "How far apart its next two moments by the clock lie.",
                   "name", periods(self._jobs, utc_now())),
            *queues,
        ]  # fmt: skip


def periods(jobs: JobsSettings, now: datetime) -> dict[str, float]:
    """Say how far apart the moments of each scheduled job lie, in seconds.

    >>> from datetime import UTC
    >>> periods(JobsSettings(), datetime(2020, 1, 1, tzinfo=UTC))["hourly_import"]
    3600.0
    """
    found: dict[str, float] = {}
    for schedule in jobs.schedules.values():
        cron = jobs.cron(schedule)
        first = cron.following(now)
        apart: timedelta = cron.following(first) - first
        known = found.get(schedule.job, apart.total_seconds())
        found[schedule.job] = min(known, apart.total_seconds())
    return found


def _queues(connection: Connection) -> list[GaugeMetricFamily]:
    known = depths(connection)
    ready = {queue.value: float(depth.ready) for queue, depth in known.items()}
    working = {queue.value: float(depth.working) for queue, depth in known.items()}
    return [
        _gauge("ready_runs", "Runs that wait and may begin.", "queue", ready),
        _gauge("working_runs", "Runs at work.", "queue", working),
    ]


def _gauge(name: str, told: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"aos_jobs_{name}", told, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family
