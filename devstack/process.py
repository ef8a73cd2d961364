"""Servers as processes: started detached, known by pid and birth, stopped only when ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from runtime.errors import System

_DETACH: Final = Path(__file__).with_name("detach.py")

# The birth of a process is derived from the boot time, which moves when the clock is set right.
_SAME_BIRTH_SECONDS: Final = 2.0

_LOOK_EVERY_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Running:
    """A process by pid and birth (seconds since the epoch): its pid may be another's by now."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> Running:
        """Remember a process that lives now."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """Find the process, or None when it is dead or its pid is another's."""
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.born) < _SAME_BIRTH_SECONDS
            if same and not _has_ended(found):
                return found
        return None

    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self.process() is not None


def _has_ended(process: psutil.Process) -> bool:
    # A zombie whose other threads are still ending holds its ports and its file locks.
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started. ``owner`` is a uid and gid to become, for root only."""

    argv: list[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    owner: tuple[int, int] | None = None


def start(command: Command, log: Path) -> Running:
    """Start a server that outlives this process; ``log`` gets its output, ``.1`` the one before.

    Raises:
        System: it could not be started, or ended at once.

    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    pid = _detach(command, log)
    try:
        return Running.of(pid)
    except psutil.NoSuchProcess as error:
        problem = f"{command.argv[0]} ended at once: {last_lines(log)}"
        raise System(problem, mend=f"see {log}") from error


def _detach(command: Command, log: Path) -> int:
    uid, gid = command.owner or (None, None)
    order = {
        "argv": command.argv,
        "cwd": str(command.cwd),
        "env": {**os.environ, **command.env},
        "log": str(log),
        "uid": uid,
        "gid": gid,
    }
    launched = subprocess.run(
        [sys.executable, "-I", "-S", str(_DETACH)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
    )
    if launched.returncode:
        problem = f"{command.argv[0]} could not be started: {launched.stderr.strip()[-500:]}"
        raise System(problem, mend="see whether the file exists and may be run")
    return int(launched.stdout)


def stop(
    running: Running, *, polite: signal.Signals = signal.SIGTERM, patience: float = 15.0
) -> None:
    """Ask the process to end, and end it when it has not after ``patience`` seconds."""
    for how in (polite, signal.SIGKILL):
        found = running.process()
        if found is None:
            return
        with suppress(psutil.NoSuchProcess):
            found.send_signal(how)
        _wait_for_end(running, patience)


def _wait_for_end(running: Running, seconds: float) -> None:
    # Not psutil's own wait: that one also waits for some init to collect the zombie.
    pause = threading.Event()
    for _ in range(int(seconds / _LOOK_EVERY_SECONDS)):
        if not running.alive():
            return
        pause.wait(_LOOK_EVERY_SECONDS)


def last_lines(log: Path, count: int = 8) -> str:
    """Quote the end of a log file for an error message."""
    if not log.exists():
        return "(no log)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-count:]) or "(the log is empty)"
