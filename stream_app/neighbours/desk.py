"""One parameter of the agent: how clean records are read into its memory, and written anew."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from confluent_kafka import Message

from runtime.errors import DataQuality
from schemas.codec import Decoder, Encoder
from schemas.columnar import Keyed, packed
from schemas.registry import Registry, subject_of
from schemas.topics import Topics, clean_schema
from stream_app.judging.worth import Bar
from stream_app.neighbours.memory import Came, Held, Memory
from stream_app.neighbours.saying import came, said
from stream_app.outputs.delivery import Bulk
from stream_app.settings import StreamSettings
from weather.parameters import parameter_of
from weather.ruleset import Ruleset

_LOG: Final = logging.getLogger("aos.stream.neighbours")


class Desk:
    """One parameter: its memory, and how its records are read and written."""

    def __init__(
        self,
        parameter: str,
        topics: Topics,
        registry: Registry,
        settings: StreamSettings,
        ruleset: Ruleset,
    ) -> None:
        name, main = clean_schema(parameter), parameter_of(parameter).main.name
        limits = ruleset.limits_of(parameter, main).buddies
        if limits is None:
            raise TypeError(parameter)
        self._topic = topics.clean(parameter)
        self._memory = Memory(limits, settings.neighbours_readings)
        self._decode = Decoder(name, registry.schema_of)
        self._encode = Encoder(name, registry.id_of(subject_of(self._topic), name))
        self._bar = Bar(settings.quality_policy, settings.quality_threshold)

    def take(self, messages: Iterable[Message]) -> list[Held]:
        """Remember records; give those of which something is to be said."""
        return self._memory.take(self._came(messages))

    def bulks(self, held: Sequence[Held], now: int) -> Iterator[Bulk]:
        """Say it; not on the topic of the newest readings, which may know of a newer one."""
        for one in held:
            revision = one.next_revision
            if revision is None:
                continue  # it has wavered so often that there is no number left to say it by
            record = said(self._decode(one.message), one.wanted, revision, now, self._bar)
            key, value = record["station_id"].encode(), self._encode(record)
            yield Bulk(self._topic, one.came.partition, Keyed(packed([key]), packed([value])))
            one.spoken(revision)

    def _came(self, messages: Iterable[Message]) -> Iterator[Came]:
        for message in messages:
            value = message.value() or b""
            try:
                record = self._decode(value)
            except DataQuality as error:
                _LOG.warning("a clean record is left out: %s", error)
                continue
            yield came(record, value, message.partition() or 0)
