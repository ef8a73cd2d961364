"""``aos jobs worker``: schedules, triggers and workers of one host, looked after in one loop.

Any number of them may run: what is due is started once, and each looks after its own workers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

from operate.alerts.running import InTurn, watch
from operate.jobs import engine
from operate.jobs.fleet import Fleet
from operate.jobs.metrics import JobGauges
from operate.jobs.scheduler import Scheduler, check
from operate.jobs.triggers import LowScores, Silences
from operate.settings import Settings
from runtime.errors import Configuration, Transient
from runtime.kafka import check_reachable
from runtime.metrics import new_registry, served
from sink import migrate, upkeep
from sink.database import Database
from sink.roles import Roles

_LOGGER: Final = logging.getLogger("aos.jobs")
Look = Callable[[], Any]


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Give the database, its tables and those of the engine up to date.

    Raises:
        Configuration: it cannot be reached, or the tables are not there and we may not make them.
    """
    with closing(Database(settings.sink)) as database:
        database.check()
        prepare(database, settings)
        yield database


def prepare(database: Database, settings: Settings) -> None:
    """Bring the tables up to date, or see that they are.

    Raises:
        Configuration: they are not there, and we may not make them.
    """
    roles = Roles.of(settings.sink, settings.topics)
    if settings.sink.migrate_at_start and migrate.pending(database):
        upkeep.bring_up_to_date(database, settings.sink, roles)
    migrate.check_migrated(database)
    with database.transaction("looking for the tables of jobs") as connection:
        if engine.is_current(connection):
            return
    if not settings.sink.migrate_at_start:
        problem = "the tables of the engine of jobs are not there, or those of another release"
        raise Configuration(problem, mend="run `aos db migrate`, or set sink.migrate_at_start")
    engine.install(database, roles)


def run(settings: Settings, stop: threading.Event, config: Path | None = None) -> None:
    """Start what is due and whoever does it, until ``stop`` is set; then let all finish.

    Raises:
        Configuration: the database or the brokers cannot be reached at the start.
    """
    check(settings.jobs)
    check_reachable(settings.kafka)
    engine.quiet_engine()
    with opened(settings) as database, ExitStack() as beside:
        metrics = new_registry()
        metrics.register(JobGauges(settings.sink, settings.jobs))
        where = settings.jobs.metrics_port, "jobs.metrics_port", settings.jobs.metrics_host
        beside.enter_context(served(metrics, *where))
        fleet = Fleet(database, settings.jobs, config)
        beside.callback(fleet.stop)
        looks: list[Look] = [Scheduler(database, settings.jobs).look, fleet.look]
        if any(trigger.on == "silence" for trigger in settings.jobs.triggers.values()):
            looks.append(beside.enter_context(closing(Silences(settings, database))).look)
        threshold = settings.stream.quality_threshold
        looks.append(LowScores(database, settings.jobs, threshold).look)
        if settings.alerts.watch:
            watching = beside.enter_context(watch(settings))
            looks.append(InTurn(watching, settings.alerts.every_seconds).look)
        while not stop.is_set():
            for look in looks:
                _look(look)
            stop.wait(settings.jobs.poll_seconds)


def _look(look: Look) -> None:
    try:
        look()
    except Transient as error:
        _LOGGER.warning("looked in vain, and look again soon: %s", error)
