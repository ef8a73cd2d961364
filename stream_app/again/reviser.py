"""Notices that metadata has changed, and sends the readings that it concerns again, bit by bit.

Between the batches of a partition it gets its turn: a round that reads so many raw records at most,
judges those that are meant (:mod:`.rehearsal`) and sends them with a revision of their own. What is
being done and how far it has come stands on the state topic, written in the same transactions. So a
partition that moves, or comes back after a crash, goes on where it was; what had been read is read
once more, since the neighbours are needed, and is not sent again. A change that comes meanwhile is
the next task: it is found by what was remembered when this one began.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from stream_app.again.form import UNCERTAIN, form_of
from stream_app.again.index import Range
from stream_app.again.noticing import noticed, task_of
from stream_app.again.rehearsal import Rehearsal
from stream_app.again.scan import Scan
from stream_app.again.task import Task, Window, hull
from stream_app.again.wire import PROGRESS_KEY, TASK_KEY, Known, Progress, Wire
from stream_app.cleaned import CleanedColumns
from stream_app.metadata.reference import Reference
from stream_app.outputs.delivery import Bulk, Outputs
from stream_app.outputs.records import Finished, Recorder
from stream_app.step import Step
from stream_app.transport.batch import Batch
from stream_app.window.state import Overlay, State
from weather.arrays import Bools

_LOG: Final = logging.getLogger("aos.stream.again")
Ranges = Mapping[str, Sequence[Range]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a partition lends for a round; ``positions`` are where its batches have come to."""

    state: State
    step: Step
    recorder: Recorder
    positions: Mapping[str, int]
    commit: Callable[[Outputs], None]
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Ways:
    """How records are found: both work beside the partition's own reading."""

    look: Callable[[int, Mapping[str, Window]], Future[dict[str, list[Range]]]]
    scan: Callable[[int, frozenset[bytes], Ranges, Mapping[str, int]], Scan]


class Met(NamedTuple):
    """Sensors that a batch met for the first time, until its transaction is committed."""

    bulks: list[Bulk]
    known: Mapping[str, Known]


class _Run(NamedTuple):
    scan: Scan
    rehearsal: Rehearsal


class Reviser:
    """Keeps one partition's readings in step with the metadata of their sensors."""

    def __init__(
        self, partition: int, wire: Wire, reference: Reference, ways: Ways, most: int
    ) -> None:
        """``most``: records that a round reads."""
        self._partition = partition
        self._wire = wire
        self._reference = reference
        self._ways = ways
        self._most = most
        self._known: dict[str, Known] = {}
        self._turn = -1
        self._task: Task | None = None
        self._progress = Progress({}, 0)
        self._looking: Future[dict[str, list[Range]]] | None = None
        self._run: _Run | None = None

    @property
    def turn(self) -> int:
        """The metadata's turn, to be asked for before a batch is judged."""
        return self._reference.turn

    @property
    def due(self) -> bool:
        """Whether there is anything for a round to do."""
        return self._task is not None or self._reference.turn != self._turn

    @property
    def left(self) -> int:
        """Raw records that are still to be read again, as far as is known."""
        if self._task is None:
            return 0
        return self._run.scan.left(self._task.until) if self._run else 1

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record of the state topic; say whether it was one of ours."""
        if key == TASK_KEY:
            self._task = self._wire.task(value)
        elif key == PROGRESS_KEY:
            self._progress = self._wire.progress(value)
        elif (sensor := self._wire.sensor_of(key)) is not None:
            self._known[sensor] = self._wire.known(value)
        else:
            return False
        return True

    def meet(self, cleaned: Sequence[CleanedColumns], turn: int) -> Met:
        """Give what belongs into the transaction of a batch; ``turn`` was that before it."""
        new: dict[str, Known] = {}
        for columns in cleaned:
            if all(sensor in self._known for sensor in columns.sensors):
                continue
            present, first = np.unique(columns.sensor, return_index=True)
            for number, row in zip(present.tolist(), first.tolist(), strict=True):
                sensor = columns.sensors[number]
                if sensor not in self._known:
                    station, offset = columns.stations[number], int(columns.raw_offset[row])
                    form = form_of(self._reference.sensors.get(sensor))
                    new[sensor] = Known(station, columns.parameter, offset, form)
        if new and self._reference.turn != turn:
            # Some were judged by what held before, some by what holds since.
            for sensor in self._reference.changed_since(turn) & new.keys():
                new[sensor] = new[sensor]._replace(form=UNCERTAIN)
        return Met(self._bulks(known=new), new)

    def met(self, met: Met) -> None:
        """Take in a batch whose transaction is committed."""
        self._known.update(met.known)

    def round(self, desk: Desk) -> list[Finished]:
        """Do a part of what there is to do; give the readings that were sent again.

        Raises:
            Transient: nothing was done; the next round tries again.
            Fenced, System: as ``desk.commit`` does.
        """
        try:
            if self._task is None:
                self._begin(desk)
                return []
            return self._go_on(desk, self._task)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of what is open; what is written down stays."""
        if self._run is not None:
            self._run.scan.close()
        self._run, self._looking = None, None

    def _begin(self, desk: Desk) -> None:
        turn = self._reference.turn
        names = self._known.keys() if self._turn < 0 else self._reference.changed_since(self._turn)

        def newest(parameter: str, sensor: str) -> int:
            return int(desk.state.overlay().newest(parameter, [sensor])[0][0])

        found = noticed(names & self._known.keys(), self._known, self._reference.sensors, newest)
        if found.items:
            task = task_of(found.items, self._known, self._wire.topics, desk.positions)
            desk.commit(Outputs(self._bulks(found.changed, task)))
            self._task, self._progress = task, Progress({}, 0)
            self._tell("metadata has changed: readings are judged again", task)
        elif found.changed:
            desk.commit(Outputs(self._bulks(found.changed)))
        self._known.update(found.changed)
        if not found.more:
            self._turn = turn

    def _go_on(self, desk: Desk, task: Task) -> list[Finished]:
        if self._run is None:
            self._run = self._started(desk, task)
        if self._run is None:
            return []
        scan, rehearsal = self._run
        resumed = self._progress.next
        if resumed and not scan.done(resumed):
            rehearsal.take(scan.take(self._most, resumed))  # what had been sent before
            return []
        ends = {topic: desk.positions[topic] for topic in task.first}
        found = rehearsal.take(scan.take(self._most, ends))
        self._send(desk, task, found, done=scan.done(ends))
        return found

    def _started(self, desk: Desk, task: Task) -> _Run | None:
        """Begin once the index has told where the readings lie; until then give nothing."""
        wanted = task.wanted()
        if self._looking is None:
            times = {
                topic: hull([w.judged for (p, _), w in wanted.items() if self._raw(p) == topic])
                for topic in task.first
            }
            self._looking = self._ways.look(self._partition, times)
        if not self._looking.done():
            return None
        ranges = {
            topic: [*_clipped(found, task.first[topic], task.until[topic])]
            for topic, found in self._looking.result().items()
        }
        self._looking = None
        keys = frozenset(item.station.encode() for item in task.items)
        scan = self._ways.scan(self._partition, keys, ranges, task.until)
        known = {p: task.until[self._raw(p)] for p, _ in wanted if self._raw(p) in task.until}
        return _Run(scan, Rehearsal(desk.step, wanted, known))

    def _send(self, desk: Desk, task: Task, found: Sequence[Finished], *, done: bool) -> None:
        if self._run is None:
            raise TypeError(task)
        overlay = desk.state.overlay()
        progress = Progress(self._run.scan.next(), self._progress.sent + _count(found))
        if done:
            places, entries = self._run.rehearsal.corrections(desk.state.rings)
            if len(places):
                overlay.replace(places, entries)
        marked = [replace(one, newest=_newest(one, overlay)) for one in found]
        nothing = Batch(self._partition, {})
        outputs = desk.recorder.outputs(nothing, marked, [], overlay, desk.now())
        outputs.bulks.extend(self._wire.ended(self._partition) if done else self._told(progress))
        desk.commit(outputs)
        overlay.commit()
        self._progress = progress
        if done:
            self._tell(f"judged again: {progress.sent} readings were sent", task)
            self.close()
            self._task, self._progress = None, Progress({}, 0)

    def _bulks(self, known: Mapping[str, Known], task: Task | None = None) -> list[Bulk]:
        return self._wire.bulks(self._partition, known, task)

    def _told(self, progress: Progress) -> list[Bulk]:
        return self._wire.went_on(self._partition, progress)

    def _raw(self, parameter: str) -> str:
        return self._wire.topics.raw(parameter)

    def _tell(self, what: str, task: Task) -> None:
        context = {
            "partition": self._partition,
            "sensors": len({item.sensor for item in task.items}),
            "since": min(item.change.since for item in task.items),
            "until": max(item.change.until for item in task.items),
            "offsets": sum(task.until[topic] - task.first[topic] for topic in task.first),
        }
        _LOG.info(what, extra=context)


def _clipped(ranges: Sequence[Range], first: int, end: int) -> list[Range]:
    inside = (Range(max(one.first, first), min(one.end, end)) for one in ranges)
    return [one for one in inside if one.first < one.end]


def _count(found: Sequence[Finished]) -> int:
    return sum(len(one.newest) for one in found)


def _newest(one: Finished, overlay: Overlay) -> Bools:
    """Say which readings are the newest that is known of their sensors."""
    judged = one.judged
    sensors = [origin.head.sensor for origin in judged.origins]
    at, version = overlay.newest(judged.parameter, sensors)
    mine = judged.origin
    newest: Bools = (judged.utc == at[mine]) & (judged.version == version[mine])
    return newest
