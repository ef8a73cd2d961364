"""The jobs there are: which queue each waits in, how urgent it is, and where its work is written.

The work itself is imported where it is done: asking for a job needs neither Kafka nor AOS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from operate.jobs.settings import Queue
from runtime.errors import Configuration

if TYPE_CHECKING:
    from operate.jobs.work import Outcome, Work


@dataclass(frozen=True, slots=True)
class Kind:
    """A job that may be asked for.

    Attributes:
        priority: of two that wait in a queue, the one with the greater goes first.
        place: module below ``operate.jobs.kinds`` and function that do it.
        told: what it does, in a line.
    """

    name: str
    queue: Queue
    priority: int
    place: str
    told: str

    def work(self) -> Callable[[Work], Outcome]:
        """Give the function that does it."""
        module, _, function = self.place.partition(":")
        found = getattr(import_module(f"operate.jobs.kinds.{module}"), function)
        return cast("Callable[[Work], Outcome]", found)


_KINDS: Final = (
    Kind("daily_import", Queue.INGESTION, 10, "imports:daily",
         "Read the last 7 days again, by observation time."),
    Kind("hourly_import", Queue.INGESTION, 20, "imports:hourly",
         "Read the last hours, by observation time."),
    Kind("historical_backfill", Queue.INGESTION, 0, "imports:historical",
         "Read years or dates of history."),
    Kind("quality_check", Queue.QUALITY, 20, "checks:quality",
         "Score the last 30 days of stations; name those below the threshold."),
    Kind("quality_report", Queue.QUALITY, 10, "reports:quality",
         "Write the report of a week."),
    Kind("train_anomaly_model", Queue.QUALITY, 0, "reports:train",
         "Learn from clean history what is unusual."),
    Kind("reconcile", Queue.MAINTENANCE, 20, "checks:compare",
         "Compare source, topics and tables."),
    Kind("retention_cleanup", Queue.MAINTENANCE, 0, "retention:cleanup",
         "Drop readings that are older than they have to be kept."),
)  # fmt: skip
KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _KINDS}


def kind_of(name: str) -> Kind:
    """Give a job by its name.

    Raises:
        Configuration: there is none of this name.
    """
    if name not in KINDS:
        option, problem = "job", "there is no such job"
        raise Configuration.of(option, name, problem, mend=f"name one of: {', '.join(KINDS)}")
    return KINDS[name]
