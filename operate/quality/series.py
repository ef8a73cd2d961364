"""What one measure of one sensor gave, taken out of a past to be changed, and put back into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from operate.quality.course import Verdicts
from operate.quality.readings import Past
from schemas.columnar import Column, Integers, Numbers
from stream_app.judging.decoding import Decoded
from weather.arrays import Bools, Floats, Micros
from weather.injection import NONE, Faulty
from weather.qc.digits import STEPS
from weather.qc.flags import Flag
from weather.ruleset import DEFAULT, Limits, Ruleset
from weather.units import from_standard

_READ_AFTER: Final = 60_000_000
_FEWEST: Final = 48
_NEAR: Final = 0.01
_NEARLY_ALL: Final = 0.99


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of one sensor, by rising time; arrays are of shape (n,).

    Attributes:
        rows: places in the parameter's readings.
        at: when each was observed, in UTC microseconds; ``local`` by the station's clock.
        values: as measured, in the standard unit.
        healthy: readings that are there, unflagged, and as far from the one before as most are.
        cadence: how far apart most of them are, in microseconds.
    """

    parameter: str
    measure: str
    sensor: str
    station: str
    unit: str
    rows: Integers
    at: Micros
    local: Micros
    values: Floats
    healthy: Bools
    cadence: int
    limits: Limits


def series_of(
    past: Past,
    verdicts: Mapping[str, Verdicts],
    measures: Iterable[tuple[str, str]],
    ruleset: Ruleset = DEFAULT,
) -> list[Series]:
    """Take out the series of some measures, those that are long enough to tell anything."""
    return [
        series
        for parameter, measure in measures
        if parameter in verdicts  # else none of its readings could be used
        for series in _of(past.readings[parameter], verdicts[parameter], measure, ruleset)
        if series.healthy.sum() >= _FEWEST
    ]


def _of(decoded: Decoded, found: Verdicts, measure: str, ruleset: Ruleset) -> Iterator[Series]:
    parameter, count = decoded.parameter, len(decoded.records)
    utc, local = np.zeros((2, count), np.int64)
    good, values = np.zeros(count, np.bool_), np.full(count, np.nan)
    utc[found.judged.offsets], local[found.judged.offsets] = found.judged.utc, found.judged.local
    values[found.judged.offsets] = found.judged.measures[measure].raw_value
    good[found.judged.offsets] = ~found.bad & (found.flag != Flag.MISSING)
    usable = np.isin(np.arange(count), found.judged.offsets)
    sensors = np.array([head.sensor for head in decoded.heads])[decoded.head]
    for sensor in np.unique(sensors[usable]).tolist():
        rows = np.flatnonzero(usable & (sensors == sensor))
        rows = rows[np.argsort(utc[rows], kind="stable")]
        head = decoded.heads[int(decoded.head[rows[0]])].record
        unit = str(head["unit"] if measure == "value" else head[f"{measure}_unit"])
        steps = np.diff(utc[rows], prepend=utc[rows[0]])
        cadence = int(np.median(steps))
        yield Series(
            parameter=parameter,
            measure=measure,
            sensor=str(sensor),
            station=str(head["station_id"]),
            unit=unit,
            rows=rows,
            at=utc[rows],
            local=local[rows],
            values=values[rows],
            healthy=good[rows] & ~np.isnan(values[rows]) & (steps == cadence),
            cadence=cadence,
            limits=ruleset.limits_of(parameter, measure),
        )


def own_step(series: Series) -> float:
    """Give the largest step that all but a hundredth of a series are multiples of; 0 for none."""
    steps, values = STEPS.get((series.parameter, series.measure)), series.values
    there = values[~np.isnan(values)]
    sizes = sorted(steps.sizes, reverse=True) if steps else ()
    for size in sizes:
        if (np.abs(np.rint(there / size) * size - there) < _NEAR * size).mean() > _NEARLY_ALL:
            return size
    return 0.0


def as_live(past: Past, verdicts: Mapping[str, Verdicts]) -> Past:
    """Let every reading have been read a minute after it was observed, as in daily work."""
    changed = {}
    for name, found in verdicts.items():
        judged, decoded = found.judged, past.readings[name]
        extracted = np.zeros(len(decoded.records), np.int64)
        extracted[judged.offsets] = judged.utc + _READ_AFTER
        changed[name] = replace(
            decoded, columns={**decoded.columns, "extracted_at": Numbers(extracted)}
        )
    return past.changed(changed)


def with_faults(past: Past, faults: Iterable[tuple[Series, Faulty]]) -> Past:
    """Put series with faults in the place of the healthy ones; other readings stay bit for bit."""
    changed = dict(past.readings)
    for series, faulty in faults:
        changed[series.parameter] = _changed(changed[series.parameter], series, faulty)
    return past.changed(changed)


def _changed(decoded: Decoded, series: Series, faulty: Faulty) -> Decoded:
    touched = np.flatnonzero((faulty.event != NONE) | (faulty.values != series.values))
    touched = touched[~np.isnan(faulty.values[touched])]
    rows = series.rows[touched]
    name, columns = series.measure, dict(decoded.columns)
    given = from_standard(faulty.values[touched], series.parameter, name, series.unit)
    columns[name] = _with(columns[name], rows, given)
    local = series.local[touched] + (faulty.at - series.at)[touched]
    columns["observed_local"] = _with(columns["observed_local"], rows, local)
    return replace(decoded, columns=columns)


def _with(column: Column, rows: Integers, values: NDArray[Any]) -> Numbers:
    """Put numbers into some rows; where there is a number, a text beside it counts for nothing."""
    if not isinstance(column, Numbers):
        raise TypeError(column)
    count = len(column.values)
    there = np.ones(count, np.bool_) if column.present is None else column.present.copy()
    changed = column.values.copy()
    changed[rows], there[rows] = values, True
    return Numbers(changed, there)
