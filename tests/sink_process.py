"""The sink as a process, for tests that kill it: ``python -m tests.sink_process JSON``."""

from __future__ import annotations

import json
import signal
import sys
import threading

from runtime import logs
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from sink.settings import SinkSettings
from sink.stage import run


def main() -> None:
    """Run until all is loaded, or until SIGTERM."""
    logs.configure(stage="sink")
    given = json.loads(sys.argv[1])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run(
        SinkSettings(**given["sink"]),
        KafkaSettings(**given["kafka"]),
        RegistrySettings(**given["registry"]),
        Topics(**given["topics"]),
        stop,
        once=given["once"],
    )


if __name__ == "__main__":
    main()
