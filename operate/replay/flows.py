"""What a replay reads and writes, and what its promotion does, as lineage tells of it."""

from __future__ import annotations

from collections.abc import Callable

from operate.lineage.datasets import Flow, tables, topics
from operate.replay.ledger import Entry
from operate.replay.shadow import SCHEMA
from operate.settings import Settings
from schemas.topics import PARAMETERS
from stream_app.replay.shadow import shadow_specs


def flow_of_replay(entry: Entry) -> Callable[[Settings], Flow]:
    """Say from which topics to which topics and tables a replay leads."""

    def flow(settings: Settings) -> Flow:
        raw = map(settings.topics.raw, entry.request.read)
        shadows = [spec.name for spec in shadow_specs(settings.topics, entry.name)]
        found = [*topics(settings, shadows), *tables(settings, SCHEMA, f"{entry.name}_")]
        return Flow(topics(settings, raw), found)

    return flow


def flow_of_promotion(entry: Entry) -> Callable[[Settings], Flow]:
    """Say from which tables to which topics a promotion leads."""

    def flow(settings: Settings) -> Flow:
        clean = map(settings.topics.clean, PARAMETERS)
        return Flow(tables(settings, SCHEMA, f"{entry.name}_"), topics(settings, clean))

    return flow
