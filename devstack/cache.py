"""The cache of what the stack runs on: every file is checked before it counts.

An artefact is downloaded aside, compared with its pinned checksum, and renamed into place: what is
in place is whole. A fetch that was cut short goes on with the artefacts that are missing, and a
cache that is complete is used without network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runtime.errors import System

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROJECT: Final = Path(__file__).resolve().parents[1]


def cache_directory() -> Path:
    """Give ``AOS_CACHE``, or ``.cache`` in the project's root."""
    return Path(os.environ.get("AOS_CACHE") or _PROJECT / ".cache").resolve()


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
        mend = "name another Maven repository in jgo's configuration: this one gave another file"
        raise System(problem, mend=mend)
