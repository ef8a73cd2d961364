"""What is remembered of published rows, as records beside the cursors: one for each chunk.

The key of such a record is that of its table's cursor with ``#`` and the chunk's number behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from producers.publishing.positions import Standing
from producers.reading.overlap import Chunk, Published
from producers.reading.times import version_of
from schemas.codec import Record

_NUMBER: Final = "#"


def recall(memory: Published, standing: Standing, cursors: Mapping[str, Mapping[str, Any]]) -> None:
    """Fill a memory with what the topic of cursors says of its table."""
    begins = f"{standing.table}{_NUMBER}"
    chunks = [
        Chunk.of(int(record["table"].removeprefix(begins)), record["published"])
        for record in cursors.values()
        if record["source"] == standing.source
        and record["table"].startswith(begins)
        and record.get("published") is not None
    ]
    read_to = version_of(standing.position.partition("|")[0]) if standing.position else None
    memory.recall(chunks, read_to)


def written(memory: Published, standing: Standing, now: int) -> tuple[list[Record], list[str]]:
    """Give the records that a page adds, and the names under which others are no longer needed."""
    empty = {**standing.as_record(now), "position": "", "rows": 0, "readings": 0}
    kept = [
        {**empty, "table": f"{standing.table}{_NUMBER}{each.number}", "published": each.as_bytes()}
        for each in (memory.pending,)
        if each is not None
    ]
    return kept, [f"{standing.table}{_NUMBER}{number}" for number in memory.outdated]
