"""Jobs: what runs by the clock, when it is asked for, or when something happens in the stream.

::

    from operate.jobs import JobConfig, run_job, status
    run = run_job("quality_check", JobConfig(stations=("JFK",), days_back=30))
    status(run).score

What is imported here is loaded when it is first used: every stage reads the settings of jobs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operate.jobs.asking import (
        JobMetrics,
        Jobs,
        active_jobs,
        daily_update,
        historical_backfill,
        jobs,
        run_job,
        status,
    )
    from operate.jobs.config import JobConfig

__all__ = [
    "JobConfig",
    "JobMetrics",
    "Jobs",
    "active_jobs",
    "daily_update",
    "historical_backfill",
    "jobs",
    "run_job",
    "status",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        problem = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(problem)
    module = "config" if name == "JobConfig" else "asking"
    return getattr(import_module(f"operate.jobs.{module}"), name)
