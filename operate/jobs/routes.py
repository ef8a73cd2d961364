"""Jobs over HTTP: ask for one, cancel it, see what is at work and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from operate.api.context import Context
from operate.jobs.asking import jobs as opened_jobs
from operate.jobs.catalogue import KINDS
from operate.jobs.config import JobConfig
from operate.jobs.scheduler import utc_now
from operate.jobs.settings import JobsSettings
from operate.jobs.supervisor import opened
from operate.jobs.workers import queues, workers
from operate.settings import Settings
from runtime.errors import Configuration

_API: Final = "api"
Answer = TypeVar("Answer")


class Asked(BaseModel):
    """A job that is asked for."""

    model_config = ConfigDict(extra="forbid")

    job: str
    config: dict[str, Any] = {}
    after: tuple[int, ...] = ()
    priority: int | None = None
    who: str = Field(default=_API, min_length=1)


def router(context: Context) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["jobs"])
    _add_views(routes, context.settings)
    _add_runs(routes, context.settings)
    return routes


def _add_views(routes: APIRouter, settings: Settings) -> None:
    """Add what only looks at all of them."""

    @routes.get("/jobs", summary="The jobs there are, and when they come next.")
    def catalogue() -> list[dict[str, Any]]:
        return listed(settings.jobs)

    @routes.get("/jobs/workers", summary="Who works, and at what; what waits in each queue.")
    def who_works() -> dict[str, Any]:
        with opened(settings) as database:
            found = workers(database, settings.jobs)
            with database.transaction("counting what waits") as connection:
                return {"workers": found, "queues": queues(connection, settings.jobs)}

    @routes.get("/jobs/runs", summary="The newest runs; active ones alone, if so asked.")
    def runs(
        job: str | None = None,
        active: bool = False,
        most: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> list[dict[str, Any]]:
        with opened_jobs(settings) as found:
            known = found.active() if active else found.history(job, most=most)
        return [one.as_document() for one in known if job in {None, one.job}]


def _add_runs(routes: APIRouter, settings: Settings) -> None:
    """Add what is done with one run."""

    @routes.post("/jobs/runs", status_code=HTTPStatus.CREATED, summary="Ask for a job.")
    def run(asked: Asked) -> dict[str, Any]:
        config = JobConfig.of(asked.config)
        with opened_jobs(settings) as found:
            number = found.run(
                asked.job, config, after=asked.after, priority=asked.priority, who=asked.who
            )
            return found.status(number).as_document()

    @routes.get("/jobs/runs/{number}", summary="One run: its configuration and its metrics.")
    def show(number: int) -> dict[str, Any]:
        with opened_jobs(settings) as found:
            return _or_404(lambda: found.status(number).as_document())

    @routes.delete("/jobs/runs/{number}", summary="Cancel a run; one at work stops soon.")
    def cancel(number: int) -> dict[str, Any]:
        with opened_jobs(settings) as found:
            return {"run": number, "status": _or_404(lambda: found.cancel(number, _API))}


def listed(settings: JobsSettings) -> list[dict[str, Any]]:
    """Give a row for each kind of job, with its schedules and when they come next."""
    now = utc_now()
    found = []
    for kind in KINDS.values():
        mine = {n: s for n, s in settings.schedules.items() if s.job == kind.name}
        following = [settings.cron(schedule).following(now) for schedule in mine.values()]
        found.append(
            {
                "job": kind.name,
                "queue": kind.queue.value,
                "priority": kind.priority,
                "cron": ", ".join(schedule.cron for schedule in mine.values()),
                "zone": settings.zone if mine else "",
                "next": min(following).isoformat() if following else None,
                "does": kind.told,
            }
        )
    return found


def _or_404(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except Configuration as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error
