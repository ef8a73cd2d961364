"""For each test a plot: what it catches of real days, and what gets past it.

What it catches is a real reading where it flagged one, else a fault put into a real day. What gets
past it is a fault put into one, too; the remark says whether another test met it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from operate.quality.catalogue import Test
from operate.quality.counters import counter_flags, with_resets
from operate.quality.course import Verdicts, is_bad, verdicts
from operate.quality.faults import MAIN, Case, Put
from operate.quality.network import said
from operate.quality.readings import Past
from operate.quality.series import Series, as_live, series_of, with_faults
from operate.quality.svg import Panel, drawn
from weather.arrays import Flags
from weather.injection import NONE, Fault, Faulty
from weather.parameters import measure_of
from weather.qc.flags import Flag, aggregate, flags_like
from weather.qc.station import calibration_test

_AROUND: Final = 24
_MOST: Final = 160
_SEED: Final = 3


@dataclass(frozen=True, slots=True)
class Data:
    """A data set, judged as it is."""

    name: str
    past: Past
    healthy: Mapping[str, Verdicts]
    series: Sequence[Series]


def data_of(name: str, past: Past) -> Data:
    """Judge a data set as if it were read live."""
    live = as_live(past, verdicts(past))
    healthy = verdicts(live)
    return Data(name, live, healthy, series_of(live, healthy, MAIN))


def plot(test: Test, every: Sequence[Data]) -> str | None:
    """Draw the plot of a test from the first data sets that show it; None where none does."""
    caught = next((one for data in every for one in _caught(test, data)), None)
    passed = next((one for data in every for one in _passed(test, data)), None)
    panels = [panel for panel in (caught, passed) if panel is not None]
    return drawn(panels) if panels else None


def _caught(test: Test, data: Data) -> Iterator[Panel]:
    yield from _real(test, data)
    if test.owns("flag_calibration"):
        yield from _expired(test, data)
    if test.caught is not None:
        yield from _injected(test, test.caught, data, caught=True)


def _passed(test: Test, data: Data) -> Iterator[Panel]:
    if test.passed is not None:
        yield from _injected(test, test.passed, data, caught=False)


def _real(test: Test, data: Data) -> Iterator[Panel]:
    """Give windows around real readings that the test flags."""
    for series in _ordered(test, data):
        flags = _by_row(test, series, data.healthy[series.parameter])
        none = Faulty(series.at, series.values, np.full(len(flags), NONE))
        for place in np.flatnonzero(test.found(flags)).tolist():
            yield _panel("caught, in real data", series, none, flags, slice(place, place + 1))


def _expired(test: Test, data: Data) -> Iterator[Panel]:
    """Give a window in the middle of which a calibration runs out."""
    for series in _ordered(test, data):
        place = len(series.at) // 2
        flags = calibration_test(series.at, np.full_like(series.at, series.at[place]))
        none = Faulty(series.at, series.values, np.full(len(flags), NONE))
        yield _panel(
            "caught: calibration out of date", series, none, flags, slice(place, place + 1)
        )


def _injected(test: Test, case: Case, data: Data, *, caught: bool) -> Iterator[Panel]:
    """Give windows around faults that the test flags, or does not."""
    if case.fault is Fault.RESET:
        yield from _counters(case, data, caught=caught)
        return
    chosen = _ordered(test, data)
    put = [one for one in case.put(data.series, _SEED) if one.series in chosen]
    after = verdicts(with_faults(data.past, put), test.drawn_by) if put else {}
    for series in chosen:
        for one in put:
            if one.series is series:
                yield from _events(test, case, one, after[series.parameter], caught=caught)


def _events(test: Test, case: Case, put: Put, after: Verdicts, *, caught: bool) -> Iterator[Panel]:
    series, faulty = put
    flags, whole = _by_row(test, series, after), _row_flags(series, after, after.flag)
    if test.owns("flag_buddy"):
        flags = said(put)
    for event in range(int(faulty.event.max(initial=-1)) + 1):
        rows = np.flatnonzero(faulty.event == event)
        if test.found(flags[rows]).any() is not np.bool_(caught):
            continue
        others = "another test flags it" if is_bad(whole[rows]).any() else "no test flags it"
        title = f"{'caught' if caught else 'passed'}: {case.fault}, {case.told(series.parameter)}"
        panel = _panel(title, series, faulty, flags, slice(int(rows[0]), int(rows[-1]) + 1))
        yield panel if caught else replace(panel, remark=f"{panel.remark}; {others}")


def _counters(case: Case, data: Data, *, caught: bool) -> Iterator[Panel]:
    for series in data.series:
        if series.parameter == "rainfall":
            faulty, flagged = with_resets(series, case.magnitude, _SEED)
            flags = counter_flags(series, faulty.values)
            for event in range(int(faulty.event.max(initial=-1)) + 1):
                place = int(np.flatnonzero(faulty.event == event)[0])
                if bool(flagged[place]) is caught:
                    title = f"{'caught' if caught else 'passed'}: {case.fault}, {case.told()}"
                    yield _panel(title, series, faulty, flags, slice(place, place + 1))


def _panel(title: str, series: Series, faulty: Faulty, flags: Flags, event: slice) -> Panel:
    """Draw the surroundings of an event; a fault of clocks at the times that these showed."""
    first = max(0, event.start - _AROUND)
    part = slice(first, min(len(flags), event.stop + _AROUND, event.start + _MOST))
    truth, local = series.values[part], series.local[part]
    at = local + (faulty.at - series.at)[part]
    differ = ((faulty.values[part] != truth) | (at != local)).any()
    half = series.cadence // 2
    wrong = (faulty.event != NONE).any()
    unit = measure_of(series.parameter, series.measure).unit
    return Panel(
        title=f"{series.sensor}: {title}",
        remark=f"{series.measure} in {unit}",
        unit=unit,
        at=at,
        values=faulty.values[part],
        flags=flags[part],
        truth=truth if differ and series.parameter != "rainfall" else None,
        truth_at=local,
        fault=(int(series.local[event.start]) - half, int(series.local[event.stop - 1]) + half)
        if wrong
        else None,
    )


def _ordered(test: Test, data: Data) -> list[Series]:
    return [one for name in test.parameters for one in data.series if one.parameter == name]


def _by_row(test: Test, series: Series, found: Verdicts) -> Flags:
    """Give what a test's fields say together, in the order of a series."""
    mine = [flags for field, flags in found.flags.items() if test.speaks_in(field)]
    joined = aggregate(*mine) if mine else flags_like(len(found.flag), Flag.NOT_EVALUATED)
    return _row_flags(series, found, joined)


def _row_flags(series: Series, found: Verdicts, flags: Flags) -> Flags:
    by_offset = flags_like(int(series.rows.max()) + 1, Flag.MISSING)
    mine = found.judged.offsets < len(by_offset)
    by_offset[found.judged.offsets[mine]] = flags[mine]
    return by_offset[series.rows]
