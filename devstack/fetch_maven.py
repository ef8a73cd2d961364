"""What comes from Maven: Kafka's jars and the registry's archive, each pinned in a lock file.

A lock line is ``group:artifact:version[:classifier:type] sha256 bytes``. jgo knows where Maven
repositories are (its own default, or ``[repositories]`` in its configuration file) and downloads;
which files, is our list alone. ``python -m devstack.lock`` writes the lists anew.
"""

from __future__ import annotations

import shutil
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver

from devstack.cache import aside, check
from devstack.events import Event
from runtime.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from devstack.events import Progressed

_HERE: Final = Path(__file__).parent
KAFKA_LOCK: Final = _HERE / "kafka.lock"
REGISTRY_LOCK: Final = _HERE / "registry.lock"

_AT_ONCE: Final = 6
_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Pinned:
    """One file of a Maven repository, and what it must be."""

    coordinate: str
    sha256: str
    size: int

    @classmethod
    def read(cls, lock: Path) -> list[Pinned]:
        """Read a lock file; lines that start with ``#`` are remarks."""
        lines = [line.split() for line in lock.read_text(encoding="utf-8").splitlines()]
        return [cls(line[0], line[1], int(line[2])) for line in lines if line and line[0] != "#"]

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """Group, artifact, version, classifier, type.

        >>> Pinned("org.slf4j:slf4j-api:1.7.36", "", 0).parts
        ('org.slf4j', 'slf4j-api', '1.7.36', '', 'jar')
        """
        group, artifact, version, *rest = self.coordinate.split(":")
        classifier, kind = rest or ("", "jar")
        return group, artifact, version, classifier, kind

    @property
    def filename(self) -> str:
        """The file's name in a Maven repository.

        >>> Pinned("g:app:2.6:all:tar.gz", "", 0).filename
        'app-2.6-all.tar.gz'
        """
        _, artifact, version, classifier, kind = self.parts
        return "-".join(filter(None, (artifact, version, classifier))) + f".{kind}"

    def path(self, cache: Path) -> Path:
        """Where the file is kept; a newly pinned checksum is a new place."""
        return cache / "maven" / self.sha256[:8] / self.filename


def jar_paths(lock: Path, cache: Path) -> list[Path]:
    """Give the class path of a lock."""
    return [pinned.path(cache) for pinned in Pinned.read(lock)]


def registry_directory(cache: Path) -> Path:
    """Where the registry's archive is unpacked."""
    (pinned,) = Pinned.read(REGISTRY_LOCK)
    return pinned.path(cache).with_name("registry")


def fetch_kafka(cache: Path, progress: Progressed) -> None:
    """Download Kafka's jars that are missing."""
    fetch_pinned(Pinned.read(KAFKA_LOCK), cache, "kafka", progress)


def fetch_registry(cache: Path, progress: Progressed) -> None:
    """Download and unpack the registry; the archive itself is not kept."""
    home = registry_directory(cache)
    if home.exists():
        return
    (pinned,) = Pinned.read(REGISTRY_LOCK)
    fetch_pinned([pinned], cache, "registry", progress)
    progress(Event("registry", "unpacking"))
    with aside(cache) as scratch:
        _unpack(pinned.path(cache), scratch / "registry")
        (scratch / "registry").replace(home)
    pinned.path(cache).unlink()


def _unpack(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tar:
        # Older patch releases of Python 3.11 have no filters and ignore this attribute.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(into)  # noqa: S202 - the archive's checksum was compared


def fetch_pinned(wanted: list[Pinned], cache: Path, part: str, progress: Progressed) -> None:
    """Download those of the wanted files that the cache lacks.

    Raises:
        Transient: a download failed; the files that are complete stay.
        System: a file is not the one that was pinned.

    """
    missing = [pinned for pinned in wanted if not pinned.path(cache).exists()]
    if not missing:
        return
    count = _Counter(part, sum(pinned.size for pinned in missing), progress)
    with aside(cache) as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
        context = maven(scratch, count.watch)
        for done in [pool.submit(_fetch_one, pinned, cache, context) for pinned in missing]:
            done.result()
    progress(Event(part, "fetched", count.done, count.total))


def _fetch_one(pinned: Pinned, cache: Path, context: MavenContext) -> None:
    downloaded = download(pinned, context)
    check(downloaded, pinned.sha256)
    pinned.path(cache).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(downloaded, pinned.path(cache))


def maven(
    directory: Path, watch: Callable[..., AbstractContextManager[Callable[[int], None]]]
) -> MavenContext:
    """Open jgo's view of Maven, with the user's repositories, downloading into ``directory``."""
    remote = {"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories
    resolver = PythonResolver(progress_callback=watch)
    return MavenContext(
        resolver, repo_cache=directory, remote_repos=remote, timeout=_TIMEOUT_SECONDS
    )


def download(pinned: Pinned, context: MavenContext) -> Path:
    """Download one file into the context's directory.

    Raises:
        Transient: the repository did not give it.

    """
    group, artifact, version, classifier, kind = pinned.parts
    wanted = context.project(group, artifact).at_version(version).artifact(classifier, kind)
    try:
        return wanted.resolve()
    except (
        OSError,
        RuntimeError,
    ) as error:  # requests' errors are OSErrors; jgo raises RuntimeError
        problem = f"{pinned.coordinate} could not be downloaded: {error}"
        mend = "check network and proxy, then start again: what is complete is kept"
        raise Transient(problem, mend=mend) from error


class _Counter:
    """Adds up the bytes of parallel downloads, in the shape of jgo's progress callback."""

    def __init__(self, part: str, total: int, progress: Progressed) -> None:
        self.part = part
        self.total = total
        self.done = 0
        self._progress = progress
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, _filename: str, _size: int) -> Iterator[Callable[[int], None]]:
        """Count one file."""
        yield self._add

    def _add(self, size: int) -> None:
        with self._lock:
            self.done += size
            done = self.done
        self._progress(Event(self.part, "downloading", done, self.total))
