"""Notices what has changed, and sends the readings that it concerns again, bit by bit.

That may be metadata, the rulesets, or what people say of a sensor.

Between the batches of a partition it gets its turn: a round that reads so many raw records at most,
judges those that are meant (:mod:`.rehearsal`) and sends them with a revision of their own. What is
being done and how far it has come stands on the state topic, written in the same transactions. So a
partition that moves, or comes back after a crash, goes on where it was; what had been read is read
once more, since the neighbours are needed, and is not sent again. A change that comes meanwhile is
the next task: it is found by what was remembered when this one began.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from stream_app.again.desk import Desk, Ways
from stream_app.again.form import UNCERTAIN, Form, form_of
from stream_app.again.noticing import noticed, task_of, unsure
from stream_app.again.run import Run, Search
from stream_app.again.task import Task
from stream_app.again.wire import PROGRESS_KEY, TASK_KEY, Known, Progress, Wire
from stream_app.cleaned import CleanedColumns
from stream_app.metadata.reference import Reference
from stream_app.outputs.delivery import Bulk, Outputs
from stream_app.outputs.records import Finished
from stream_app.revisions import STEP
from stream_app.transport.batch import Batch
from stream_app.window.state import Overlay

_LOG: Final = logging.getLogger("aos.stream.again")
_ROUNDS: Final = 2**20
"""Numbers of batches that are set aside for a task, one for each of its rounds: 6 days of them."""


class Met(NamedTuple):
    """Sensors of which a batch says something new, until its transaction is committed."""

    bulks: list[Bulk]
    known: Mapping[str, Known]


class Reviser:
    """Keeps one partition's readings in step with what they are judged by."""

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
        # Whoever is met from now on is met as things are: only what is restored is to be compared.
        self._turn = reference.turns.now
        self._looked: dict[str, int] = {}
        self._task: Task | None = None
        self._progress = Progress({}, 0)
        self._search: Search | None = None
        self._run: Run | None = None

    @property
    def turn(self) -> int:
        """The turn of the reference tables, to be asked for before a batch is judged."""
        return self._reference.turns.now

    @property
    def due(self) -> bool:
        """Whether there is anything for a round to do."""
        return self._task is not None or self._reference.turns.now != self._turn

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
            self._turn = -1
        else:
            return False
        return True

    def meet(self, cleaned: Sequence[CleanedColumns], turn: int) -> Met:
        """Give what belongs into the transaction of a batch; ``turn`` was that before it."""
        new: dict[str, Known] = {}
        other: dict[str, Known] = {}
        for columns in cleaned:
            if self._turn != self._reference.turns.now:
                other |= unsure(columns.sensors, self._known, self._form, self._looked, turn)
            if all(map(self._known.__contains__, columns.sensors)):
                continue
            present, first = np.unique(columns.sensor, return_index=True)
            for number, row in zip(present.tolist(), first.tolist(), strict=True):
                sensor = columns.sensors[number]
                if sensor not in self._known:
                    station, offset = columns.stations[number], int(columns.raw_offset[row])
                    form = self._form(sensor, station)
                    self._looked[sensor] = turn
                    new[sensor] = Known(station, columns.parameter, offset, form)
        if new and self._reference.turns.now != turn:
            # Some were judged by what held before, some by what holds since.
            for sensor in self._reference.turns.since(turn, new):
                new[sensor] = new[sensor]._replace(form=UNCERTAIN)
        both = {**other, **new}
        return Met(self._bulks(known=both), both)

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
        self._run, self._search = None, None

    def _begin(self, desk: Desk) -> None:
        turns = self._reference.turns
        turn = turns.now
        names = self._known.keys() if self._turn < 0 else turns.since(self._turn, self._known)

        def newest(parameter: str, sensor: str) -> int:
            return int(desk.state.overlay().newest(parameter, [sensor])[0][0])

        found = noticed(names, self._known, self._form, newest)
        if found.items:
            task = task_of(found.items, self._known, self._wire.topics, desk.positions)
            self._progress = self._written_down(desk, found.changed, task)
            self._task = task
            self._tell("what is known has changed: readings are judged again", task)
        elif found.changed:
            desk.commit(Outputs(self._bulks(found.changed)))
        self._known.update(found.changed)
        if not found.more:
            self._turn = turn
            self._looked.clear()

    def _written_down(self, desk: Desk, changed: Mapping[str, Known], task: Task) -> Progress:
        """Write down that a task begins, behind numbers that no batch will use any more."""
        overlay = desk.state.overlay()
        progress = Progress({}, 0, overlay.batch)
        overlay.batch += _ROUNDS
        outputs = desk.recorder.outputs(Batch(self._partition, {}), [], [], overlay, desk.now())
        outputs.bulks.extend([*self._bulks(changed, task), *self._told(progress)])
        desk.commit(outputs)
        overlay.commit()
        return progress

    def _go_on(self, desk: Desk, task: Task) -> list[Finished]:
        if self._run is None:
            topics, ways = self._wire.topics, self._ways
            self._search = self._search or Search(self._partition, task, topics, ways)
            self._run = self._search.run(desk.step)
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

    def _send(self, desk: Desk, task: Task, found: Sequence[Finished], *, done: bool) -> None:
        if self._run is None:
            raise TypeError(task)
        overlay = desk.state.overlay()
        progress = self._progress.on(self._run.scan.next(), _count(found))
        if done:
            corrections = self._run.rehearsal.corrections(desk.state.rings)
            if len(corrections.places) or len(corrections.samples.rows):
                overlay.replace(*corrections)
        marked = [_marked(one, overlay, self._progress.alone) for one in found]
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

    def _form(self, sensor: str, station: str) -> Form:
        table = self._reference
        hands = table.overrides.of(sensor, station)
        return form_of(table.sensors.get(sensor), table.rulesets.history, hands)

    def _bulks(self, known: Mapping[str, Known], task: Task | None = None) -> list[Bulk]:
        return self._wire.bulks(self._partition, known, task)

    def _told(self, progress: Progress) -> list[Bulk]:
        return self._wire.went_on(self._partition, progress)

    def _tell(self, what: str, task: Task) -> None:
        context = {
            "partition": self._partition,
            "sensors": len({item.sensor for item in task.items}),
            "since": min(item.change.since for item in task.items),
            "until": max(item.change.until for item in task.items),
            "offsets": sum(task.until[topic] - task.first[topic] for topic in task.first),
        }
        _LOG.info(what, extra=context)


def _count(found: Sequence[Finished]) -> int:
    return sum(len(one.newest) for one in found)


def _marked(one: Finished, overlay: Overlay, alone: int) -> Finished:
    """Mark the newest that is known of each sensor, and put behind what has no neighbours.

    A reading that had neighbours when it first came, and came again without, must not end without.
    So what has none gets the number ``alone``, which was set aside when the task began: above all
    that was judged before, and below all that is judged since.
    """
    judged = one.judged
    sensors = [origin.head.sensor for origin in judged.origins]
    at, version = overlay.newest(judged.parameter, sensors)
    mine = judged.origin
    newest = (judged.utc == at[mine]) & (judged.version == version[mine])
    behind = np.where(judged.behind > 0, np.int64((overlay.batch - alone) * STEP), np.int64(0))
    return replace(one, judged=replace(judged, behind=behind), newest=newest)
