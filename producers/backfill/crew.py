"""The workers of a job, as threads of one process; a second process shuts all of them out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Final

from producers.backfill.opened import World
from producers.backfill.worker import Shared, Worker
from producers.publishing.publisher import Publisher
from runtime import logs

MOST_WORKERS: Final = 8
_LOOK_SECONDS: Final = 0.5


def take_over(world: World, job: str, workers: int, before: int) -> list[Publisher]:
    """Shut out the workers of every earlier process, and give the publishers of ours.

    ``before`` is how many an earlier process had: all of them are shut out, though we may be fewer.

    Raises:
        Transient: the broker is not ready for it.
    """
    numbers = range(max(workers, before))
    with ThreadPoolExecutor(len(numbers)) as pool:
        publishers = list(pool.map(partial(world.publisher, job), numbers))
    for publisher in publishers[workers:]:
        publisher.close()
    return publishers[:workers]


def work(
    world: World,
    job: str,
    shared: Shared,
    publishers: Sequence[Publisher],
    stop: threading.Event,
    watch: Callable[[], None],
) -> None:
    """Let workers work until nothing is left, or ``stop`` is set; ``watch`` is called meanwhile.

    Raises:
        Fenced: another process has taken up the job.
    """
    workers = [
        Worker(n, shared, world.messages(), publisher, partial(world.publisher, job, n))
        for n, publisher in enumerate(publishers)
    ]
    with ThreadPoolExecutor(len(workers), "backfill", logs.carried()) as pool:
        running = [pool.submit(worker.run) for worker in workers]
        try:
            _attend(running, shared.halt, stop, watch)
        finally:
            shared.halt.set()
    for worker in workers:
        worker.close()
    for ended in running:
        ended.result()


def _attend(
    running: Sequence[Future[None]],
    halt: threading.Event,
    stop: threading.Event,
    watch: Callable[[], None],
) -> None:
    """Watch them, and pass on that they are to end; one that breaks ends all."""
    while True:
        ended, working = wait(running, _LOOK_SECONDS, FIRST_EXCEPTION)
        watch()
        if not working:
            return
        if stop.is_set() or any(one.exception() for one in ended):
            halt.set()
