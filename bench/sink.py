"""`make bench-sink`: the sink, from Kafka to committed rows, beside raw COPY and its kin.

One run on the embedded Kafka and native PostgreSQL. Ours is the sink as it ships, in a process of
its own: it consumes, decodes, validates, sorts, copies, keeps offsets and a ledger, exactly once.
Its peers have their rows in memory, ready, and do nothing but load them into the same tables. Each
contestant runs once a round; then ours drains a deep backlog, for its memory.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
from psycopg.sql import SQL, Identifier

from bench import sink_peers as peers
from bench.harness import Bar, Run, at_least, at_most, interleaved, report
from bench.sink_data import PARAMETERS, Load, Readings, publish
from bench.sink_ours import Drained, drain
from devstack.stack import Stack
from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics
from sink.columns import table

BATCHES: Final = (1_000, 10_000, 100_000)
USUAL: Final = 10_000
CONNECTIONS: Final = 1
"""As many as ours loads with."""
_MORE: Final = 2
"""Not the default: what more of them bring depends on the cores that the database has to spare."""
BAR: Final = 0.8
LIMIT_MIB: Final = 300.0
GROWTH_MIB: Final = 20.0
_FEW: Final = 10_000
_LEAST_BATCHES: Final = 10
"""Of fewer, how the first ones are filled weighs as much as how the others are loaded."""
_PARTITIONS: Final = 4
_LEAST_BYTES: Final = 16 * 1024 * 1024


class WrongOutput(Exception):
    """A contestant did not do its work."""


@dataclass(frozen=True, slots=True)
class Course:
    """A broker with readings on it, and a database."""

    stack: Stack
    count: int

    def publish(self, count: int) -> Topics:
        """Write so many readings to topics of their own."""
        topics = Topics(namespace=f"rows{count}", partitions=_PARTITIONS)
        with closing(Registry(self._registry)) as registry:
            publish(self._kafka, registry, topics, Readings(count))
        return topics

    def ours(
        self,
        topics: Topics,
        expected: tuple[int, int],
        batch: int | None = None,
        connections: int = CONNECTIONS,
    ) -> Drained:
        """Have our sink drain topics; so many are to be inserted, and skipped as known.

        Raises:
            WrongOutput: it did something else.
        """
        size = (
            {"batch_rows": batch, "batch_bytes": max(1000 * batch, _LEAST_BYTES)} if batch else {}
        )
        settings = {"database_url": self.url, "connections": connections, **size}
        drained = drain(self._kafka, self._registry, topics, settings)
        if (drained.inserted, drained.skipped) != expected or drained.updated:
            raise WrongOutput(drained)
        return drained

    def clear(self) -> None:
        """Empty the tables, have the sink begin anew, and let what was written reach the disk."""
        self.forget()
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            for parameter in PARAMETERS:
                target = Identifier("weather", parameter)
                connection.execute(SQL("TRUNCATE {}").format(target))
            connection.execute("CHECKPOINT")

    def forget(self) -> None:
        """Have the sink begin anew."""
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute("TRUNCATE ops.sink_offset, ops.sink_batch")

    @property
    def url(self) -> str:
        """Address of the database."""
        return self.stack.database_url

    @property
    def _kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=self.stack.bootstrap_servers)

    @property
    def _registry(self) -> RegistrySettings:
        return RegistrySettings(url=self.stack.registry_url)


def main() -> int:
    """Measure, print and keep the result."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no server behind
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack.at(Path(directory) / "stack", db="postgres")
        stack.up()
        try:
            return _measure(Course(stack, options.readings), options)
        finally:
            stack.wipe()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--readings", type=int, default=300_000)
    parser.add_argument("--backlog", type=int, default=1_500_000, help="readings, for the memory")
    return parser.parse_args()


def _measure(course: Course, options: argparse.Namespace) -> int:
    topics = course.publish(course.count)
    course.ours(topics, (course.count, 0))  # makes the tables
    backlog = course.publish(options.backlog)
    many = {course.count: topics, options.backlog: backlog}
    runs = interleaved(_contestants(course, many), "rows/s", options.rounds)
    bars = _bars(runs)
    course.clear()
    deep = course.ours(backlog, (options.backlog, 0))
    runs |= _usage(deep, options.backlog)
    return report("sink", runs, [*bars, *_memory(deep)])


def _contestants(course: Course, many: Mapping[int, Topics]) -> Mapping[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {}
    for batch in BATCHES:
        count = next((c for c in sorted(many) if c >= _LEAST_BATCHES * batch), max(many))
        loads = list(Readings(count).loads(batch))
        found[_name("ours", "new", batch)] = partial(_ours_new, course, many, count, batch)
        found[_name("COPY", "new", batch)] = partial(_fresh, course, peers.copying, loads)
    topics = many[course.count]
    usual = list(Readings(course.count).loads(USUAL))
    half = list(Readings(course.count).loads(USUAL, every=2))
    parallel = partial(peers.side_by_side, connections=CONNECTIONS)
    for kind, there in {"repeated": usual, "mixed": half}.items():
        before = sum(load.rows for load in there)
        expected = course.count - before, before
        found[_name("ours", kind, USUAL)] = partial(_ours_again, course, topics, there, expected)
        found[_name("stage + merge", kind, USUAL)] = partial(_merged, course, there, usual)
    found[_name(f"COPY on {CONNECTIONS} connection(s)", "new", USUAL)] = partial(
        _fresh, course, parallel, usual
    )
    found[_name(f"ours on {_MORE} connections", "new", USUAL)] = partial(
        _ours_new, course, many, course.count, USUAL, _MORE
    )
    found[_name(f"COPY on {_MORE} connections", "new", USUAL)] = partial(
        _fresh, course, partial(peers.side_by_side, connections=_MORE), usual
    )
    found[_name("executemany", "new", USUAL)] = partial(_executed, course, usual)
    return found


def _ours_new(
    course: Course, many: Mapping[int, Topics], count: int, batch: int, connections: int = 1
) -> float:
    course.clear()
    return course.ours(many[count], (count, 0), batch, connections).rate


def _ours_again(
    course: Course, topics: Topics, there: list[Load], expected: tuple[int, int]
) -> float:
    course.clear()
    peers.copying(course.url, there)
    return course.ours(topics, expected, USUAL).rate


def _fresh(course: Course, load: Callable[[str, list[Load]], float], loads: list[Load]) -> float:
    course.clear()
    return load(course.url, loads)


def _merged(course: Course, there: list[Load], loads: list[Load]) -> float:
    course.clear()
    peers.copying(course.url, there)
    return peers.merging(course.url, loads)


def _executed(course: Course, loads: list[Load]) -> float:
    course.clear()
    peers.copying(course.url, loads[:1])
    rows = peers.read_back(course.url, table(PARAMETERS[0]), _FEW)
    course.clear()
    return peers.executing(course.url, table(PARAMETERS[0]), rows, _FEW)


def _name(who: str, kind: str, batch: int) -> str:
    return f"{who}: {kind} rows, {batch:,} a batch"


def _bars(runs: Mapping[str, Run]) -> list[Bar]:
    pairs = [(("ours", "new", batch), ("COPY", "new", batch)) for batch in BATCHES]
    pairs += [
        (("ours", kind, USUAL), ("stage + merge", kind, USUAL)) for kind in ("repeated", "mixed")
    ]
    parallel = f"COPY on {CONNECTIONS} connection(s)"
    pairs.append((("ours", "new", USUAL), (parallel, "new", USUAL)))
    return [
        at_least(f"{_name(*ours)} / {peer[0]}", _ratio(runs, _name(*ours), _name(*peer)), BAR)
        for ours, peer in pairs
    ]


def _ratio(runs: Mapping[str, Run], ours: str, peer: str) -> float:
    return runs[ours].rate / runs[peer].rate


def _usage(deep: Drained, count: int) -> dict[str, Run]:
    name = f"ours: backlog of {count:,}"
    cpu, most = round(deep.cpu / count * 1e6, 2), round(max(deep.memory))
    return {
        name: Run(name, round(deep.rate), "rows/s", [round(deep.rate)]),
        f"{name}: CPU": Run(f"{name}: CPU, start included", cpu, "µs/row", [cpu]),
        f"{name}: memory": Run(f"{name}: memory", most, "MiB", [most]),
    }


def _memory(deep: Drained) -> list[Bar]:
    quarter = len(deep.memory) // 4
    before, after = max(deep.memory[quarter : 2 * quarter]), max(deep.memory[-quarter:])
    return [
        at_most("resident memory at a deep backlog, MiB", max(deep.memory), LIMIT_MIB),
        at_most("its growth from the second to the last quarter, MiB", after - before, GROWTH_MIB),
    ]


if __name__ == "__main__":
    sys.exit(main())
