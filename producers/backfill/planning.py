"""What a start of a job has to do: go on with what was begun, do it again, or nothing. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from producers.backfill.journal import Job
from producers.backfill.plan import Plan
from producers.backfill.request import Request
from runtime.errors import Configuration


def check_same(name: str, before: Job | None, request: Request) -> None:
    """See that a job which is not done goes on as it was begun.

    Raises:
        Configuration: it was asked for something else.
    """
    if before is None or before.done or before.request.same_as(request):
        return
    option, problem = "--job", "it is not done yet, and was asked for something else"
    mend = f"`aos backfill --job {name}` goes on with it; --again begins anew; or name another job"
    raise Configuration.of(option, name, problem, mend=mend)


def next_job(
    before: Job | None,
    request: Request,
    workers: int,
    make: Callable[[], Plan],
    *,
    again: bool,
) -> Job:
    """Give the job to be done in a table; one that was begun keeps its plan, and so its chunks.

    ``workers`` never falls: whoever comes next has to know of all that ever were.
    """
    if before is None:
        return Job(request, 1, workers, done=False, plan=make())
    workers = max(workers, before.workers)
    if again or not before.request.same_as(request):
        return Job(request, before.round + 1, workers, done=False, plan=make())
    return replace(before, workers=workers)
