"""``aos sink``: the sink in the foreground, and what belongs to it."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import typer

from operate.foreground import run
from operate.options import Config
from operate.settings import Settings, load
from runtime.errors import Configuration
from sink import offsets, stage
from sink.database import Database

app = typer.Typer(add_completion=False, invoke_without_command=True)

Once = Annotated[bool, typer.Option("--once", help="End when all that is there is loaded.")]
Topic = Annotated[str, typer.Argument(help="Name of a clean topic.")]


@app.callback()
def sink(context: typer.Context, config: Config = None, once: Once = False) -> None:
    """Load the clean topics into TimescaleDB, rows and offsets in one transaction.

    SIGTERM or Ctrl-C commits the batches under way and ends.
    """
    if context.invoked_subcommand:
        return

    def start(settings: Settings, stop: threading.Event) -> Any:
        chosen = settings.sink, settings.kafka, settings.registry, settings.topics
        return stage.run(*chosen, stop, once=once)

    run("sink", config, start, once=once)


@app.command()
def forget(topic: Topic, config: Config = None) -> None:
    """Load a topic from its beginning at the next start; rows that are there are not doubled."""
    settings = load(config)
    database = Database(settings.sink)
    try:
        database.check()
        with database.transaction("forgetting offsets") as connection:
            group = stage.group_of(settings.sink, settings.topics)
            partitions = offsets.forget(connection, group, topic)
    finally:
        database.close()
    if not partitions:
        problem = f"{group} has loaded nothing of topic {topic}"
        raise Configuration(problem, mend="`aos topics` lists their names")
    typer.echo(f"{topic}: {partitions} partitions are loaded from the beginning at the next start")
