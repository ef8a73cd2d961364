"""What is in the cache was checked; what was not, is not there. The repository is a local one."""

from __future__ import annotations

import gc
import hashlib
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devstack import fetch_npm
from devstack.cache import cache_directory
from devstack.events import Event, silent
from devstack.fetch import fetch_all
from devstack.fetch_maven import KAFKA_LOCK, REGISTRY_LOCK, Pinned, fetch_pinned
from runtime.errors import System, Transient

JAR = b"not really a jar" * 1000
JAR_PATH = "/org/example/tool/1.0/tool-1.0.jar"
OTHER_PATH = "/org/example/other/2.0/other-2.0.jar"


def pinned(coordinate: str, content: bytes = JAR) -> Pinned:
    return Pinned(coordinate, hashlib.sha256(content).hexdigest(), len(content))


TOOL = pinned("org.example:tool:1.0")
OTHER = pinned("org.example:other:2.0")


@dataclass
class Repository:
    """A Maven repository on a loopback port that remembers which jars were asked for."""

    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".jar"):
                    repository.asked.append(self.path)
                content = repository.files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Handler


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """Serve a repository, and name it in jgo's configuration as a user would."""
    made = Repository({JAR_PATH: JAR, OTHER_PATH: JAR})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    home = tmp_path / "home"
    (home / ".config").mkdir(parents=True)
    settings = f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n"
    (home / ".config" / "jgo.conf").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    with warnings.catch_warnings():
        # jgo leaves the answers it refuses unread and open; else a later test is blamed for them.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def in_cache(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_fetched_file_is_whole_and_nothing_else_is_left(
    repository: Repository, tmp_path: Path
) -> None:
    fetch_pinned([TOOL, OTHER], tmp_path / "cache", "kafka", silent)
    assert TOOL.path(tmp_path / "cache").read_bytes() == JAR
    assert in_cache(tmp_path / "cache") == ["other-2.0.jar", "tool-1.0.jar"]


def test_another_file_than_the_pinned_one_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    repository.files[JAR_PATH] = b"tampered with"
    with pytest.raises(System, match=r"tool-1.0.jar .* is pinned") as refused:
        fetch_pinned([TOOL], tmp_path / "cache", "kafka", silent)
    assert "repository" in refused.value.mend
    assert in_cache(tmp_path / "cache") == []


def test_a_fetch_that_failed_goes_on_with_what_is_missing(
    repository: Repository, tmp_path: Path
) -> None:
    other = repository.files.pop(OTHER_PATH)
    with pytest.raises(Transient, match=r"org\.example:other:2\.0 could not be downloaded"):
        fetch_pinned([TOOL, OTHER], tmp_path / "cache", "kafka", silent)
    repository.files[OTHER_PATH] = other
    repository.asked.clear()
    fetch_pinned([TOOL, OTHER], tmp_path / "cache", "kafka", silent)
    assert repository.asked == [OTHER_PATH]


def test_what_is_in_the_cache_is_not_asked_for_again(
    repository: Repository, tmp_path: Path
) -> None:
    fetch_pinned([TOOL], tmp_path / "cache", "kafka", silent)
    repository.asked.clear()
    fetch_pinned([TOOL], tmp_path / "cache", "kafka", silent)
    assert repository.asked == []


def test_a_newly_pinned_checksum_is_fetched_anew(repository: Repository, tmp_path: Path) -> None:
    fetch_pinned([TOOL], tmp_path / "cache", "kafka", silent)
    repository.files[JAR_PATH] = b"a new build"
    fetch_pinned([pinned(TOOL.coordinate, b"a new build")], tmp_path / "cache", "kafka", silent)
    assert repository.asked == [JAR_PATH, JAR_PATH]


def test_progress_counts_up_to_all_bytes(repository: Repository, tmp_path: Path) -> None:
    events: list[Event] = []
    fetch_pinned([TOOL, OTHER], tmp_path / "cache", "kafka", events.append)
    assert events[-1] == Event("kafka", "fetched", 2 * len(JAR), 2 * len(JAR))
    assert all(event.done <= 2 * len(JAR) for event in events)


@pytest.mark.parametrize(("lock", "files"), [(KAFKA_LOCK, 46), (REGISTRY_LOCK, 1)])
def test_a_lock_pins_every_file_once(lock: Path, files: int) -> None:
    wanted = Pinned.read(lock)
    assert len({one.parts[:2] for one in wanted}) == len(wanted) == files
    assert all(len(one.sha256) == 64 and one.size > 0 for one in wanted)


def test_npm_installs_nothing_but_the_pinned_package(tmp_path: Path) -> None:
    lock = (fetch_npm.WIRE / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in lock
    assert "http" not in lock


@pytest.mark.parametrize(
    ("said", "kind"),
    [("npm error code EINTEGRITY", System), ("npm error code ENOTFOUND", Transient)],
)
def test_npm_failures_tell_a_wrong_file_from_no_network(said: str, kind: type[Exception]) -> None:
    assert type(fetch_npm.failure(said)) is kind


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AOS_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path.resolve()
    monkeypatch.delenv("AOS_CACHE")
    assert cache_directory().name == ".cache"


def test_a_complete_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    for one in Pinned.read(KAFKA_LOCK):
        one.path(tmp_path).parent.mkdir(parents=True, exist_ok=True)
        one.path(tmp_path).touch()
    (registry,) = Pinned.read(REGISTRY_LOCK)
    registry.path(tmp_path).with_name("registry").mkdir(parents=True)
    fetch_npm.packages_directory(tmp_path).mkdir(parents=True)
    events: list[Event] = []
    fetch_all(tmp_path, events.append, timescale=True)
    assert events == []
