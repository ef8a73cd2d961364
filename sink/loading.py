"""Loading a batch: its rows, its ledger and the offsets that come next, in one transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from runtime.errors import DataQuality
from sink import offsets
from sink.batch import Batch, Counts, Message, Partition, Span
from sink.database import Connection, Database
from sink.dead_letters import DeadLetters
from sink.destination import Destination, Destinations, Entries, Reject
from sink.poison import isolate
from sink.telling import tell_loaded

_COUNTED: Final = ("records", "inserted", "updated", "skipped", "deleted", "dead_lettered")
_LEDGER: Final = """
INSERT INTO ops.sink_batch (consumer_group, topic, offsets, records, inserted, updated, skipped,
    deleted, dead_lettered, duration)
SELECT %s, each.*, clock_timestamp() - now()
FROM unnest(%s::text[], %s::jsonb[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::bigint[]) AS each
"""
Load = Callable[[Destination[Any], Connection, Entries], tuple[Counts, list[Reject]]]
"""How the entries of one topic are loaded."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a batch holds for one topic, ready to be loaded."""

    entries: Entries
    rejects: list[Reject]

    def after(self, loaded: Mapping[int, int]) -> Part:
        """Leave out what is loaded already: by partition, the offset that comes next."""
        if not loaded:
            return self
        new = [i for i in range(len(self.entries)) if _is_new(self.entries.message(i), loaded)]
        rejects = [reject for reject in self.rejects if _is_new(reject.message, loaded)]
        return Part(self.entries.pick(new), rejects)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that is decoded and validated; ``opened_at`` counts monotonic seconds."""

    spans: dict[Partition, Span]
    parts: dict[str, Part]
    opened_at: float | None = None

    def shares(self, most: int) -> list[Prepared]:
        """Part it by topic into so many at most, which are about as large as each other."""
        shares: list[list[str]] = [[] for _ in range(min(most, len(self.parts)))]
        sizes = [0] * len(shares)
        for topic in sorted(self.parts, key=lambda topic: -len(self.parts[topic].entries)):
            lightest = sizes.index(min(sizes))
            shares[lightest].append(topic)
            sizes[lightest] += len(self.parts[topic].entries)
        return [self._of(set(topics)) for topics in shares]

    def _of(self, topics: set[str]) -> Prepared:
        spans = {p: span for p, span in self.spans.items() if p.topic in topics}
        parts = {t: part for t, part in self.parts.items() if t in topics}
        return Prepared(spans, parts, self.opened_at)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A batch that is committed: how far it reached, and what became of its records by topic.

    ``seconds`` is how long its transaction took, ``waited`` how long before that its first record
    was read.
    """

    spans: dict[Partition, Span]
    counts: dict[str, Counts]
    seconds: float = 0.0
    waited: float = 0.0

    @classmethod
    def of(cls, shares: Sequence[Loaded]) -> Loaded:
        """Put together what was loaded at once."""
        spans = {p: span for share in shares for p, span in share.spans.items()}
        counts = {topic: count for share in shares for topic, count in share.counts.items()}
        seconds = max(share.seconds for share in shares)
        return cls(spans, counts, seconds, min(share.waited for share in shares))

    @property
    def total(self) -> Counts:
        """Counts over all topics."""
        return sum(self.counts.values(), Counts())


class Loader:
    """Prepares batches and loads them over one connection; the two may run in different threads."""

    def __init__(
        self,
        database: Database,
        group: str,
        destinations: Destinations,
        dead_letters: DeadLetters,
    ) -> None:
        self._database = database
        self._group = group
        self._destinations = destinations
        self._dead_letters = dead_letters

    def prepare(self, batch: Batch) -> Prepared:
        """Decode and validate; the database is not touched.

        Raises:
            Transient: the schema registry does not answer.
        """
        parts = {
            topic: Part(*self._destinations[topic].prepare(messages))
            for topic, messages in batch.messages.items()
        }
        return Prepared(batch.spans, parts, batch.opened_at)

    def write(self, prepared: Prepared) -> Loaded:
        """Load a batch, all of it or nothing; what is loaded already is left out.

        At first without savepoints, which most batches do without: each costs two answers of the
        database that are waited for. Where something is refused, all is done again with them.

        Raises:
            Fenced: another sink has taken over one of the partitions.
            Transient: the same batch may be written again.
        """
        began = time.monotonic()
        try:
            counts = self._written(prepared, _alone)
        except DataQuality:
            counts = self._written(prepared, _isolated)
        tell_loaded({topic: part.entries for topic, part in prepared.parts.items()})
        waited = began - (began if prepared.opened_at is None else prepared.opened_at)
        return Loaded(prepared.spans, counts, time.monotonic() - began, waited)

    def _written(self, prepared: Prepared, load: Load) -> dict[str, Counts]:
        """Load a batch in one transaction.

        Dead letters are safe on their topic before it commits: if it then does not, they are sent
        again, and are known by the offset in their headers.
        """
        with self._database.transaction("loading a batch") as connection:
            loaded = offsets.lock(connection, self._group, prepared.spans)
            counts, rejects = {}, []
            for topic, part in prepared.parts.items():
                new = part.after(_of(topic, loaded))
                counts[topic], refused = self._load(connection, topic, new, load)
                rejects += refused
            if rejects:
                self._dead_letters.deliver(rejects)
            reaches = ((topic, _reach(topic, prepared.spans, loaded)) for topic in counts)
            ledger = self._ledger({topic: reach for topic, reach in reaches if reach}, counts)
            offsets.advance(connection, self._group, prepared.spans, ledger)
        return counts

    def _load(
        self, connection: Connection, topic: str, part: Part, load: Load
    ) -> tuple[Counts, list[Reject]]:
        counts, refused = load(self._destinations[topic], connection, part.entries)
        rejects = part.rejects + refused
        records = len(part.entries) + len(part.rejects)
        return replace(counts, records=records, dead_lettered=len(rejects)), rejects

    def _ledger(
        self, reach: Mapping[str, Mapping[int, list[int]]], counts: Mapping[str, Counts]
    ) -> offsets.Beside:
        told = [[getattr(counts[topic], name) for topic in reach] for name in _COUNTED]
        offsets_of = [json.dumps(each) for each in reach.values()]
        return offsets.Beside(_LEDGER, (self._group, list(reach), offsets_of, *told))


def _alone(
    destination: Destination[Any], connection: Connection, entries: Entries
) -> tuple[Counts, list[Reject]]:
    return destination.load(connection, entries, alone=True) if len(entries) else Counts(), []


def _isolated(
    destination: Destination[Any], connection: Connection, entries: Entries
) -> tuple[Counts, list[Reject]]:
    return isolate(entries, lambda some: destination.load(connection, some))


def _reach(
    topic: str, spans: Mapping[Partition, Span], loaded: Mapping[Partition, int]
) -> dict[int, list[int]]:
    """Give the offsets of a topic that are loaded now, and were not before, by partition."""
    return {
        p.number: [max(s.first, loaded.get(p, 0)), s.next]
        for p, s in spans.items()
        if p.topic == topic and loaded.get(p, 0) < s.next
    }


def _of(topic: str, loaded: Mapping[Partition, int]) -> dict[int, int]:
    return {p.number: after for p, after in loaded.items() if p.topic == topic}


def _is_new(message: Message, loaded: Mapping[int, int]) -> bool:
    partition, offset = message.partition(), message.offset()
    return partition is None or offset is None or offset >= loaded.get(partition, 0)
