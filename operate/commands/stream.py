"""``aos stream``: one worker of the stream in the foreground."""

from __future__ import annotations

import threading
from typing import Any

from operate.foreground import run
from operate.options import Config
from operate.settings import Settings
from stream_app import stage


def stream(config: Config = None) -> None:
    """Clean, enrich and judge raw readings into the clean topics.

    SIGTERM or Ctrl-C finishes the transactions under way and ends. Start several, each with its own
    stream.instance, to share the partitions.
    """

    def start(settings: Settings, stop: threading.Event) -> Any:
        chosen = settings.stream, settings.kafka, settings.registry, settings.topics
        return stage.run(*chosen, stop)

    run("stream", config, start)
