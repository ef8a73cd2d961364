"""``aos stream``: one worker of the stream in the foreground."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import typer

from operate.foreground import run
from operate.options import Config
from operate.settings import Settings
from stream_app import stage

Neighbours = Annotated[
    bool, typer.Option("--neighbours", help="Be the agent that asks the stations around.")
]


def stream(config: Config = None, neighbours: Neighbours = False) -> None:
    """Clean, enrich and judge raw readings into the clean topics.

    SIGTERM or Ctrl-C finishes the transactions under way and ends. Start several, each with its own
    stream.instance, to share the partitions. With --neighbours it is the second agent: it reads the
    clean topics, and sends readings again that the stations around contradict; one is enough.
    """

    def start(settings: Settings, stop: threading.Event) -> Any:
        worker = settings.stream
        if neighbours:
            worker = worker.model_copy(update={"neighbours": True})
        return stage.run(worker, settings.kafka, settings.registry, settings.topics, stop)

    run("stream", config, start)
