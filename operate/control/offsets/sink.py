"""The offsets of the sink: beside its rows in the database, where only the newest epoch may write.

To set one back is to claim it as a sink does: whoever loaded it until now can commit no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from operate.control.offsets.places import KafkaPlace, Log, Offsets, set_back
from sink.database import Connection

_KNOWN: Final = (
    "SELECT topic, partition, next_offset FROM ops.sink_offset WHERE consumer_group = %s"
)
_LOCKED: Final = f"{_KNOWN} ORDER BY topic, partition FOR UPDATE"
_THERE: Final = "SELECT to_regclass('ops.sink_offset') IS NOT NULL"
_SET: Final = """
UPDATE ops.sink_offset
SET next_offset = %s, topic_id = %s, epoch = epoch + 1, updated_at = clock_timestamp()
WHERE consumer_group = %s AND topic = %s AND partition = %s
"""
Logs = Callable[[list[tuple[str, int]]], Mapping[tuple[str, int], Log]]


def offsets_of(connection: Connection, group: str) -> Offsets:
    """Give the next offset of each partition that was ever loaded."""
    if connection.execute(_THERE).fetchone() != (True,):
        return {}
    rows = connection.execute(_KNOWN, (group,)).fetchall()
    return {(topic, number): offset for topic, number, offset in rows}


def move(connection: Connection, group: str, asked: list[KafkaPlace] | None, logs: Logs) -> Offsets:
    """Set offsets back, all to their beginning where nothing is named; give the new ones.

    Raises:
        Configuration: a place is not known, is not kept, or lies ahead.
    """
    rows = connection.execute(_LOCKED, (group,)).fetchall()
    known = {(topic, number): offset for topic, number, offset in rows}
    kept = logs([*known])
    if asked is None:
        asked = [KafkaPlace(*place, None) for place in known]
    wanted = set_back(asked, known, kept)
    for (topic, number), offset in wanted.items():
        values = (offset, kept[topic, number].topic_id, group, topic, number)
        connection.execute(_SET, values)
    return wanted
