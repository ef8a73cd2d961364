"""A stage as a process of its own, to be stopped, killed and started again by a test.

``python -m tests.stage_process`` is that process; it reads its settings from standard input.
"""

from __future__ import annotations

import importlib
import inspect
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final

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
_SECONDS: Final = 30


class StageProcess:
    """Starts a stage; a context manager, so that no test leaves a process behind."""

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
    ) -> None:
        self._input = json.dumps(
            {
                "stage": stage,
                "settings": settings,
                "kafka": kafka.model_dump(mode="json", exclude_defaults=True),
                "registry": registry.model_dump(mode="json", exclude_defaults=True),
                "topics": topics.model_dump(mode="json"),
                "once": once,
            },
            default=str,
        )
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> StageProcess:
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
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start the process, anew if it has ended."""
        command = [sys.executable, "-m", "tests.stage_process"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert self._process.stdin is not None
        self._process.stdin.write(self._input.encode())
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


if __name__ == "__main__":
    logs.configure(stage="test")
    sys.exit(_run(json.load(sys.stdin)))
