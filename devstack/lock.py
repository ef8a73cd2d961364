"""Writes the lists of what the stack is made of: ``python -m devstack.lock``.

Run it to raise a version: change it below (or in ``tsdb_wire/package.json``), run, read the
difference, commit. Each line of ``kafka.lock`` and ``registry.lock`` is one file with its sha256,
as the configured Maven repository gave it today; jgo compares it with the repository's own sha1.
"""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devstack.cache import aside, cache_directory
from devstack.fetch_maven import KAFKA_LOCK, REGISTRY_LOCK, Pinned, download, maven
from devstack.fetch_npm import WIRE, npm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jgo.maven import MavenContext

KAFKA: Final = "org.apache.kafka:kafka_2.13:4.3.1"
LOG4J: Final = "org.apache.logging.log4j:log4j-slf4j-impl"
"""Kafka logs through SLF4J 1.7; without its bridge to log4j it says nothing at all."""

REGISTRY: Final = "io.apicurio:apicurio-registry-app:2.6.13.Final:all:tar.gz"

_HEAD: Final = "# Written by `python -m devstack.lock`: coordinate, sha256, bytes.\n"


def main() -> None:
    """Write the three lock files."""
    with aside(cache_directory()) as scratch:
        context = maven(scratch, _unwatched)
        _write(KAFKA_LOCK, kafka_coordinates(context), context)
        _write(REGISTRY_LOCK, [REGISTRY], context)
        shutil.copy(WIRE / "package.json", scratch)
        npm(
            scratch, "install", "--package-lock-only", "--omit-lockfile-registry-resolved"
        ).check_returncode()
        shutil.copy(scratch / "package-lock.json", WIRE)


def kafka_coordinates(context: MavenContext) -> list[str]:
    """Resolve the broker's whole class path.

    The broker is asked for "raw": otherwise jgo reads every POM as a bill of materials too, and
    lets a library deep in the tree choose an old kafka-clients.
    """
    broker = context.create_dependency(f"{KAFKA}!")
    _, below = context.resolver.resolve([broker])
    found = {f"{each.groupId}:{each.artifactId}": each.version for each in below}
    bridge = f"{LOG4J}:{found['org.apache.logging.log4j:log4j-core']}"
    return sorted([KAFKA, bridge, *(f"{name}:{version}" for name, version in found.items())])


def _write(lock: Path, coordinates: list[str], context: MavenContext) -> None:
    with ThreadPoolExecutor(4) as pool:
        lines = pool.map(lambda coordinate: _pin(coordinate, context), coordinates)
    lock.write_text(_HEAD + "".join(lines), encoding="utf-8")


def _pin(coordinate: str, context: MavenContext) -> str:
    content = download(Pinned(coordinate, "", 0), context).read_bytes()
    return f"{coordinate} {hashlib.sha256(content).hexdigest()} {len(content)}\n"


@contextmanager
def _unwatched(_filename: str, _size: int) -> Iterator[Callable[[int], None]]:
    yield lambda _bytes: None


if __name__ == "__main__":
    main()
