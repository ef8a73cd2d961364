"""What the window says of a batch: flags of its readings, and of earlier ones that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stream_app.cleaned import CleanedColumns
from stream_app.window.before import Before, before, in_ring
from stream_app.window.entries import FLAG_BITS, Entries, unpacked
from stream_app.window.incoming import Incoming, ranked
from stream_app.window.judge import kind_slices
from stream_app.window.kinds import DIRECTION, KINDS, RAINFALL, field_names, kinds_of
from stream_app.window.layout import Layout
from stream_app.window.rings import Rings, Rows
from weather.arrays import Bools, Flags
from weather.qc.flags import FAIL, SUSPECT, Flag, flags_like


@dataclass(frozen=True, slots=True)
class Again:
    """Earlier readings that are to be sent again: their verdict changed.

    Attributes:
        raw_offset: (m,) where their raw records lie, in the parameter's topic.
        flags: (m,) by field of the clean schema.
        newest: (m,) the newest readings of their sensors.
        before: (m,) what stands before them, where gauges count; None where none does.
    """

    raw_offset: NDArray[np.int64]
    flags: Mapping[str, Flags]
    newest: Bools
    before: Before | None = None

    def take(self, rows: NDArray[np.int64]) -> Again:
        """Pick some of them."""
        flags = {name: column[rows] for name, column in self.flags.items()}
        before = None if self.before is None else self.before.take(rows)
        return Again(self.raw_offset[rows], flags, self.newest[rows], before)


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """What was found out about the readings of one parameter, in the order of its columns.

    Attributes:
        flags: (n,) by field of the clean schema.
        repeated: (n,) sensor, time and version are those of a reading behind it in the batch: to be
            left out, or two records would have an equal version and revision.
        alone: (n,) judged without neighbours: too late to have any, or beaten by another version.
        newest: (n,) now the newest reading of its sensor.
        again: readings of earlier batches.
        before: (n,) what stands before each, where gauges count; None where none does.
    """

    flags: Mapping[str, Flags]
    repeated: Bools
    alone: Bools
    newest: Bools
    again: Again
    before: Before | None = None


def verdicts(
    columns: Mapping[str, CleanedColumns],
    incoming: Incoming | None,
    judged: list[tuple[Layout, Entries]],
) -> dict[str, WindowVerdict]:
    """Say of every parameter what was found; one that was not in the batch may yet have changed."""
    found = {parameter: _blank(parameter, len(c.sensor)) for parameter, c in columns.items()}
    if incoming is not None:
        _fill(found, incoming, judged)
    counting = any(c.counting for c in columns.values())
    if counting and incoming is not None:
        found["rainfall"] = replace(found["rainfall"], before=_counted(incoming, judged))
    parts: dict[str, list[Again]] = {}
    for layout, entries in judged:
        for parameter, again in _again(layout, entries, counting=counting):
            parts.setdefault(parameter, []).append(again)
    for parameter, several in parts.items():
        blank = found.get(parameter) or _blank(parameter, 0)
        again = _joined(several)
        found[parameter] = replace(blank, again=again)
    return found


def _blank(parameter: str, n: int) -> WindowVerdict:
    flags = {name: flags_like(n, Flag.NOT_EVALUATED) for name in field_names(parameter)}
    repeated, alone, newest = (np.zeros(n, np.bool_) for _ in range(3))
    return WindowVerdict(flags, repeated, alone, newest, _none_again(parameter))


@cache
def _none_again(parameter: str) -> Again:
    nothing = np.zeros(0, np.int64)
    flags = {name: flags_like(0, Flag.GOOD) for name in field_names(parameter)}
    return Again(nothing, MappingProxyType(flags), nothing > 0)


def _fill(
    found: Mapping[str, WindowVerdict], incoming: Incoming, judged: list[tuple[Layout, Entries]]
) -> None:
    count = len(incoming.entries)
    marks = incoming.entries["marks"].copy()
    newest, alone = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    for layout, done in judged:
        new = np.flatnonzero(layout.new >= 0)
        place = layout.new[new]
        marks[place], newest[place], alone[place] = done["marks"][new], layout.last[new], False
    for kind, part in _slices(incoming):
        verdict, place = found[KINDS[kind].parameter], incoming.place[part]
        for name, field in _fields(kind):
            verdict.flags[field][place] = _flag(marks[part], name)
        verdict.repeated[place] = incoming.repeated[part]
        verdict.alone[place], verdict.newest[place] = alone[part], newest[part]


def _counted(incoming: Incoming, judged: list[tuple[Layout, Entries]]) -> Before:
    """Say what stands before each reading of rain, in the order of its columns."""
    part = dict(_slices(incoming))[RAINFALL]
    found = Before.nothing(len(incoming.entries))
    for layout, done in judged:
        new = np.flatnonzero(layout.new >= 0)
        known = before(layout, done)[0].take(new)
        found.change[layout.new[new]], found.elapsed[layout.new[new]] = known
    placed = Before.nothing(part.stop - part.start)
    place = incoming.place[part]
    placed.change[place], placed.elapsed[place] = found.take(np.arange(part.start, part.stop))
    return placed


def _again(layout: Layout, entries: Entries, *, counting: bool) -> Iterator[tuple[str, Again]]:
    turned = (entries["marks"] ^ layout.entries["marks"]) & FLAG_BITS
    changed, last = (layout.source >= 0) & (turned != 0), layout.last
    slices = dict(kind_slices(layout))
    stands = None
    if counting and RAINFALL in slices:
        stands, other = before(layout, entries)
        rain = slices[RAINFALL]
        changed[rain] |= other[rain]
    for kind, part in slices.items():
        if kind == DIRECTION:
            continue
        kinds = kinds_of(KINDS[kind].parameter)
        which = np.logical_or.reduce([changed[slices[k]] for k in kinds])
        if not which.any():
            continue
        flags = {
            field: _flag(entries["marks"][slices[k]][which], name)
            for k in kinds
            for name, field in _fields(k)
        }
        offsets, rows = entries["offset"][part][which], np.flatnonzero(which) + part.start
        counted = stands.take(rows) if stands and kind == RAINFALL else None
        yield KINDS[kind].parameter, Again(offsets, flags, last[rows], counted)


def _joined(parts: list[Again]) -> Again:
    if len(parts) == 1:
        return parts[0]
    counted = [part.before for part in parts if part.before is not None]
    return Again(
        np.concatenate([part.raw_offset for part in parts]),
        {name: np.concatenate([part.flags[name] for part in parts]) for name in parts[0].flags},
        np.concatenate([part.newest for part in parts]),
        Before(*map(np.concatenate, zip(*counted, strict=True))) if counted else None,
    )


def _fields(kind: int) -> Iterator[tuple[str, str]]:
    for name in ("step", "spike", "flat_line", "consistency", "anomaly"):
        field = getattr(KINDS[kind], name)
        if field is not None:
            yield name, field


def _flag(marks: NDArray[np.uint32], name: str) -> Flags:
    found = unpacked(marks, name)
    if name != "consistency":
        return found
    against = (unpacked(marks, "together") == SUSPECT) & (found != FAIL)
    return np.where(against, np.int32(SUSPECT), found)


def _slices(incoming: Incoming) -> Iterator[tuple[int, slice]]:
    firsts = ranked(np.arange(len(KINDS) + 1), np.zeros(len(KINDS) + 1, np.int64))
    bounds = np.searchsorted(incoming.rank, firsts).tolist()
    for kind, (start, stop) in enumerate(pairwise(bounds)):
        if start < stop:
            yield kind, slice(start, stop)


def standing(rings: Rings, parameter: str, rows: Rows) -> Again:
    """Give all that is remembered of sensors, by their first rows, with the verdict it has now."""
    kinds = kinds_of(parameter)
    places = {kind: rings.all_of(rows + beside) for beside, kind in enumerate(kinds)}
    flags = {
        field: _flag(rings.entries["marks"][places[kind]], name)
        for kind in kinds
        for name, field in _fields(kind)
    }
    entries = rings.entries[places[kinds[0]]]
    again = Again(entries["offset"], flags, np.zeros(len(entries), np.bool_))
    if parameter != KINDS[RAINFALL].parameter:
        return again
    stands, known = in_ring(entries, rings.count[rows])
    return replace(again, before=stands).take(np.flatnonzero(known))
