"""The workers of one deployment of the stream, supervised as a service manager would."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.stage_process import StageProcess
from tests.stream_verdicts import Progress
from tests.waiting import eventually

WORKERS: Final = ("one", "two", "three")


class Fleet:
    """The workers of one deployment; those that end by themselves are started again."""

    def __init__(
        self,
        world: tuple[KafkaSettings, RegistrySettings, Topics],
        logs: Path,
        settings: dict[str, object],
        patience: float,
    ) -> None:
        logs.mkdir()
        self.world, self._patience = world, patience
        self._wanted: set[str] = set()
        self.fenced = 0
        self.progress = Progress(world[0], world[2])
        self.workers = {
            name: StageProcess("stream", {"instance": name, **settings}, *world, logs / name)
            for name in WORKERS
        }

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            if worker.running:
                worker.kill()

    def start(self, name: str) -> None:
        """Let a worker come."""
        self._wanted.add(name)
        self.workers[name].start()

    def let_go(self, name: str, *, kill: bool) -> None:
        """Let a worker leave for good."""
        self._wanted.discard(name)
        worker = self.workers[name]
        if kill:
            worker.kill()
        else:
            assert worker.stop() == 0, worker.log

    def kill_one(self, pick: random.Random) -> None:
        """Kill a worker and start it again."""
        name = pick.choice(sorted(self._wanted))
        self.workers[name].kill()
        self.workers[name].start()

    def until(self, share: float) -> None:
        """Wait until so much has been read; supervise the workers meanwhile."""
        self._until(lambda: self.progress.share() >= share)

    def until_done(self) -> None:
        """Wait until everything has been read."""
        self._until(self.progress.done)

    def _until(self, reached: Callable[[], bool]) -> None:
        try:
            eventually(lambda: self._supervised() and reached(), seconds=self._patience, every=0.1)
        except TimeoutError as error:
            for name, worker in self.workers.items():
                error.add_note(f"{name}, running={worker.running}: {worker.log[-1500:]}")
            error.add_note(f"left to read: {self.progress.left()}")
            raise

    def _supervised(self) -> bool:
        for name in self._wanted:
            worker = self.workers[name]
            if not worker.running:
                assert "Fenced: " in worker.log.splitlines()[-1], worker.log
                self.fenced += 1
                worker.start()
        return True
