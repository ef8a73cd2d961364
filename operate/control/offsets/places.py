"""Places of connectors in Kafka Connect's shape, and what may be made of one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from runtime.errors import Configuration

Offsets = dict[tuple[str, int], int]
_NUMBER: Final = re.compile(r"0x[0-9A-Fa-f]+|\d+")
_MEND: Final = "GET the offsets, change some of those, and send them"


class KafkaPlace(NamedTuple):
    """A partition and the offset that is read next; None: the beginning."""

    topic: str
    partition: int
    offset: int | None


class SourcePlace(NamedTuple):
    """A table of a source and the position behind what was read; None: before its first row."""

    source: str
    table: str
    position: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """What a partition keeps: its first offset, the one behind its last, and its topic's id."""

    first: int
    end: int
    topic_id: str = ""


def kafka_document(offsets: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    """Write offsets as Connect does those of a sink.

    >>> kafka_document({("t", 0): 7})["offsets"][0]["offset"]
    {'kafka_offset': 7}
    """
    return {
        "offsets": [
            {
                "partition": {"kafka_topic": topic, "kafka_partition": number},
                "offset": {"kafka_offset": offset},
            }
            for (topic, number), offset in sorted(offsets.items())
        ]
    }


def source_document(places: Iterable[SourcePlace]) -> dict[str, Any]:
    """Write positions as Connect does those of a source."""
    return {
        "offsets": [
            {
                "partition": {"source": place.source, "table": place.table},
                "offset": {"position": place.position},
            }
            for place in sorted(places)
        ]
    }


def kafka_places(asked: Sequence[Mapping[str, Any]]) -> list[KafkaPlace]:
    """Read what Connect's tools send for a sink; an offset of null means the beginning.

    Raises:
        Configuration: something else was sent.
    """
    return [
        KafkaPlace(
            _field(each, "partition", "kafka_topic", str),
            _field(each, "partition", "kafka_partition", int),
            None if each.get("offset") is None else _field(each, "offset", "kafka_offset", int),
        )
        for each in asked
    ]


def source_places(asked: Sequence[Mapping[str, Any]]) -> list[SourcePlace]:
    """Read what is sent for the source; an offset of null means before the first row.

    Raises:
        Configuration: something else was sent.
    """
    return [
        SourcePlace(
            _field(each, "partition", "source", str),
            _field(each, "partition", "table", str),
            None if each.get("offset") is None else _field(each, "offset", "position", str),
        )
        for each in asked
    ]


def set_back(
    asked: Iterable[KafkaPlace],
    known: Mapping[tuple[str, int], int],
    logs: Mapping[tuple[str, int], Log],
) -> Offsets:
    """Say which offsets there are to be.

    Raises:
        Configuration: a place is not known, is not kept any more, or lies ahead.
    """
    found: Offsets = {}
    for topic, number, offset in asked:
        place = (topic, number)
        if place not in known or place not in logs:
            told = f"{topic} [{number}] was never read"
            raise _refused(told, _MEND)
        log = logs[place]
        wanted = log.first if offset is None else offset
        if not log.first <= wanted <= log.end:
            told = f"{topic} [{number}] keeps {log.first} to {log.end}, not {wanted}"
            raise _refused(told, "name an offset that is kept")
        if offset is not None and wanted > known[place]:
            told = f"{topic} [{number}] is read up to {known[place]}: {wanted} would skip records"
            raise _refused(told, "set it back only; `aos dlq` tells of what cannot be read")
        found[place] = wanted
    return found


def position_back(now: str, asked: str | None, where: str) -> str:
    """Say which position there is to be: one like the present one, and not behind it.

    >>> position_back("2013-12-30 23:02:00|26115", "2013-01-01 00:00:00|0", "hourly")
    '2013-01-01 00:00:00|0'

    Raises:
        Configuration: it is written otherwise, or lies ahead.
    """
    if asked is None:
        return ""
    if _NUMBER.sub("0", asked) != _NUMBER.sub("0", now):
        told = f"{where}: no position of this cursor is written like {asked!r}"
        raise _refused(told, _MEND)
    if _numbers(asked) > _numbers(now):
        told = f"{where} is read up to {now!r}: {asked!r} would skip rows"
        raise _refused(told, "set it back only")
    return asked


def _numbers(position: str) -> list[int]:
    return [int(text, 16 if text.startswith("0x") else 10) for text in _NUMBER.findall(position)]


def _field(each: Mapping[str, Any], part: str, name: str, kind: type[Any]) -> Any:
    inside = each.get(part)
    value = inside.get(name) if isinstance(inside, Mapping) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        told = f"offsets: {part}.{name} is missing, or of another type"
        raise _refused(told, _MEND)
    return value


def _refused(problem: str, mend: str) -> Configuration:
    return Configuration(problem, mend=mend)
