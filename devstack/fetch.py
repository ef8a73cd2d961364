"""Makes the cache complete, with one fetch at a time however many stacks start."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from devstack.events import Event, Progressed
from devstack.fetch_maven import fetch_kafka, fetch_registry
from devstack.fetch_npm import fetch_packages
from devstack.state import locked
from runtime.errors import Transient


def fetch_all(cache: Path, progress: Progressed, *, timescale: bool) -> None:
    """Fetch what is missing of Kafka, the registry and, when it is wanted, TimescaleDB.

    Raises:
        Transient: a download failed; what is complete is kept.
        System: a file is not the one that was pinned.

    """
    jobs = [fetch_kafka, fetch_registry, *([fetch_packages] if timescale else [])]
    halt = threading.Event()
    with locked(cache / "fetch.lock"), ThreadPoolExecutor(len(jobs)) as pool:
        _tidy(cache)
        fetches = [pool.submit(job, cache, _until(halt, progress)) for job in jobs]
        try:
            done, _ = wait(fetches, return_when=FIRST_EXCEPTION)
        finally:
            halt.set()  # one has failed, or the user has had enough: the others stop downloading
    for each in done:
        each.result()


def _tidy(cache: Path) -> None:
    """Delete what a killed fetch left; nobody else fetches now."""
    for scratch in cache.glob("partial-*"):
        shutil.rmtree(scratch, ignore_errors=True)


def _until(halt: threading.Event, progress: Progressed) -> Progressed:
    """Break off a download at its next sign of progress once ``halt`` is set."""

    def report(event: Event) -> None:
        if halt.is_set():
            problem = f"the download of {event.part} was broken off"
            raise Transient(problem, mend="start again: what is complete is kept")
        progress(event)

    return report
