"""``aos source``: the source stage in the foreground."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import typer

from operate.foreground import run
from operate.options import Config
from operate.settings import Settings
from producers import several, stage

Once = Annotated[bool, typer.Option("--once", help="End when nothing is left to read.")]


def source(config: Config = None, once: Once = False) -> None:
    """Read AOS into the raw topics, each page with its cursor in one transaction.

    SIGTERM or Ctrl-C finishes the page under way and ends. Of two with the same source the newer
    goes on; the older ends and says who took over. Several `sources` run side by side.
    """

    def start(settings: Settings, stop: threading.Event) -> Any:
        world = settings.kafka, settings.registry, settings.topics
        sources = settings.all_sources()
        if len(sources) > 1:
            return several.run(sources, *world, stop, once=once)
        return stage.run(sources[0], *world, stop, once=once)

    run("source", config, start, once=once)
