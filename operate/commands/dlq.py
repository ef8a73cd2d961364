"""``aos dlq``: what could not be used, and why."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from operate.dead_letters import letters
from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import load
from runtime.kafka import check_reachable

app = typer.Typer(add_completion=False, no_args_is_help=True)

Which = Annotated[
    Literal["clean", "sink"] | None,
    typer.Option("--topic", help="Only what the stream (clean) or the sink gave up."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")]


@app.callback()
def dlq() -> None:
    """Show what could not be used, and why."""


@app.command("list")
def list_(
    topic: Which = None, limit: Limit = 20, config: Config = None, as_json: AsJson = False
) -> None:
    """List dead letters, the newest last. They stay where they are."""
    settings = load(config)
    check_reachable(settings.kafka)
    named = {
        "clean": settings.topics.clean_dead_letters,
        "sink": settings.topics.sink_dead_letters,
    }
    found = letters(settings.kafka, [named[topic]] if topic else list(named.values()), limit)
    show([letter._asdict() for letter in found], as_json=as_json, empty="no dead letters")
