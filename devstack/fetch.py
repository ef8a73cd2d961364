"""Fetching what the stack runs on, once, into a cache; every file is checked before it counts.

An artefact is downloaded aside, compared with its pinned checksum, and renamed into place: what is
in place is whole. A fetch that was cut short goes on with the artefacts that are missing, and a
cache that is complete is used without network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runtime.errors import System

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devstack.events import Progressed

_PROJECT: Final = Path(__file__).resolve().parents[1]


def cache_directory() -> Path:
    """Give ``AOS_CACHE``, or ``.cache`` in the project's root."""
    return Path(os.environ.get("AOS_CACHE") or _PROJECT / ".cache").resolve()


def fetch_all(cache: Path, progress: Progressed, *, timescale: bool = True) -> None:
    """Make the cache complete: Kafka, the registry, and TimescaleDB when it is wanted.

    Raises:
        Transient: a download failed; what is complete is kept.
        System: a checksum does not match.

    """
    from devstack import fetch_maven, fetch_npm  # noqa: PLC0415 - they build on this module
    from devstack.state import locked  # noqa: PLC0415

    jobs = [fetch_maven.fetch_kafka, fetch_maven.fetch_registry]
    if timescale:
        jobs.append(fetch_npm.fetch_packages)
    with locked(cache / "fetch.lock"), ThreadPoolExecutor(len(jobs)) as pool:
        results: list[Future[None]] = [pool.submit(job, cache, progress) for job in jobs]
    for result in results:
        result.result()


@contextmanager
def aside(cache: Path) -> Iterator[Path]:
    """Give a scratch directory on the cache's own disk, so that a rename out of it is atomic."""
    cache.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def check(file: Path, sha256: str) -> None:
    """Compare a file with its pinned checksum.

    Raises:
        System: it is another file than the one that was pinned.

    """
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        problem = f"{file.name} was downloaded with sha256 {found}, but {sha256} is pinned"
        mend = (
            "do not use it: the repository or a proxy on the way gave another file; "
            "try again, or configure another Maven repository for jgo"
        )
        raise System(problem, mend=mend)
