"""A batch's readings as entries for the rings: one for each series, sorted; and who wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream_app.cleaned import CleanedColumns
from stream_app.rulesets.parts import parted
from stream_app.window.entries import ENTRY, Entries, joined, marks, taken
from stream_app.window.kinds import DIRECTION, KINDS, kinds_of
from stream_app.window.rings import Rings, Rows
from weather.arrays import Bools, Flags, Floats, Micros
from weather.qc.consistency import wind_consistency
from weather.qc.flags import GOOD, MISSING, NOT_EVALUATED, Flag, flags_like
from weather.ruleset_history import RulesetHistory

KIND_BITS: Final = 40
ROW_BITS: Final = (1 << KIND_BITS) - 1
"""Where a rank holds the row."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """Readings of a batch, sorted by kind, row, time, version and offset: the last of a time wins.

    One that is ahead of its time stands before those of its version that are not, and never wins:
    what it claims to be the newest would leave no reading of today a neighbour.

    Attributes:
        entries: (n,) what is to be remembered, without its past.
        rank: (n,) kind and row in one number, by which they are sorted.
        place: (n,) place of the reading in its parameter's columns.
        wins: (n,) nothing else of this batch beats it, and its time has come.
        repeated: (n,) an equal one stands behind it in the batch; of equals the last one wins.
    """

    entries: Entries
    rank: Rows
    place: NDArray[np.int64]
    wins: Bools
    repeated: Bools

    @property
    def row(self) -> Rows:
        """The ring of each reading."""
        return self.rank & ROW_BITS

    @property
    def kind(self) -> NDArray[np.int64]:
        """The kind of each reading's series."""
        return self.rank >> KIND_BITS

    def pick(self, which: NDArray[np.int64]) -> Incoming:
        """Take some of them."""
        others = (getattr(self, name).take(which) for name in self.__slots__[1:])
        return Incoming(taken(self.entries, which), *others)


def ranked(kind: NDArray[np.int64] | int, row: Rows | int) -> Rows:
    """Put the kind above the row."""
    return (np.asarray(kind, np.int64) << KIND_BITS) + row


def incoming(
    columns: Mapping[str, CleanedColumns], rings: Rings, rules: RulesetHistory
) -> Incoming:
    """Bring together all series of a batch."""
    parts = [
        part
        for parameter in sorted(columns, key=lambda name: kinds_of(name)[0])
        for part in _of(columns[parameter], rings, rules)
    ]
    entries = joined([part[0] for part in parts])
    rank = np.concatenate([part[1] for part in parts])
    place = np.concatenate([np.arange(len(part[0])) for part in parts])
    ahead = np.concatenate([part[2] for part in parts])
    return _sorted(entries, rank, place, ahead)


def consistency_of(columns: CleanedColumns) -> Flags:
    """Judge what a record says of itself: a wind may contradict itself, one number cannot."""
    values = columns.values
    if columns.parameter == "wind":
        flags = wind_consistency(values["speed"], values["direction"], values["gust"])
    else:
        missing = np.isnan(values["value"])
        flags = np.where(missing, MISSING, GOOD).astype(np.int32)
    return np.where(columns.deleted, np.int32(NOT_EVALUATED), flags)


def _of(
    columns: CleanedColumns, rings: Rings, rules: RulesetHistory
) -> list[tuple[Entries, Rows, Bools]]:
    rows = rings.rows(columns.parameter, columns.sensors, columns.stations)[columns.sensor]
    found = []
    for beside, kind in enumerate(kinds_of(columns.parameter)):
        entries = np.zeros(len(rows), ENTRY)
        entries["at"], entries["version"] = columns.observed_at, columns.version
        entries["value"] = _values(columns, kind, rules)
        entries["offset"] = columns.raw_offset
        flags = consistency_of(columns) if KINDS[kind].consistency else _unjudged(len(rows))
        together = np.where(flags == MISSING, flags, NOT_EVALUATED).astype(np.int32)
        unjudged = dict.fromkeys(("step", "spike", "flat_line"), _unjudged(len(rows)))
        given = {**unjudged, "consistency": flags, "together": together}
        entries["marks"] = marks(~columns.deleted, given)
        found.append((entries, ranked(kind, rows + beside), columns.ahead))
    return found


def _unjudged(n: int) -> Flags:
    return flags_like(n, Flag.NOT_EVALUATED)


def _values(columns: CleanedColumns, kind: int, rules: RulesetHistory) -> Floats:
    """Give what is looked at; a vane that the wind does not move points nowhere."""
    values = columns.values[KINDS[kind].measure]
    if kind != DIRECTION:
        return values
    turned, speed = values.copy(), columns.values["speed"]
    for ruleset, rows in parted(rules, columns.observed_at):
        limits = ruleset.limits_of("wind", "speed").flat_line
        if limits is not None:
            turned[rows] = np.where(speed[rows] > limits.calm, values[rows], np.nan)
    return turned


def _sorted(entries: Entries, rank: Rows, place: NDArray[np.int64], ahead: Bools) -> Incoming:
    at, version = entries["at"], entries["version"]
    order = np.lexsort((at, rank))
    same = _same(rank[order], at[order])
    if same.any():
        order = np.lexsort((entries["offset"], ~ahead, version, at, rank))
        same = _same(rank[order], at[order])
    wins, repeated = np.append(~same, True), np.zeros(len(rank), np.bool_)
    repeated[:-1] = same & (version[order[1:]] == version[order[:-1]])
    wins &= ~ahead[order]
    return Incoming(taken(entries, order), rank[order], place[order], wins, repeated)


def _same(rank: Rows, at: Micros) -> Bools:
    same: Bools = (rank[1:] == rank[:-1]) & (at[1:] == at[:-1])
    return same
