"""How the batch of a partition number is filled from what has arrived of its topics.

A fetcher gives one topic until nothing of it is left, then the next: in a backlog a parameter would
run ahead of the others of its station by hours. So the topic that is furthest behind goes first,
which is the one whose last record was published before those of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Final

from aiokafka.errors import KafkaError
from faust.types import TP

from stream_app.transport.batch import Records

HELPING: Final = 2000
"""Records that are taken from the fetcher at a time, most of them."""

Fetched = dict[TP, list[Records]]


class Filling:
    """Fills batches up to so many records, and so many bytes, to within a helping."""

    def __init__(self, records: int, size: int) -> None:
        self._records, self._size = records, size
        self._published: dict[TP, int] = {}

    @property
    def helping(self) -> int:
        """Records of one helping, most of them."""
        return min(HELPING, self._records)

    async def fill(self, fetcher: Any, fetched: Fetched, active: Set[TP]) -> None:
        """Take what has arrived of each partition number until its batch is full.

        In small helpings, so that a batch stays within its bytes, too.
        """
        self._note(fetched)
        for number in {tp.partition for tp in active}:
            wanted = {tp for tp in active if tp.partition == number}
            while self._has_room(fetched, wanted):
                try:
                    more = await self._helping(fetcher, wanted)
                except KafkaError:
                    return  # nothing is lost: it comes again in a round that has nothing to give
                if not more:
                    break
                self._note(more)
                for tp, records in more.items():
                    fetched.setdefault(tp, []).extend(records)

    async def _helping(self, fetcher: Any, wanted: Set[TP]) -> Fetched:
        for tp in sorted(wanted, key=lambda tp: self._published.get(tp, 0)):
            if more := await fetcher.fetched_records({tp}, timeout=0, max_records=1):
                return {TP(*place): records for place, records in more.items()}
        return {}

    def _note(self, fetched: Mapping[TP, list[Records]]) -> None:
        for tp, records in fetched.items():
            self._published[tp] = int(records[-1].published[-1])

    def _has_room(self, fetched: Fetched, wanted: Set[TP]) -> bool:
        found = [records for tp in wanted if (records := fetched.get(tp))]
        parts = [part for records in found for part in records]
        return (
            sum(map(len, parts)) + HELPING <= self._records
            and sum(int(part.values.lengths.sum()) for part in parts) < self._size
        )
