"""One parameter of the agent: how clean records are read into its memory, and written anew."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from confluent_kafka import Message

from runtime.errors import DataQuality
from schemas.codec import Decoder, Encoder
from schemas.columnar import Keyed, packed
from schemas.registry import Registry, subject_of
from schemas.topics import Topics, clean_schema
from stream_app.judging.worth import Bar
from stream_app.neighbours.memory import Came, Held, Memory
from stream_app.neighbours.rules import Rules
from stream_app.neighbours.saying import came, said
from stream_app.outputs.delivery import Bulk
from stream_app.settings import StreamSettings

_LOG: Final = logging.getLogger("aos.stream.neighbours")


class Desk:
    """One parameter: its memory, and how its records are read and written."""

    def __init__(
        self,
        parameter: str,
        topics: Topics,
        registry: Registry,
        settings: StreamSettings,
        rules: Rules,
    ) -> None:
        name = clean_schema(parameter)
        self._topic = topics.clean(parameter)
        ways = partial(rules.limits, parameter), partial(rules.company, parameter)
        self._memory = Memory(
            ways[0], rules.radius(parameter), settings.neighbours_readings, ways[1]
        )
        self._decode = Decoder(name, registry.schema_of)
        self._encode = Encoder(name, registry.id_of(subject_of(self._topic), name))
        self._bar = Bar(settings.quality_policy, settings.quality_threshold)

    def read(self, messages: Iterable[Message]) -> Iterator[Came]:
        """Read records; those that cannot be read are left out."""
        for message in messages:
            value = message.value() or b""
            try:
                record = self._decode(value)
            except DataQuality as error:
                _LOG.warning("a clean record is left out: %s", error)
                continue
            yield came(record, value, message.partition() or 0)

    def take(self, came: Iterable[Came]) -> list[Held]:
        """Remember readings; give those of which something is to be said."""
        return self._memory.take(came)

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
