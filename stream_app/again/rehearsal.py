"""Judging a part of the past once more, beside a memory of its own: nothing of the present changes.

Raw records come as they came the first time, and find the neighbours they had then. What they find
in the end is what they would have found, had all been known that is known now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stream_app.again.task import Key, Wanted, Window, hull
from stream_app.judging.decoding import DeadLetter
from stream_app.judging.judged import Judged
from stream_app.judging.origins import Origin
from stream_app.outputs.records import Finished
from stream_app.step import Step
from stream_app.transport.batch import Batch
from stream_app.window.entries import Entries
from stream_app.window.kinds import KINDS, kinds_of
from stream_app.window.rings import Rings, Rows
from stream_app.window.state import State
from stream_app.window.verdict import Again, standing
from stream_app.window.writing import Deltas
from weather.arrays import Bools
from weather.qc.hours import HOUR


class Corrections(NamedTuple):
    """Places in rings and the entries that they are to hold, (n,) each; and hourly samples."""

    places: Rows
    entries: Entries
    samples: Deltas


class Rehearsal:
    """Judges what is wanted of the records that it is given, and gives what is to be sent."""

    def __init__(self, step: Step, wanted: Mapping[Key, Wanted], known: Mapping[str, int]) -> None:
        """``known``: by parameter, the raw offset from which on all is sent that is touched."""
        self._step = step
        self._wanted = wanted
        self._known = known
        self._state = State(0)

    def take(self, batch: Batch) -> list[Finished]:
        """Judge records; give those to be sent, of them and of earlier ones.

        Raises:
            Transient: broker or registry do not answer; the rehearsal is of no use any more.
        """
        unusable: list[DeadLetter] = []  # they were dead letters when they came
        overlay = self._state.overlay()
        taken = self._step.take(batch, overlay, unusable, self._chosen)
        overlay.commit()
        found = list(taken.finished)
        touched = {
            name: sorted({c.sensors[i] for i in c.sensor[c.raw_offset >= self._known[name]]})
            for name, c in taken.cleaned.items()
        }
        found += self._standing(touched, found)
        return [one for one in map(self._sent, found) if len(one.newest)]

    def corrections(self, live: Rings) -> Corrections:
        """Give what the live rings are to hold otherwise."""
        ours, nothing = self._state.rings, np.zeros(0, np.int64)
        places, entries = [nothing], [ours.entries[:0]]
        hourly, samples = [nothing], [ours.entries[:0]]
        for row in range(len(ours)):
            sensor, kind = ours.sensors[row], int(ours.kind[row])
            parameter = KINDS[kind].parameter
            beside = kinds_of(parameter).index(kind)
            wanted = self._of(parameter, sensor, ours.stations[int(ours.station[row])])
            theirs = live.known(parameter, [sensor]) + beside
            if wanted is None or not wanted.sent or theirs[0] < beside:
                continue
            known = ours.entries[ours.all_of(np.array([row]))]
            held = live.all_of(theirs)
            at, found = live.entries["at"][held], hull(wanted.sent)
            place = np.minimum(np.searchsorted(known["at"], at), max(0, len(known) - 1))
            same = (at >= found.since) & (at < found.until)
            if len(known):
                same &= (known["at"][place] == at) & (
                    known["version"][place] == live.entries["version"][held]
                )
                places.append(held[same])
                entries.append(known[place[same]])
            sampled = instead(
                live.samples.entries(int(theirs[0])), ours.samples.entries(row), found
            )
            hourly.append(np.full(len(sampled), theirs[0]))
            samples.append(sampled)
        new = Deltas.of_samples(np.concatenate(hourly), np.concatenate(samples))
        return Corrections(np.concatenate(places), np.concatenate(entries), new)

    def _standing(
        self, touched: Mapping[str, Sequence[str]], found: Iterable[Finished]
    ) -> Iterator[Finished]:
        """Give what is remembered beside new readings, but for what is sent already.

        While the past is judged, the present goes on beside neighbours that are not right yet, and
        may have sent these again with the verdict that follows. The last word must be ours.
        """
        sent: dict[str, list[int]] = {}
        for one in found:
            sent.setdefault(one.judged.parameter, []).extend(one.judged.offsets.tolist())
        changed: dict[str, Again] = {}
        for parameter, sensors in touched.items():
            rows = self._state.rings.known(parameter, sensors)
            again = standing(self._state.rings, parameter, rows[rows >= 0])
            new = np.flatnonzero(~np.isin(again.raw_offset, sent.get(parameter, [])))
            if len(new):
                changed[parameter] = again.take(new)
        return self._step.again(changed, self._state.overlay())

    def _chosen(self, judged: Judged) -> Judged:
        rows = np.flatnonzero(self._inside(judged, judging=True))
        return judged if len(rows) == len(judged.utc) else judged.take(rows)

    def _sent(self, one: Finished) -> Finished:
        rows = np.flatnonzero(self._inside(one.judged, judging=False))
        if len(rows) == len(one.newest):
            return one
        flags = {name: column[rows] for name, column in one.flags.items()}
        return Finished(one.judged.take(rows), flags, one.newest[rows])

    def _inside(self, judged: Judged, *, judging: bool) -> Bools:
        inside = np.zeros(len(judged.utc), np.bool_)
        for number, origin in enumerate(judged.origins):
            rows = np.flatnonzero(judged.origin == number)
            for since, until in self._windows(judged.parameter, origin, judging=judging):
                utc = judged.utc[rows]
                inside[rows] |= (utc >= since) & (utc < until)
        return inside

    def _windows(self, parameter: str, origin: Origin, *, judging: bool) -> tuple[Window, ...]:
        wanted = self._of(parameter, origin.head.sensor, origin.head.station)
        if wanted is None:
            return ()
        return (wanted.judged,) if judging else wanted.sent

    def _of(self, parameter: str, sensor: str, station: str) -> Wanted | None:
        keys = (parameter, sensor), (parameter, f"@{station}")
        found = [self._wanted[key] for key in keys if key in self._wanted]
        if len(found) < len(keys):
            return found[0] if found else None
        judged = hull([one.judged for one in found])
        return Wanted(judged, found[0].sent + found[1].sent)


def instead(held: Entries, known: Entries, found: Window) -> Entries:
    """Give what is to be held of hourly samples within a window: those known, and no others.

    A sample that is none any more keeps its place, without a value.
    """
    known = known[(known["at"] >= found.since) & (known["at"] < found.until)]
    held = held[(held["at"] >= found.since) & (held["at"] < found.until)]
    none = held[~np.isin(held["at"] // HOUR, known["at"] // HOUR)]
    none["value"] = np.nan
    return np.concatenate([none, known])
