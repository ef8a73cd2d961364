"""Our sink as a process of its own: it drains clean topics, and says how it went.

``python -m bench.sink_ours`` reads its settings from standard input and prints one line of JSON.
Its rate is that behind its first batch: start-up, joining the group and claiming do not count.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from runtime.errors import Transient
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from sink.loading import Loaded
from sink.settings import SinkSettings
from sink.stage import run

_MEBIBYTE: Final = 1024 * 1024
_ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Drained:
    """Rows a second, all that was loaded and how, CPU seconds, and resident memory by batch."""

    rate: float
    inserted: int
    updated: int
    skipped: int
    cpu: float
    memory: list[float]
    """In MiB."""


@dataclass(slots=True)
class Watch:
    """Notes the moment and the memory of every batch."""

    records: list[int] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    process: psutil.Process = field(default_factory=psutil.Process)

    def loaded(self, batch: Loaded, lag: int) -> None:  # noqa: ARG002 - whoever watches is told
        """Note a batch."""
        self.records.append(batch.total.records)
        self.moments.append(time.perf_counter())
        self.memory.append(self.process.memory_info().rss / _MEBIBYTE)

    def waiting(self, error: Transient) -> None:
        """Fail: a measurement in which something was away is none."""
        raise error

    @property
    def rate(self) -> float:
        """Rows a second behind the first batch."""
        return sum(self.records[1:]) / (self.moments[-1] - self.moments[0])


def drain(
    kafka: KafkaSettings, registry: RegistrySettings, topics: Topics, settings: dict[str, Any]
) -> Drained:
    """Have a sink of those settings load everything.

    Raises:
        RuntimeError: it failed.
    """
    given = {
        "kafka": kafka.model_dump(mode="json", exclude_defaults=True),
        "registry": registry.model_dump(mode="json", exclude_defaults=True),
        "topics": topics.model_dump(mode="json"),
        "sink": settings,
    }
    command = [sys.executable, "-m", "bench.sink_ours"]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, cwd=_ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return Drained(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Drain."""
    given, watch = json.load(sys.stdin), Watch()
    summary = run(
        SinkSettings.model_validate(given["sink"]),
        KafkaSettings.model_validate(given["kafka"]),
        RegistrySettings.model_validate(given["registry"]),
        Topics.model_validate(given["topics"]),
        threading.Event(),
        once=True,
        progress=watch,
    )
    counts, used = summary.counts, time.process_time()
    rows = (counts.inserted, counts.updated, counts.skipped)
    sys.stdout.write(json.dumps(asdict(Drained(watch.rate, *rows, used, watch.memory))) + "\n")


if __name__ == "__main__":
    main()
