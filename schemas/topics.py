"""The topics of aos-stream: their names, how long they keep what, and who shares partitions.

A deployment may put every name behind a namespace (``test1.aos.raw.wind.v1``), so that several live
side by side on one broker and leave other pipelines alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

import weather.parameters

PARAMETERS: Final = tuple(weather.parameters.PARAMETERS)

_DAY_MS: Final = 24 * 3600 * 1000
_FOR_EVER: Final = "-1"
_SHORT_LIVED: Final = {"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
"""For words that replace one another every few seconds: else a segment collects a week of them."""
MOST_DEAD_LETTER_BYTES: Final = 2 << 20
"""A broker takes records of 1 MiB, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it is to be created: ``schema`` names the record of its values, if it has one."""

    name: str
    partitions: int
    schema: str | None = None
    config: dict[str, str] = field(default_factory=dict)


def _kept(days: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * _DAY_MS),
        "retention.bytes": _FOR_EVER,
    }


def _dead_letters(days: int) -> dict[str, str]:
    """Keep whatever a raw topic takes, and the headers that say what is wrong with it."""
    return {**_kept(days), "max.message.bytes": str(MOST_DEAD_LETTER_BYTES)}


def _compacted() -> dict[str, str]:
    return {"cleanup.policy": "compact"}


def raw_schema(parameter: str) -> str:
    """Name the record of a raw topic: wind has three measures, the others one.

    >>> raw_schema("wind"), raw_schema("pressure")
    ('raw_wind', 'raw_reading')
    """
    return "raw_wind" if parameter == "wind" else "raw_reading"


def clean_schema(parameter: str) -> str:
    """Name the record of a clean topic.

    >>> clean_schema("wind"), clean_schema("rainfall")
    ('clean_wind', 'clean_reading')
    """
    return "clean_wind" if parameter == "wind" else "clean_reading"


class Topics(BaseModel):
    """Every topic of one deployment; also the section ``topics`` of the settings.

    ``partitions`` is the count of all ten raw and clean topics and of the stream's state: partition
    p in is partition p out, and a station's five parameters meet in one worker.

    >>> Topics().raw("wind"), Topics(namespace="lab").clean("wind")
    ('aos.raw.wind.v1', 'lab.weather.clean.wind.v1')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str = Field(default="", pattern=r"^[a-zA-Z0-9_-]*$")
    partitions: int = Field(default=12, ge=1)
    replication: int = Field(default=1, ge=1)
    raw_days: int = Field(default=400, ge=1)
    clean_days: int = Field(default=30, ge=1)
    dead_letter_days: int = Field(default=30, ge=1)

    def named(self, name: str) -> str:
        """Put a name (of a topic, group or transactional id) behind the namespace."""
        return f"{self.namespace}.{name}" if self.namespace else name

    def raw(self, parameter: str) -> str:
        """What AOS said about a parameter; the archive that replay reads."""
        return self.named(f"aos.raw.{parameter}.v1")

    def all_raw(self) -> tuple[str, ...]:
        """Every raw topic."""
        return tuple(map(self.raw, PARAMETERS))

    def clean(self, parameter: str) -> str:
        """What the stream made of it."""
        return self.named(f"weather.clean.{parameter}.v1")

    def latest(self, parameter: str) -> str:
        """The newest clean reading of each sensor."""
        return self.named(f"weather.latest.{parameter}.v1")

    @property
    def metadata(self) -> str:
        """Validity intervals of every sensor."""
        return self.named("aos.meta.sensor.v1")

    @property
    def mapping(self) -> str:
        """Every mapping that ever ran."""
        return self.named("aos.mapping.v1")

    @property
    def cursors(self) -> str:
        """How far each source has been read."""
        return self.named("aos.source.offsets.v1")

    @property
    def index(self) -> str:
        """Where in the raw topics which observation times lie."""
        return self.named("aos.raw.index.v1")

    @property
    def state(self) -> str:
        """The stream's memory, by partition."""
        return self.named("aos.stream.state.v1")

    @property
    def silence(self) -> str:
        """Which sensors have fallen silent, and which are heard again."""
        return self.named("weather.silence.v1")

    @property
    def rulesets(self) -> str:
        """Rulesets by which readings are judged, as people publish them."""
        return self.named("aos.ruleset.v1")

    @property
    def overrides(self) -> str:
        """What people say of readings, above what the tests say."""
        return self.named("aos.override.v1")

    @property
    def control(self) -> str:
        """What the stages are ordered to do, by the API."""
        return self.named("aos.control.v1")

    @property
    def status(self) -> str:
        """How each process of the stages is, in its own words."""
        return self.named("aos.status.v1")

    @property
    def clean_dead_letters(self) -> str:
        """Raw records that the stream could not use."""
        return self.named("weather.clean.dlq.v1")

    @property
    def sink_dead_letters(self) -> str:
        """Clean records that the database would not take."""
        return self.named("weather.sink.dlq.v1")

    def source_specs(self) -> list[TopicSpec]:
        """Topics that the source writes."""
        raw = [
            TopicSpec(self.raw(p), self.partitions, raw_schema(p), _kept(self.raw_days))
            for p in PARAMETERS
        ]
        return [
            *raw,
            TopicSpec(self.metadata, 1, "sensor_metadata", _compacted()),
            TopicSpec(self.mapping, 1, "mapping", _compacted()),
            TopicSpec(self.cursors, 1, "source_cursor", _compacted()),
        ]

    def stream_specs(self) -> list[TopicSpec]:
        """Topics that the stream writes."""
        clean = [
            TopicSpec(self.clean(p), self.partitions, clean_schema(p), _kept(self.clean_days))
            for p in PARAMETERS
        ]
        latest = [
            TopicSpec(self.latest(p), self.partitions, clean_schema(p), _compacted())
            for p in PARAMETERS
        ]
        return [
            *clean,
            *latest,
            TopicSpec(self.index, 1, "raw_index", _compacted()),
            TopicSpec(self.state, self.partitions, None, _compacted()),
            TopicSpec(self.silence, self.partitions, "sensor_silence", _compacted()),
            TopicSpec(self.clean_dead_letters, 1, None, _dead_letters(self.dead_letter_days)),
        ]

    def people_specs(self) -> list[TopicSpec]:
        """Topics that people write, by ``aos ruleset`` and ``aos flag``."""
        return [
            TopicSpec(self.rulesets, 1, "ruleset", _compacted()),
            TopicSpec(self.overrides, 1, "override", _compacted()),
        ]

    def sink_specs(self) -> list[TopicSpec]:
        """Topics that the sink writes."""
        return [TopicSpec(self.sink_dead_letters, 1, None, _kept(self.dead_letter_days))]

    def control_specs(self) -> list[TopicSpec]:
        """Topics of orders to the stages and of their word: JSON, which needs no registry."""
        return [
            TopicSpec(self.control, 1, None, _compacted()),
            TopicSpec(self.status, 1, None, {**_compacted(), **_SHORT_LIVED}),
        ]

    def specs(self) -> list[TopicSpec]:
        """Every topic."""
        return [
            *self.source_specs(),
            *self.stream_specs(),
            *self.people_specs(),
            *self.sink_specs(),
            *self.control_specs(),
        ]
