"""The command ``aos backfill`` as a process of its own, to be stopped, killed and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import yaml

from tests.source_runs import Deployment

_SECONDS: Final = 60


class BackfillProcess:
    """Starts the command; a context manager, so that no test leaves a process behind.

    All that its runs say is kept: ``log`` is what was logged, ``lines`` what was printed.
    """

    def __init__(
        self, deployment: Deployment, source: dict[str, Any], folder: Path, *arguments: str
    ) -> None:
        folder.mkdir()
        config = folder / "aos.yaml"
        document = {
            "kafka": deployment.kafka.model_dump(mode="json", exclude_defaults=True),
            "registry": deployment.registry.model_dump(mode="json", exclude_defaults=True),
            "topics": deployment.topics.model_dump(mode="json"),
            "source": {name: str(value) for name, value in source.items()},
        }
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        self._command = [
            *(sys.executable, "-m", "operate", "backfill", "--config", str(config), "--json"),
            *arguments,
        ]
        self._out, self._log = folder / "out", folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BackfillProcess:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @property
    def log(self) -> str:
        """Everything it logged, and why it failed."""
        return self._log.read_text(encoding="utf-8")

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

    def start(self) -> None:
        """Start it, anew if it has ended."""
        with self._out.open("ab") as out, self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=log)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(_SECONDS)

    def stop(self) -> int:
        """Ask it to finish what it is doing; give its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; give its exit code."""
        assert self._process is not None
        return self._process.wait(_SECONDS)
