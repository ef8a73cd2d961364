"""The three stages as Kafka Connect would see them: connectors with a name, a type, a config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from operate.settings import Settings
from runtime.control.wire import Channel
from schemas.topics import PARAMETERS, Topics


@dataclass(frozen=True, slots=True)
class Connector:
    """A stage: ``kind`` is Connect's, of which there are two; the stream both reads and writes.

    ``stage`` names its section of the settings, ``reads`` and ``writes`` its topics.
    """

    name: str
    stage: str
    kind: str
    plugin: str
    reads: Callable[[Topics], list[str]]
    writes: Callable[[Topics], list[str]]
    instance: Callable[[Settings], str]


def _raw(topics: Topics) -> list[str]:
    return [*topics.all_raw()]


def _clean(topics: Topics) -> list[str]:
    return [*map(topics.clean, PARAMETERS)]


def _source_instance(settings: Settings) -> str:
    return settings.source.instance if settings.source else ""


CONNECTORS: Final[dict[str, Connector]] = {
    "source": Connector(
        "aos-source",
        "source",
        "source",
        "producers.stage",
        lambda _topics: [],
        lambda topics: [spec.name for spec in topics.source_specs()],
        _source_instance,
    ),
    "stream": Connector(
        "aos-stream",
        "stream",
        "stream",
        "stream_app.stage",
        _raw,
        lambda topics: [spec.name for spec in topics.stream_specs()],
        lambda settings: settings.stream.instance,
    ),
    "sink": Connector(
        "timescale-sink",
        "sink",
        "sink",
        "sink.stage",
        lambda topics: [*_clean(topics), topics.metadata],
        lambda topics: [topics.sink_dead_letters],
        lambda settings: settings.sink.instance_id,
    ),
}
"""By the command that runs them."""

BY_NAME: Final = {connector.name: connector for connector in CONNECTORS.values()}


def config_of(settings: Settings, connector: Connector) -> dict[str, Any]:
    """Give the section of the settings that a connector runs by, nothing hidden."""
    if connector.stage != "source":
        section: Any = getattr(settings, connector.stage)
        return dict(section.model_dump(mode="json"))
    found = [one.model_dump(mode="json") for one in (settings.source, *settings.sources) if one]
    return found[0] if len(found) == 1 else {"sources": found}


def channel_of(settings: Settings) -> Channel:
    """Give the topics by which the stages of a deployment are steered."""
    orders, words = settings.topics.control_specs()
    return Channel(settings.kafka, orders, words, settings.topics.replication)
