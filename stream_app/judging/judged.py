"""Readings that have been judged by themselves: everything that was found out, as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from schemas.columnar import Integers, Strings, concatenated
from stream_app.cleaned import CleanedColumns
from stream_app.judging.origins import Origin, Origins
from stream_app.judging.table import UNJUDGED
from stream_app.overrides.applying import overruled
from stream_app.overrides.hands import NO_HAND, Hand
from stream_app.revisions import ALONE
from weather.arrays import Bools, Flags, Floats, Micros
from weather.clean import Cleaned
from weather.corrections import Corrections
from weather.qc.flags import MISSING, NOT_EVALUATED, aggregate, overall
from weather.rain import Counter


@dataclass(frozen=True, slots=True)
class Judged:
    """Readings of one parameter, in the order of their offsets; all columns are equally long.

    ``origins`` are those of the batch, ``origin`` is the number of each reading's. ``hands`` are
    what people say, by origin; none where nobody says anything. ``counters`` say how gauges count,
    by origin too; none where none does. ``health`` is what stations say of their sensors; None
    where no mapping tells of it. ``left_out`` is what their mapping does not want done (1 judging,
    2 correcting, 3 both); None where all is done. ``late`` are those that were read later than
    their ruleset allows; None where none was. ``behind`` is how far its revision stands behind that
    of its batch: 0 where it had neighbours.
    """

    parameter: str
    origins: Origins
    origin: Integers
    hands: Sequence[Hand]
    offsets: Integers
    published: Integers
    keys: Strings
    source_key: Strings
    extracted: Micros
    local: Micros
    utc: Micros
    interval: Micros
    version: Integers
    measures: Mapping[str, Cleaned]
    corrections: Corrections
    flag_measured: Flags
    flag_time: Flags
    flag_metadata: Flags
    flag_calibration: Flags
    in_future: Bools
    deleted: Bools
    behind: Integers
    counters: Sequence[Counter | None] = ()
    health: Flags | None = None
    left_out: Integers | None = None
    late: Bools | None = None

    def take(self, rows: Integers) -> Judged:
        """Pick readings, in the order given."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(
            self,
            **arrays,
            keys=self.keys.take(rows),
            source_key=self.source_key.take(rows),
            **self._marks(rows),
            measures={
                name: _of_measure(lambda one: one[0][rows], [measure])
                for name, measure in self.measures.items()
            },
        )

    def _marks(self, rows: Integers) -> dict[str, Any]:
        marks = {name: getattr(self, name) for name in _MARKS}
        return {name: None if one is None else one[rows] for name, one in marks.items()}

    def sensor(self, row: int) -> str:
        """Give the sensor of one reading."""
        origin: Origin = self.origins[int(self.origin[row])]
        return origin.head.sensor

    def wanted(self, flags: Mapping[str, Flags]) -> Mapping[str, Flags]:
        """Take from flags, by field, those of readings that are not to be judged."""
        unjudged, unasked = self.unjudged, np.int32(NOT_EVALUATED)
        if unjudged is None:
            return flags
        return {name: np.where(unjudged, unasked, one) for name, one in flags.items()}

    @property
    def unjudged(self) -> Bools | None:
        """Which readings are not to be judged; None where all are."""
        return None if self.left_out is None else self.left_out & UNJUDGED != 0

    def placed(self, alone: Bools) -> Judged:
        """Say which were judged without neighbours: they stand behind their batch.

        Not so where something was left out: whoever wanted that wants it to be seen, and what was
        found beside neighbours stands back.
        """
        behind = alone if self.left_out is None else alone & (self.left_out == 0)
        return replace(self, behind=np.where(behind, np.int64(ALONE), np.int64(0)))

    @property
    def own_flags(self) -> dict[str, Flags]:
        """The flags of the tests that look at one reading, by field of the clean schema."""
        ranges = {range_field(name): one.flag_range for name, one in self.measures.items()}
        told = {"flag_time": self.flag_time, "flag_calibration": self.flag_calibration}
        return {**ranges, **told, **self._station_flags}

    @property
    def _station_flags(self) -> dict[str, Flags]:
        return {} if self.health is None else {"flag_health": self.health}

    def overall(self, flags: Mapping[str, Flags]) -> Flags:
        """Join the flags of tests that look at neighbours, by field, with those that were found."""
        told = self.flag_calibration, *self._station_flags.values(), *flags.values()
        measured = aggregate(self.flag_measured, *told)
        missing = self.flag_measured == MISSING
        measured = np.where(missing, np.int32(MISSING), measured)
        found = overall(measured, self.flag_time, self.flag_metadata)
        return overruled(found, self.hands, self.origin)

    @property
    def by_hand(self) -> Bools | None:
        """Which readings a person has judged; None where nobody did."""
        if not self.hands:
            return None
        return np.array([hand is not NO_HAND for hand in self.hands])[self.origin]

    def cleaned(self) -> CleanedColumns:
        """Give what the tests need that look at neighbours."""
        sensors = self.origins.sensors
        return CleanedColumns(
            parameter=self.parameter,
            sensors=sensors.names,
            sensor=sensors.number[self.origin],
            stations=sensors.stations,
            observed_at=self.utc,
            version=self.version,
            values=self._values(),
            ahead=self.in_future,
            deleted=self.deleted,
            raw_offset=self.offsets,
            published_at=self.published * 1000,
            interval=self.interval,
            counting=bool(self.counters),
        )

    @property
    def counts(self) -> Bools:
        """Which readings are totals of a counter."""
        return np.array([one is not None for one in self.counters], np.bool_)[self.origin]

    def _values(self) -> dict[str, Floats]:
        """Give what is looked at; totals as their negative, so that none passes for rain."""
        values = {name: measure.value for name, measure in self.measures.items()}
        if self.counters:
            values["value"] = np.where(self.counts, -values["value"], values["value"])
        return values


def range_field(measure: str) -> str:
    """Name the field that says whether a measure is within its limits.

    >>> range_field("value"), range_field("gust")
    ('flag_range', 'flag_gust_range')
    """
    return "flag_range" if measure == "value" else f"flag_{measure}_range"


_MARKS: Final[dict[str, Any]] = {
    "health": np.int32(NOT_EVALUATED),
    "left_out": np.int64(0),
    "late": np.False_,
}
"""Columns that are there only where there is something to say, and what says nothing."""
_NO_ARRAYS: Final = (
    *("parameter", "origins", "hands", "keys", "source_key", "measures", "counters"),
    *_MARKS,
)
_ARRAYS: Final = tuple(name for name in Judged.__dataclass_fields__ if name not in _NO_ARRAYS)


def joined(parts: Sequence[Judged]) -> Judged:
    """Join readings of one parameter that were judged apart, in the order of their offsets."""
    if len(parts) == 1:
        return parts[0]
    shifts = np.cumsum([0, *(len(part.origins) for part in parts[:-1])]).tolist()
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in _ARRAYS
        if name != "origin"
    }
    origin = [part.origin + shift for part, shift in zip(parts, shifts, strict=True)]
    measures = {
        name: _of_measure(np.concatenate, [part.measures[name] for part in parts])
        for name in parts[0].measures
    }
    marks: dict[str, Any] = {name: _joined_marks(name, parts) for name in _MARKS}
    together = replace(
        parts[0],
        **arrays,
        **marks,
        origins=Origins(one for part in parts for one in part.origins),
        origin=np.concatenate(origin),
        hands=_joined_hands(parts),
        counters=_joined_counters(parts),
        keys=concatenated([part.keys for part in parts]),
        source_key=concatenated([part.source_key for part in parts]),
        measures=measures,
    )
    return together.take(np.argsort(together.offsets, kind="stable"))


def _joined_hands(parts: Sequence[Judged]) -> Sequence[Hand]:
    if not any(part.hands for part in parts):
        return ()
    return [hand for one in parts for hand in one.hands or [NO_HAND] * len(one.origins)]


def _joined_marks(name: str, parts: Sequence[Judged]) -> Any:
    marks = [(getattr(part, name), len(part.utc)) for part in parts]
    if all(one is None for one, _ in marks):
        return None
    return np.concatenate([np.full(n, _MARKS[name]) if one is None else one for one, n in marks])


def _joined_counters(parts: Sequence[Judged]) -> Sequence[Counter | None]:
    if not any(part.counters for part in parts):
        return ()
    return [one for part in parts for one in part.counters or [None] * len(part.origins)]


def _of_measure(change: Callable[[Sequence[Any]], Any], parts: Sequence[Cleaned]) -> Cleaned:
    return Cleaned(
        raw_value=change([part.raw_value for part in parts]),
        value=change([part.value for part in parts]),
        flag_range=change([part.flag_range for part in parts]),
    )
