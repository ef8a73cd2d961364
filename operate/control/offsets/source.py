"""The positions of the source: records on the topic of cursors, under the source's own identity.

To write one is to take over as the source: an instance that was not stopped after all is fenced,
and what it had open is aborted. The next run takes over in its turn and goes on from what is there.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

from operate.control.offsets.places import SourcePlace, position_back
from operate.settings import Settings
from producers.publishing.messages import Messages
from producers.publishing.positions import BACKFILL, remembered
from producers.publishing.publisher import Publisher, producer, transactional_id
from producers.reading.times import now_micros
from runtime.errors import Configuration
from schemas.codec import Record
from schemas.registry import Registry

_MOST: Final = 1000
_MEND: Final = "GET the offsets, change some of those, and send them"


def places_of(settings: Settings, registry: Registry) -> list[SourcePlace]:
    """Say behind what each table of each source was read.

    Raises:
        AosError: broker or registry does not answer.
    """
    return [
        SourcePlace(record["source"], record["table"], record["position"])
        for record in _records(settings, registry).values()
        if _is_place(record)
    ]


def move(
    settings: Settings, registry: Registry, asked: list[SourcePlace] | None
) -> list[SourcePlace]:
    """Set positions back, all to before the first row where nothing is named; give the new ones.

    Raises:
        Configuration: a table is not known, or a position is no such or lies ahead.
        AosError: broker or registry does not answer.
    """
    records = _records(settings, registry)
    known = {(r["source"], r["table"]): r for r in records.values() if _is_place(r)}
    if asked is None:
        asked = [SourcePlace(*place, None) for place in known]
    wanted = [_wanted(known, place) for place in asked]
    for source in dict.fromkeys(place.source for place in wanted):
        mine = [place for place in wanted if place.source == source]
        _publish(settings, registry, records, mine)
    return wanted


def _wanted(known: dict[tuple[str, str], Record], asked: SourcePlace) -> SourcePlace:
    record = known.get((asked.source, asked.table))
    if record is None:
        problem = f"source {asked.source} has read nothing of {asked.table}"
        raise Configuration(problem, mend=_MEND)
    where = f"{asked.source}/{asked.table}"
    return asked._replace(position=position_back(record["position"], asked.position, where))


def _publish(
    settings: Settings,
    registry: Registry,
    records: dict[str, Record],
    places: list[SourcePlace],
) -> None:
    source, now = places[0].source, now_micros()
    moved = {place.table: place.position for place in places}
    mine = [record for record in records.values() if record["source"] == source]
    changed: list[dict[str, Any]] = [
        {**record, "position": moved[record["table"]], "updated_at": now}
        for record in mine
        if _is_place(record) and record["table"] in moved
    ]
    # What a second look remembers of these tables would keep their rows from being read again.
    memories = [record["table"] for record in mine if record.get("published") is not None]
    forgotten = [table for table in memories if table.rpartition("#")[0] in moved]
    messages = Messages(settings.topics, registry)
    identity = transactional_id(settings.topics, source)
    with closing(Publisher(producer(settings.kafka, identity, _MOST))) as publisher:
        publisher.take_over()
        publisher.publish([messages.cursors(changed), messages.no_cursors(source, forgotten)])


def _records(settings: Settings, registry: Registry) -> dict[str, Record]:
    return remembered(settings.kafka, settings.topics.cursors, "source_cursor", registry)


def _is_place(record: Record) -> bool:
    """Whether it is the cursor of a table, and none of a backfill or of a second look's memory."""
    return record["mode"] != BACKFILL and record.get("published") is None
