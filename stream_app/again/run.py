"""A task under way: its records are looked up in the index, then read and rehearsed bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.topics import Topics
from stream_app.again.desk import Ways
from stream_app.again.index import Range
from stream_app.again.rehearsal import Rehearsal
from stream_app.again.scan import Scan
from stream_app.again.task import Task, hull
from stream_app.step import Step


class Run(NamedTuple):
    """What reads the records of a task, and what judges them."""

    scan: Scan
    rehearsal: Rehearsal


class Search:
    """Asks the index where the records of a task lie; the answer comes when it comes."""

    def __init__(self, partition: int, task: Task, topics: Topics, ways: Ways) -> None:
        self._partition = partition
        self._task = task
        self._ways = ways
        self._wanted = task.wanted()
        self._topic_of = {parameter: topics.raw(parameter) for parameter, _ in self._wanted}
        times = {
            topic: hull([w.judged for (p, _), w in self._wanted.items() if self._raw(p) == topic])
            for topic in task.first
        }
        self._looking = ways.look(partition, times)

    def run(self, step: Step) -> Run | None:
        """Begin once the answer is there; until then give nothing.

        Raises:
            Transient: the broker does not answer; ask anew.
        """
        if not self._looking.done():
            return None
        task = self._task
        ranges = {
            topic: [*_clipped(found, task.first[topic], task.until[topic])]
            for topic, found in self._looking.result().items()
        }
        keys = frozenset(item.station.encode() for item in task.items)
        scan = self._ways.scan(self._partition, keys, ranges, task.until)
        known = {p: task.until[self._raw(p)] for p, _ in self._wanted if self._raw(p) in task.until}
        return Run(scan, Rehearsal(step, self._wanted, known))

    def _raw(self, parameter: str) -> str:
        return self._topic_of[parameter]


def _clipped(ranges: Sequence[Range], first: int, end: int) -> list[Range]:
    inside = (Range(max(one.first, first), min(one.end, end)) for one in ranges)
    return [one for one in inside if one.first < one.end]
