"""Stages and commands as processes of their own, to be stopped, killed and started again.

``python -m tests.stage_process`` is that of a stage; it reads its settings from standard input.
"""

from __future__ import annotations

import importlib
import inspect
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import yaml

from runtime import logs
from runtime.errors import AosError
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics

_STAGES: Final = {
    "source": ("producers", "SourceSettings"),
    "stream": ("stream_app", "StreamSettings"),
    "sink": ("sink", "SinkSettings"),
}
_SECONDS: Final = 60


class Process:
    """A command that is started, once or again and again; all that its runs say is kept.

    A context manager, so that no test leaves a process behind.
    """

    def __init__(self, command: list[str], log: Path, out: Path | None = None) -> None:
        self._command = command
        self._log, self._out = log, out or log
        self._input = b""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self.running:
            self.kill()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything it said."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def start(self) -> None:
        """Start the process, anew if it has ended."""
        with self._out.open("ab") as out, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=out, stderr=log
            )
        assert self._process.stdin is not None
        self._process.stdin.write(self._input)
        self._process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to finish what it is doing; give its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; give its exit code."""
        assert self._process is not None
        return self._process.wait(_SECONDS)


class StageProcess(Process):
    """A stage."""

    def __init__(
        self,
        stage: str,
        settings: dict[str, Any],
        kafka: KafkaSettings,
        registry: RegistrySettings,
        topics: Topics,
        log: Path,
        *,
        once: bool = False,
        module: Sequence[str] = ("tests.stage_process",),
    ) -> None:
        super().__init__([sys.executable, "-m", *module], log)
        given = {
            **_world(kafka, registry, topics), "stage": stage, "settings": settings, "once": once,
        }  # fmt: skip
        self._input = json.dumps(given, default=str).encode()


class BackfillProcess(Process):
    """The command ``aos backfill``: ``log`` is what was logged, ``last`` what it printed last."""

    def __init__(self, world: World, source: dict[str, Any], folder: Path, *arguments: str) -> None:
        folder.mkdir()
        config = folder / "aos.yaml"
        document = _world(world.kafka, world.registry, world.topics)
        document["source"] = {name: str(value) for name, value in source.items()}
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        command = [sys.executable, "-m", "operate", "backfill", "--config", str(config), "--json"]
        super().__init__([*command, *arguments], folder / "log", folder / "out")

    @property
    def last(self) -> dict[str, Any]:
        """The last line that it printed."""
        printed: dict[str, Any] = json.loads(self._out.read_text("utf-8").splitlines()[-1])
        return printed

    @property
    def chunks_done(self) -> list[tuple[str, int]]:
        """The chunks that it says are done, by all its runs."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        done = [line for line in lines if line["message"].endswith("is done")]
        return [(line["table"], line["chunk"]) for line in done]


class World(Protocol):
    """Where a command finds Kafka and the registry, and what its topics are called."""

    kafka: KafkaSettings
    registry: RegistrySettings
    topics: Topics


def _world(kafka: KafkaSettings, registry: RegistrySettings, topics: Topics) -> dict[str, Any]:
    return {
        "kafka": kafka.model_dump(mode="json", exclude_defaults=True),
        "registry": registry.model_dump(mode="json", exclude_defaults=True),
        "topics": topics.model_dump(mode="json"),
    }


def _run(given: dict[str, Any]) -> int:
    room, kind = _STAGES[given["stage"]]
    settings = getattr(importlib.import_module(f"{room}.settings"), kind)
    run = importlib.import_module(f"{room}.stage").run
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    once = {"once": given["once"]} if "once" in inspect.signature(run).parameters else {}
    try:
        run(
            settings.model_validate(given["settings"]),
            KafkaSettings.model_validate(given["kafka"]),
            RegistrySettings.model_validate(given["registry"]),
            Topics.model_validate(given["topics"]),
            stop,
            **once,
        )
    except AosError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return int(error.exit_code)
    return 0


def main() -> int:
    """Run the stage that standard input names; give its exit code."""
    logs.configure(stage="test")
    return _run(json.load(sys.stdin))


if __name__ == "__main__":
    sys.exit(main())
