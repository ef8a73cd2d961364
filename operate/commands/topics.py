"""``aos topics``: which topics there are, how far they reach, and more partitions for them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from operate.growth import grow as grown
from operate.kafka_offsets import beginnings, ends
from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import load
from runtime.kafka import check_reachable
from schemas.topics import TopicSpec

_HEADINGS: Final = {"offsets": "offsets, markers included"}


app = typer.Typer(add_completion=False, invoke_without_command=True)

Count = Annotated[int, typer.Argument(min=1, help="How many partitions there are to be.")]


@app.callback()
def topics(context: typer.Context, config: Config = None, as_json: AsJson = False) -> None:
    """List our topics, with their partitions and how many offsets they hold.

    Of a topic that is written in transactions, a few offsets are markers, not records; a compacted
    one holds fewer records than offsets.
    """
    if context.invoked_subcommand:
        return
    settings = load(config)
    check_reachable(settings.kafka)
    admin = AdminClient(settings.kafka.client())
    present = admin.list_topics(timeout=settings.kafka.connect_timeout_seconds).topics
    counts = {s.name: len(present[s.name].partitions) if s.name in present else 0
              for s in settings.topics.specs()}  # fmt: skip
    held = _offsets(admin, counts)
    rows = [_row(spec, counts[spec.name], held[spec.name]) for spec in settings.topics.specs()]
    if not as_json:
        rows = [{_HEADINGS.get(name, name): row[name] for name in row} for row in rows]
    show(rows, as_json=as_json)


@app.command()
def grow(partitions: Count, config: Config = None, as_json: AsJson = False) -> None:
    """Give raw and clean topics more partitions; docs/partition-count.md has the whole procedure.

    Refused while a worker of the stream runs, or while raw readings are unread.
    """
    settings = load(config)
    show(grown(settings, partitions), as_json=as_json)
    next_ = settings.stream.generation + 1
    told = f"now set topics.partitions: {partitions} and stream.generation: {next_}, then start"
    typer.echo(told, err=True)


def _row(spec: TopicSpec, partitions: int, offsets: int) -> dict[str, Any]:
    kept = spec.config.get("retention.ms")
    policy = f"{int(kept) // 86_400_000} days" if kept else "compacted"
    return {
        "topic": spec.name,
        "partitions": partitions,
        "offsets": offsets,
        "kept": policy if partitions else "not there yet",
        "schema": spec.schema or "",
    }


def _offsets(admin: AdminClient, partitions: dict[str, int]) -> dict[str, int]:
    """Count the offsets between the first and the last of each topic."""
    places = [TopicPartition(t, n) for t, count in partitions.items() for n in range(count)]
    firsts, after = beginnings(admin, places), ends(admin, places)
    held = dict.fromkeys(partitions, 0)
    for topic, number in after:
        held[topic] += after[topic, number] - firsts[topic, number]
    return held
