"""Makes the cache complete, with one fetch at a time however many stacks start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devstack.events import Progressed
from devstack.fetch_maven import fetch_kafka, fetch_registry
from devstack.fetch_npm import fetch_packages
from devstack.state import locked


def fetch_all(cache: Path, progress: Progressed, *, timescale: bool) -> None:
    """Fetch what is missing of Kafka, the registry and, when it is wanted, TimescaleDB.

    Raises:
        Transient: a download failed; what is complete is kept.
        System: a file is not the one that was pinned.

    """
    jobs = [fetch_kafka, fetch_registry, *([fetch_packages] if timescale else [])]
    with locked(cache / "fetch.lock"), ThreadPoolExecutor(len(jobs)) as pool:
        for result in [pool.submit(job, cache, progress) for job in jobs]:
            result.result()
