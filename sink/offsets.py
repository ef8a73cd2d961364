"""How far each partition is loaded: on record in the database, beside the rows themselves.

Whoever is given a partition *claims* it, which raises its epoch. A writer locks the offsets of its
batch before it loads and moves them on afterwards, and can do neither with an epoch that is past.
So of two sinks that both believe they own a partition, only the one that claimed last can commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from runtime.errors import Fenced, System
from sink.batch import Partition, Span
from sink.database import Connection

_CLAIM: Final = """
INSERT INTO ops.sink_offset AS known
    (consumer_group, topic, partition, topic_id, next_offset, epoch)
VALUES (%s, %s, %s, %s, %s, 1)
ON CONFLICT (consumer_group, topic, partition)
DO UPDATE SET epoch = known.epoch + 1, updated_at = clock_timestamp()
RETURNING topic_id, next_offset, epoch
"""
_LOCK: Final = """
SELECT topic, partition, next_offset, epoch
FROM ops.sink_offset
JOIN unnest(%s::text[], %s::integer[]) AS mine (topic, partition) USING (topic, partition)
WHERE consumer_group = %s
ORDER BY topic, partition
FOR UPDATE OF sink_offset
"""
_ADVANCE: Final = """
UPDATE ops.sink_offset AS known
SET next_offset = greatest(known.next_offset, mine.next_offset), updated_at = clock_timestamp()
FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[])
    AS mine (topic, partition, next_offset, epoch)
WHERE known.consumer_group = %s
  AND (known.topic, known.partition, known.epoch) = (mine.topic, mine.partition, mine.epoch)
"""
_OUST: Final = """
SELECT pg_terminate_backend(frozen.pid)
FROM pg_stat_activity AS frozen
JOIN pg_locks AS held ON held.pid = frozen.pid
    AND held.relation = 'ops.sink_offset'::regclass AND held.granted
WHERE frozen.datname = current_database() AND frozen.usename = current_user
  AND frozen.pid <> pg_backend_pid() AND frozen.wait_event = 'ClientRead'
  AND frozen.xact_start < clock_timestamp() - make_interval(secs => %s)
"""
_FORGET: Final = "DELETE FROM ops.sink_offset WHERE consumer_group = %s AND topic = %s"


@dataclass(frozen=True, slots=True)
class Log:
    """What the broker keeps of a partition: offsets from ``low`` until before ``high``."""

    topic_id: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Our right to load a partition, from ``next_offset`` on."""

    next_offset: int
    epoch: int


class SetBack(System):
    """The database knows less than it did: it was restored, or offsets were forgotten."""


def oust(connection: Connection, seconds: float) -> None:
    """End transactions of sinks that have said nothing for so long, and wait no longer for others.

    A sink that is frozen in the middle of a batch would hold its offsets for ever; a healthy one
    whose transaction is ended by mistake writes its batch again.
    """
    connection.execute(
        "SELECT set_config('lock_timeout', %s, true)", (f"{max(1, round(seconds))}s",)
    )
    connection.execute(_OUST, (seconds,))


def claim(
    connection: Connection, group: str, logs: Mapping[Partition, Log]
) -> dict[Partition, Claim]:
    """Take partitions over from whoever had them; what was never loaded starts at its beginning.

    Raises:
        System: the broker no longer keeps what comes next; every lost range is named.
    """
    claims: dict[Partition, Claim] = {}
    losses: list[str] = []
    for partition, log in sorted(logs.items()):
        values = (group, *partition, log.topic_id, log.low)
        topic_id, next_offset, epoch = connection.execute(_CLAIM, values).fetchall()[0]
        claims[partition] = Claim(next_offset, epoch)
        losses += _loss(partition, log, topic_id, next_offset)
    if losses:
        mend = (
            "publish the range again (`aos replay`), then have the topic loaded from its beginning "
            "with `aos sink forget`; what is loaded stays and is not doubled"
        )
        raise System("; ".join(losses), mend=mend)
    return claims


def _loss(partition: Partition, log: Log, topic_id: str, next_offset: int) -> Iterator[str]:
    if topic_id != log.topic_id:
        yield (
            f"topic {partition.topic} was created anew: {partition} was loaded up to {next_offset} "
            f"of {topic_id}, what followed is lost; {log.topic_id} has {log.low} to {log.high}"
        )
    elif next_offset < log.low:
        yield f"{partition}: offsets {next_offset} to {log.low} are lost, the broker dropped them"
    elif next_offset > log.high:
        yield f"{partition}: offsets {log.high} to {next_offset} are lost, the log is shorter"


def lock(
    connection: Connection, group: str, spans: Mapping[Partition, Span]
) -> dict[Partition, int]:
    """Hold the offsets of a batch until the transaction ends, and give those loaded already.

    The answer names only partitions of which a part is loaded, with the offset that comes next.

    Raises:
        Fenced: a newer sink has claimed one of them.
        SetBack: records between what is loaded and this batch are missing.
    """
    rows = connection.execute(_LOCK, (*_columns(spans), group)).fetchall()
    found = {Partition(topic, number): (after, epoch) for topic, number, after, epoch in rows}
    for partition, span in spans.items():
        after, epoch = found.get(partition, (0, -1))
        if epoch > span.epoch:
            raise _fenced(partition)
        if epoch < span.epoch or after < span.first:
            problem = f"{partition}: loaded up to {after}, but the batch starts at {span.first}"
            raise SetBack(problem, mend="restart the sink; it reads on from what is loaded")
    return {p: after for p, (after, _) in found.items() if after > spans[p].first}


class Beside(NamedTuple):
    """What is written with one and the same question: a statement, and its values."""

    statement: str
    values: Sequence[object]


def advance(
    connection: Connection,
    group: str,
    spans: Mapping[Partition, Span],
    beside: Beside | None = None,
) -> None:
    """Record that a batch is loaded.

    Raises:
        Fenced: a newer sink has claimed one of its partitions.
    """
    following = [span.next for span in spans.values()]
    epochs = [span.epoch for span in spans.values()]
    statement = _ADVANCE
    values: tuple[object, ...] = (*_columns(spans), following, epochs, group)
    if beside:
        statement = f"WITH beside AS ({beside.statement}) {statement}"
        values = (*beside.values, *values)
    done = connection.execute(statement, values)
    if done.rowcount != len(spans):
        raise _fenced(*spans)


def forget(connection: Connection, group: str, topic: str) -> int:
    """Have a topic loaded from its beginning again; give the number of its partitions."""
    return connection.execute(_FORGET, (group, topic)).rowcount


def _columns(spans: Mapping[Partition, Span]) -> tuple[Sequence[str], Sequence[int]]:
    return [p.topic for p in spans], [p.number for p in spans]


def _fenced(*partitions: Partition) -> Fenced:
    problem = f"another sink has taken over {', '.join(map(str, partitions))}"
    return Fenced(problem, mend="nothing: the newer one goes on; see that only one is meant to run")
