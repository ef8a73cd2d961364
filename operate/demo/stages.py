"""The stages as processes of their own: started, watched, and never left behind.

Each stands in a process group of its own: Ctrl-C reaches only the demo, which then stops them in
good order. Their pids are on file, so that one demo, or `aos down`, stops what another left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from devstack.process import Running, last_lines, stop
from operate.demo.place import Place
from operate.foreground import GOOD_ORDER
from runtime.errors import System

NAMES: Final = ("source", "stream", "sink")
API: Final = "api"
"""What serves the page beside them, as long as they are left running."""
_PATIENCE_SECONDS: Final = 30.0


class Stages:
    """The stages that work on one place, whoever started them."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._running = _remembered(place.stages)

    def start(self, name: str, *arguments: str) -> None:
        """Start a stage; its output goes to its log, the one before is kept beside it."""
        command = [sys.executable, "-m", "operate", name, "--config", str(self._place.settings)]
        self.start_process(name, [*command, *arguments])

    def start_process(self, name: str, command: Sequence[str]) -> None:
        """Start any process under the name of a stage."""
        log = self._place.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children[name] = child
        self._running[name] = Running.of(child.pid)
        self._remember()

    def pid(self, name: str) -> int | None:
        """Give the pid of a stage that runs."""
        running = self._running.get(name)
        return running.pid if running and running.alive() else None

    def state(self, name: str) -> str:
        """Say how a stage is: *died* is one that nobody stopped and that did not end by itself."""
        if self.pid(name):
            return "runs"
        if name not in self._running or GOOD_ORDER in "".join(self.last_lines(name, 1)):
            return "stopped"
        return "died"

    def running(self) -> list[str]:
        """Name the stages that run."""
        return [name for name in self._running if self.pid(name)]

    def has_finished(self, name: str) -> bool:
        """Say whether a stage that we started has ended in good order.

        Raises:
            System: it has ended, but not in good order; the message quotes what it said last.
        """
        code = self._children[name].poll()
        if code:
            raise self._failure(name, code)
        return code == 0

    def check(self, *expected: str) -> None:
        """See that stages still run.

        Raises:
            System: one has ended; the message names it and quotes what it said last.
        """
        for name in expected:
            code = self._children[name].poll()
            if code is not None:
                raise self._failure(name, code)

    def stop(self, *names: str) -> None:
        """Ask stages to end, all of them by default, and see that they do."""
        chosen = [name for name in names or tuple(self._running) if name in self._running]
        if not chosen:
            return
        with ThreadPoolExecutor(len(chosen)) as pool:
            list(pool.map(self._stop, chosen))
        for name in chosen:
            del self._running[name]
        self._remember()

    def last_lines(self, name: str, count: int = 6) -> list[str]:
        """Quote the end of a stage's log, each line as a person reads it."""
        return [readable(line) for line in last_lines(self._place.log(name), count).splitlines()]

    def _stop(self, name: str) -> None:
        stop(self._running[name], patience=_PATIENCE_SECONDS)
        if name in self._children:
            self._children.pop(name).wait()

    def _failure(self, name: str, code: int) -> System:
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        problem = f"the {name} has ended ({how}): {self.last_lines(name, 1)[0]}"
        again = "run it again: it goes on where it was; " if code < 0 else ""
        mend = f"{again}see {self._place.log(name)}"
        return StageEnded(problem, stage=name, mend=mend)

    def _remember(self) -> None:
        known = {name: [r.pid, r.born] for name, r in self._running.items()}
        aside = self._place.stages.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(known), encoding="utf-8")
        aside.replace(self._place.stages)


class StageEnded(System):
    """A stage has ended that should run."""

    def __init__(self, message: str, *, stage: str, mend: str) -> None:
        super().__init__(message, mend=mend)
        self.stage = stage


def readable(line: str) -> str:
    """Turn a line of a log into what a person wants of it.

    >>> readable('{"time": "2026-01-01T10:20:30.5+00:00", "level": "error", "message": "no"}')
    '10:20:30 error no'
    >>> readable("aos: no")
    'aos: no'
    """
    try:
        told = json.loads(line)
        return f"{told['time'][11:19]} {told['level']} {told['message']}"
    except (ValueError, KeyError, TypeError):
        return line


def _remembered(path: Path) -> dict[str, Running]:
    if not path.exists():
        return {}
    known = json.loads(path.read_text(encoding="utf-8"))
    return {name: Running(pid, born) for name, (pid, born) in known.items()}
