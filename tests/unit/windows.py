"""Readings for tests of the window: a few sensors, and a judge that sees everything at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from schemas.avsc import Schema, load
from stream_app.cleaned import CleanedColumns
from stream_app.revisions import ALONE
from stream_app.window.changelog import RingWriter
from stream_app.window.kinds import KINDS, field_names
from stream_app.window.recovery import Recovery
from stream_app.window.state import Overlay, State
from weather.anomaly import Anomaly, Edges
from weather.cells import SEASONS
from weather.parameters import parameter_of
from weather.qc.consistency import parched, wet, wind_consistency
from weather.qc.digits import STEPS, counted
from weather.qc.flags import Flag
from weather.qc.hours import hours_test
from weather.qc.in_time import judge_in_time
from weather.qc.series import Past, neighbours, resolution
from weather.ruleset import DEFAULT, Limits, Ruleset
from weather.ruleset_history import RulesetHistory

MINUTE = 60_000_000
START = 1_700_000_040_000_000
"""A whole minute."""


def _impatient(limits: Limits) -> Limits:
    flat = limits.flat_line
    return (
        limits
        if flat is None
        else replace(limits, flat_line=flat._replace(suspect_minutes=2, fail_minutes=5, readings=3))
    )


def _learned(limits: Limits) -> Limits:
    """Add a model that finds every other combination of bins odd, by no rule at all."""
    edges = Edges((5.0, 20.0, 35.0, 1000.0), (-100.0, -1.0, 1.0, 100.0), (1.0, 50.0))
    scores = np.random.default_rng(5).random(edges.shape)
    model = Anomaly.of_scores("test", scores, 0.5, edges, tuple(range(SEASONS)))
    return replace(limits, anomaly=model)


RULES = Ruleset(
    "test", {name: _learned(_impatient(limits)) for name, limits in DEFAULT.limits.items()}
)
"""The default rules, but for flat lines, which a ring sees within minutes, and with a model."""
HISTORY = RulesetHistory([RULES])

Key = tuple[str, str, int]
Flags = dict[str, int]


class Reading(NamedTuple):
    """One reading as judging leaves it; the offset tells it from all others."""

    parameter: str
    station: str
    minute: int
    value: float
    version: int = 1
    deleted: bool = False
    offset: int = 0
    direction: float = 90.0
    gust: float = float("nan")
    ahead: bool = False

    @property
    def key(self) -> Key:
        """What it is a reading of."""
        return self.parameter, self.station, self.minute


def columns(readings: Iterable[Reading]) -> dict[str, CleanedColumns]:
    """Make a batch of readings, by parameter."""
    by_parameter: dict[str, list[Reading]] = {}
    for reading in readings:
        by_parameter.setdefault(reading.parameter, []).append(reading)
    return {name: _columns(name, some) for name, some in by_parameter.items()}


def _columns(parameter: str, readings: list[Reading]) -> CleanedColumns:
    sensors = sorted({f"{r.station}:{parameter}" for r in readings})
    main, *others = (m.name for m in parameter_of(parameter).measures)
    values = {main: np.array([r.value for r in readings])}
    values |= {name: np.array([getattr(r, name) for r in readings]) for name in others}
    at = np.array([START + r.minute * MINUTE for r in readings], np.int64)
    return CleanedColumns(
        parameter,
        sensors,
        np.array([sensors.index(f"{r.station}:{parameter}") for r in readings], np.int64),
        [sensor.split(":")[0] for sensor in sensors],
        at,
        np.array([r.version for r in readings], np.int64),
        values,
        np.array([r.ahead for r in readings], np.bool_),
        np.array([r.deleted for r in readings], np.bool_),
        np.array([r.offset for r in readings], np.int64),
        at,
        np.zeros(len(readings), np.int64),
    )


class Stream:
    """A partition whose records are kept as a reader sees them: the last emitted of each key."""

    def __init__(self, heeding: bool = True) -> None:
        self.state = State(generation=0)
        self.topic: list[tuple[bytes, bytes]] = []
        self.final: dict[Key, tuple[int, int, Reading, Flags]] = {}
        self._heeding = heeding
        self._raw: dict[tuple[str, int], Reading] = {}
        self._writer = RingWriter(1, self.state.rings)

    def take(self, readings: list[Reading], commit: bool = True) -> Overlay:
        """Judge a batch and emit what comes of it."""
        self._raw |= {(r.parameter, r.offset): r for r in readings}
        overlay = self.state.overlay()
        verdicts = overlay.judge(columns(readings), HISTORY)
        records = self._writer.messages(overlay.deltas()).pairs()
        if not commit:
            return overlay
        overlay.commit()
        self.topic += records
        for parameter, verdict in verdicts.items():
            own = [r for r in readings if r.parameter == parameter]
            for place, reading in enumerate(own):
                if not verdict.repeated[place]:
                    revision = overlay.revision - ALONE * int(verdict.alone[place])
                    self._emit(reading, verdict.flags, place, revision)
            for place, offset in enumerate(verdict.again.raw_offset.tolist()):
                if self._heeding:
                    earlier = self._raw.get((parameter, offset))
                    if earlier is None:
                        continue  # read by the owner before this one
                    self._emit(earlier, verdict.again.flags, place, overlay.revision)
        return overlay

    def resume(self, topic: list[tuple[bytes, bytes]]) -> None:
        """Go on from what another has left on the topic."""
        self.state, self.topic = self.restored(topic), list(topic)
        self._writer = RingWriter(1, self.state.rings)

    def restored(self, compacted: Iterable[tuple[bytes, bytes]]) -> State:
        """Restore a state from records of the topic."""
        state = State(generation=0)
        recovery = Recovery(state, _schema_of)
        for place, record in enumerate(compacted):
            recovery.take(*record)
            if place % 5 == 4:
                recovery.finish()
        recovery.finish()
        return state

    def _emit(self, reading: Reading, flags: Mapping[str, Any], place: int, revision: int) -> None:
        found = {name: int(values[place]) for name, values in flags.items()}
        known = self.final.get(reading.key)
        if known is not None and known[:2] == (reading.version, revision):
            problem = f"two records of {reading.key} with version and revision {known[:2]}"
            raise AssertionError(problem)
        if known is None or (reading.version, revision) > known[:2]:
            self.final[reading.key] = (reading.version, revision, reading, found)

    def flags(self) -> dict[Key, tuple[Reading, Flags]]:
        """Give what a reader has in the end, but for what was taken back."""
        return {k: (r, f) for k, (_, _, r, f) in self.final.items() if not r.deleted}


def _schema_of(_schema_id: int) -> Schema:
    return load("ring_delta")


def expected(readings: Iterable[Reading]) -> dict[Key, tuple[Reading, Flags]]:
    """Judge by seeing everything at once: of each key the highest version, series by series."""
    winners: dict[Key, Reading] = {}
    for reading in readings:
        known = winners.get(reading.key)
        if known is None or reading.version >= known.version:
            winners[reading.key] = reading
    alive = {key: r for key, r in winners.items() if not r.deleted}
    found: dict[Key, tuple[Reading, Flags]] = {}
    for parameter, station in sorted({key[:2] for key in alive}):
        series = [alive[key] for key in sorted(alive) if key[:2] == (parameter, station)]
        flags = dict.fromkeys(field_names(parameter), [2] * len(series))
        for kind in KINDS:
            if kind.parameter == parameter:
                flags |= _series_flags(kind.measure, kind, series)
        flags["flag_consistency"] = _consistency(series, alive)
        for place, reading in enumerate(series):
            found[reading.key] = reading, {name: int(f[place]) for name, f in flags.items()}
    return found


def _series_flags(measure: str, kind: Any, series: list[Reading]) -> dict[str, list[int]]:
    limits = RULES.limits_of(kind.parameter, measure)
    values = np.array([r.direction if measure == "direction" else r.value for r in series])
    if measure == "direction":
        values = np.where(np.array([r.value for r in series]) > 0.5, values, np.nan)
    at = np.array([START + r.minute * MINUTE for r in series], np.int64)
    n = len(series)
    near = neighbours(at, values, np.ones(n, np.bool_), np.array([n]), Past.nothing(1))
    if (steps := STEPS.get((kind.parameter, measure))) is not None:
        near = counted(near, values, ~np.isnan(values), np.array([n]), np.zeros(1, np.int64), steps)
    made = judge_in_time(at, values, near, limits)
    if kind.step is not None and kind.parameter != "rainfall":
        grain = resolution(near.past.grain)
        made["step"] = hours_test(at, values, made["step"], made["spike"], limits.steps, grain)
    missing = Flag.NOT_EVALUATED if measure == "direction" else Flag.MISSING
    return {
        getattr(kind, name): np.where(np.isnan(values), missing, flags).tolist()
        for name, flags in made.items()
        if getattr(kind, name) is not None
    }


def _consistency(series: list[Reading], alive: Mapping[Key, Reading]) -> list[int]:
    values = np.array([r.value for r in series])
    if series[0].parameter == "wind":
        gust = np.array([r.gust for r in series])
        return wind_consistency(values, np.array([r.direction for r in series]), gust).tolist()
    other = {"rainfall": ("humidity", wet, parched), "humidity": ("rainfall", parched, wet)}
    flags = [9 if np.isnan(value) else 1 for value in values]
    if series[0].parameter in other:
        parameter, mine, theirs = other[series[0].parameter]
        for place, reading in enumerate(series):
            beside = alive.get((parameter, reading.station, reading.minute))
            if (
                beside
                and mine(values[place : place + 1])[0]
                and theirs(np.array([beside.value]))[0]
            ):
                flags[place] = 3
    return flags
